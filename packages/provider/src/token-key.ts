/**
 * The key under which upload tokens are made: 32 random bytes and their CRC-32C. Without the checksum a
 * flipped bit would be another key, and every open upload would be refused without a word why.
 */
import { readFile } from 'node:fs/promises'
import { HoldfastError, type Random } from '@holdfast/protocol'
import { crc32c } from './store/crc32c.ts'
import { errnoOf } from './store/disk-errors.ts'
import { writeDurably } from './store/volume-files.ts'

const KEY_BYTES = 32

const withChecksum = (key: Uint8Array): Uint8Array => {
  const out = new Uint8Array(KEY_BYTES + 4)
  out.set(key)
  new DataView(out.buffer).setUint32(KEY_BYTES, crc32c(key), true)
  return out
}

/**
 * Reads the key; makes one where there is none, and gives one of the first release its checksum.
 * @throws HoldfastError `CONFIG_INVALID` when it is damaged.
 */
export const keepTokenKey = async (path: string, random: Random): Promise<Uint8Array> => {
  const found = await readFile(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined || found.length === KEY_BYTES) {
    const key = found === undefined ? random.bytes(KEY_BYTES) : new Uint8Array(found)
    await writeDurably(path, withChecksum(key))
    return key
  }
  const key = new Uint8Array(found.subarray(0, KEY_BYTES))
  if (Buffer.from(withChecksum(key)).equals(found)) return key
  const reason =
    'it is damaged. Remove it: the next start makes another, and clients get new tokens for their uploads'
  throw new HoldfastError({ code: 'CONFIG_INVALID', path, reason })
}
