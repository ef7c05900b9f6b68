/**
 * Checks the tables of a LevelDB before it is opened. LevelDB as we have it verifies no checksum of a
 * table when it reads one, and a flipped bit can end the whole process in an assertion; so each block is
 * compared with its checksum here first. Logs and manifests LevelDB checks itself.
 *
 * A table: blocks, each followed by its compression (1) and a masked CRC-32C (4) of both; at the end 48
 * bytes: handles of the meta index and the index, padding, magic. A handle is offset and size as varints.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checksum } from '@holdfast/prover'

const FOOTER_BYTES = 48
const TRAILER_BYTES = 5
const MAGIC = 0xdb4775248b80fb57n
const MASK = 0xa282ead8
const UNCOMPRESSED = 0
const TABLE_NAME = /\.(?:ldb|sst)$/

interface Handle {
  readonly offset: number
  readonly size: number
}

/** Reads varints one after another. @throws RangeError past the end, or for one that is too long. */
class Varints {
  readonly #data: Uint8Array
  at: number

  constructor(data: Uint8Array, at = 0) {
    this.#data = data
    this.at = at
  }

  next(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 42; factor *= 128) {
      const byte = this.#data[this.at++]
      if (byte === undefined) break
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
    throw new RangeError('no varint')
  }

  handle(): Handle {
    const offset = this.next()
    return { offset, size: this.next() }
  }
}

/** The block's bytes, and whether they are compressed; undefined when its checksum is wrong. */
const wholeBlock = (
  table: Uint8Array,
  { offset, size }: Handle,
  checksum: Checksum,
): { readonly block: Uint8Array; readonly compressed: boolean } | undefined => {
  const end = offset + size
  if (end + TRAILER_BYTES > table.length) return undefined
  const view = new DataView(table.buffer, table.byteOffset)
  const rotated = (view.getUint32(end + 1, true) - MASK) >>> 0
  const wanted = ((rotated >>> 17) | (rotated << 15)) >>> 0
  if (checksum(table.subarray(offset, end + 1)) >>> 0 !== wanted) return undefined
  return { block: table.subarray(offset, end), compressed: table[end] !== UNCOMPRESSED }
}

/** The handles that an index block holds as its values. */
const handlesIn = (block: Uint8Array): readonly Handle[] => {
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  const restarts = view.getUint32(block.length - 4, true)
  const end = block.length - 4 - 4 * restarts
  const handles: Handle[] = []
  for (const entry = new Varints(block); entry.at < end; ) {
    entry.next()
    const key = entry.next()
    const value = entry.next()
    const start = entry.at + key
    handles.push(new Varints(block, start).handle())
    entry.at = start + value
  }
  return handles
}

/**
 * Whether every block of a table is what its checksum says. A file without a table's end is one that was
 * never finished, and nobody refers to it. Blocks behind a compressed index cannot be found; that is how
 * older programs wrote them.
 */
export const isTableWhole = (table: Uint8Array, checksum: Checksum): boolean => {
  const footer = table.length - FOOTER_BYTES
  if (footer < 0) return true
  const view = new DataView(table.buffer, table.byteOffset)
  if (view.getBigUint64(table.length - 8, true) !== MAGIC) return true
  try {
    const ends = new Varints(table, footer)
    const roots = [ends.handle(), ends.handle()].map((h) => wholeBlock(table, h, checksum))
    return roots.every((root) => {
      if (root === undefined) return false
      if (root.compressed) return true
      return handlesIn(root.block).every((h) => wholeBlock(table, h, checksum) !== undefined)
    })
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** The first table in a directory that is damaged; undefined when there is none, or no directory. */
export const damagedTable = async (
  directory: string,
  checksum: Checksum,
): Promise<string | undefined> => {
  const names = await readdir(directory).catch(() => [])
  for (const name of names.filter((file) => TABLE_NAME.test(file))) {
    const table = new Uint8Array(await readFile(join(directory, name)))
    if (!isTableWhole(table, checksum)) return name
  }
  return undefined
}
