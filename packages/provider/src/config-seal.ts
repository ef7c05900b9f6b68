/**
 * Notices rot in the configuration. People edit the file, so it cannot carry a checksum; beside it lies
 * one, `config.json.seal`, with the time at which the file was last written. Other bytes under the same
 * time were written by nobody.
 *
 * Invariant: a file that somebody wrote since is never refused here; a seal that is missing or itself
 * damaged refuses nothing, and is made again by the next start.
 */
import { open, readFile } from 'node:fs/promises'
import { HoldfastError } from '@holdfast/protocol'
import { crc32c } from './store/crc32c.ts'
import { writeDurably } from './store/volume-files.ts'

const sealPath = (path: string): string => `${path}.seal`

/** One line: checksum and length of the file, when it was written, and the line's own checksum. */
const lineFor = (content: Uint8Array, writtenNs: bigint): string => {
  const facts = `${crc32c(content)} ${content.length} ${writtenNs}`
  return `${facts} ${crc32c(new TextEncoder().encode(facts))}\n`
}

interface Found {
  readonly content: Buffer
  readonly writtenNs: bigint
}

const read = async (path: string): Promise<Found> => {
  const file = await open(path, 'r')
  try {
    const content = await file.readFile()
    return { content, writtenNs: (await file.stat({ bigint: true })).mtimeNs }
  } finally {
    await file.close()
  }
}

/** When the sealed file was written; undefined when the seal cannot say. */
const sealedAt = (line: string): bigint | undefined => {
  const [, facts = '', own = ''] = /^(\d+ \d+ \d+) (\d+)\n$/.exec(line) ?? []
  if (facts === '' || Number(own) !== crc32c(new TextEncoder().encode(facts))) return undefined
  return BigInt(facts.split(' ')[2] ?? 0)
}

/**
 * The file's bytes.
 * @throws HoldfastError `CONFIG_INVALID` when they changed and nobody wrote them; the system's error.
 */
export const readSealed = async (path: string): Promise<Buffer> => {
  const { content, writtenNs } = await read(path)
  const line = await readFile(sealPath(path), 'utf8').catch(() => '')
  if (sealedAt(line) !== writtenNs || line === lineFor(content, writtenNs)) return content
  const reason =
    'its bytes changed though nobody wrote it: the disk is damaged. Restore it from a backup, or look ' +
    'through its values, correct them and save it'
  throw new HoldfastError({ code: 'CONFIG_INVALID', path, reason })
}

/** Seals the file as it is now: to be called when it was written, or read and found to be right. */
export const sealFile = async (path: string): Promise<void> => {
  const { content, writtenNs } = await read(path)
  const line = lineFor(content, writtenNs)
  if ((await readFile(sealPath(path), 'utf8').catch(() => '')) !== line) {
    await writeDurably(sealPath(path), line)
  }
}
