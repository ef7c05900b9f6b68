/**
 * Sector files as files: creating one durably, reading its superblock, walking its records. Used
 * when a volume opens and when a sector begins; payload bytes pass elsewhere.
 */
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  decodeHeader,
  decodeSuperblock,
  decodeTrailer,
  encodeSuperblock,
  FIRST_RECORD,
  HEADER_BYTES,
  layoutOf,
  RECORD_ALIGNMENT,
  type RecordHeader,
  type RecordTrailer,
  type Superblock,
  TRAILER_BYTES,
} from './sector-format.ts'

/** Makes a directory's entries durable. */
export const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** What a new sector file begins with, after its superblocks. */
export interface SectorStart {
  readonly header: Uint8Array
  /** The length the file is given at once. */
  readonly length: number
}

/** A new sector file, open for reading and writing, durable with its name and its first record's header. */
export const createSector = async (
  path: string,
  superblock: Superblock,
  start?: SectorStart,
): Promise<FileHandle> => {
  const handle = await open(path, 'wx+', 0o600)
  try {
    const block = encodeSuperblock(superblock)
    await handle.writev([block, block, ...(start === undefined ? [] : [start.header])], 0)
    if (start !== undefined) await handle.truncate(start.length)
    await handle.sync()
    await syncDirectory(dirname(path))
    return handle
  } catch (error) {
    await handle.close()
    await unlink(path)
    throw error
  }
}

/** @throws HoldfastError `STORE_CORRUPT` for an unknown format. Undefined: not a sector, or torn. */
export const readSuperblock = async (
  handle: FileHandle,
  path: string,
): Promise<Superblock | undefined> => decodeSuperblock(await readAt(handle, 0, FIRST_RECORD), path)

/** Up to `length` bytes; fewer at the end of the file. */
export const readAt = async (
  handle: FileHandle,
  offset: number,
  length: number,
): Promise<Uint8Array> => {
  const buffer = new Uint8Array(length)
  const { bytesRead } = await handle.read(buffer, 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

/** The header at an offset; undefined when there is none. */
export const readHeader = async (
  handle: FileHandle,
  offset: number,
  superblock: Superblock,
): Promise<RecordHeader | undefined> =>
  decodeHeader(await readAt(handle, offset, HEADER_BYTES), superblock.salt)

/** One step of a walk: a whole record, or a place where none can be read. */
export type ScanStep =
  | {
      readonly kind: 'record'
      readonly offset: number
      readonly end: number
      readonly trailer: RecordTrailer
    }
  /** Damage with more records behind it: `end` is where the next one begins. */
  | { readonly kind: 'damaged'; readonly offset: number; readonly end: number }
  /** Nothing valid from here to the end of the file: a write that never finished. */
  | { readonly kind: 'torn'; readonly offset: number; readonly end: number }

/** Walks the records of a sector from `from` on. Ends after a `torn` step. */
export async function* scanSector(
  handle: FileHandle,
  superblock: Superblock,
  from: number,
): AsyncGenerator<ScanStep> {
  const { size } = await handle.stat()
  let offset = from
  while (offset < size) {
    const header = await readHeader(handle, offset, superblock)
    const layout = header && layoutOf(offset, header)
    const trailer =
      header && layout && layout.trailer + TRAILER_BYTES <= size
        ? decodeTrailer(await readAt(handle, layout.trailer, TRAILER_BYTES), header)
        : undefined
    if (layout !== undefined && trailer !== undefined) {
      yield { kind: 'record', offset, end: layout.end, trailer }
      offset = layout.end
      continue
    }
    const next = await nextHeader(handle, superblock, offset + RECORD_ALIGNMENT, size)
    if (next === undefined) {
      yield { kind: 'torn', offset, end: size }
      return
    }
    yield { kind: 'damaged', offset, end: next }
    offset = next
  }
}

/** The first valid header at or after `from`. The salt keeps payload bytes from posing as one. */
const nextHeader = async (
  handle: FileHandle,
  superblock: Superblock,
  from: number,
  size: number,
): Promise<number | undefined> => {
  for (let offset = from; offset < size; offset += RECORD_ALIGNMENT) {
    if ((await readHeader(handle, offset, superblock)) !== undefined) return offset
  }
  return undefined
}
