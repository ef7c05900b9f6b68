/**
 * Walks the records of a sector that has no footer, or none to be trusted, through a window of 64 KiB.
 * A record counts when its trailer is valid: trailers are written after what they vouch for is
 * durable, so payload bytes need not be read here.
 */

import { type Disk, readFully } from './disk.ts'
import {
  decodeHeader,
  decodeSuperblock,
  decodeTrailer,
  FIRST_RECORD,
  HEADER_BYTES,
  layoutOf,
  RECORD_ALIGNMENT,
  type RecordHeader,
  type RecordLayout,
  type RecordTrailer,
  type Superblock,
  TRAILER_BYTES,
} from './sector-format.ts'

const WINDOW_BYTES = 65_536

/** Bytes of an open file, read ahead. */
export class FileWindow {
  readonly #disk: Disk
  readonly #file: number
  readonly size: number
  readonly #buffer = new Uint8Array(WINDOW_BYTES)
  #start = 0
  #length = 0

  constructor(disk: Disk, file: number) {
    this.#disk = disk
    this.#file = file
    this.size = disk.size(file)
  }

  /** Up to `length` bytes, at most a window; valid until the next call. */
  at(offset: number, length: number): Uint8Array {
    if (offset < this.#start || offset + length > this.#start + this.#length) {
      this.#start = offset
      this.#length = this.#disk.read(this.#file, this.#buffer, offset)
    }
    const from = offset - this.#start
    return this.#buffer.subarray(from, Math.min(this.#length, from + length))
  }
}

/** @throws HoldfastError `STORE_CORRUPT` for an unknown format. Undefined: not a sector, or torn. */
export const readSuperblock = (disk: Disk, file: number, path: string): Superblock | undefined => {
  const blocks = new Uint8Array(FIRST_RECORD)
  const length = disk.read(file, blocks, 0)
  return decodeSuperblock(blocks.subarray(0, length), path)
}

/** The header at a place; undefined when there is none. */
export const readHeader = (
  disk: Disk,
  file: number,
  offset: number,
  salt: Uint8Array,
): RecordHeader | undefined => {
  const block = new Uint8Array(HEADER_BYTES)
  return disk.read(file, block, offset) === HEADER_BYTES ? decodeHeader(block, salt) : undefined
}

/** The trailer of the record with this header; undefined when there is none that belongs to it. */
export const readTrailer = (
  disk: Disk,
  file: number,
  header: RecordHeader,
  layout: RecordLayout,
): RecordTrailer | undefined => {
  if (layout.trailer + TRAILER_BYTES > disk.size(file)) return undefined
  const block = new Uint8Array(TRAILER_BYTES)
  readFully(disk, file, block, layout.trailer)
  return decodeTrailer(block, header)
}

/** One step of a walk. */
export type ScanStep =
  | {
      readonly kind: 'record'
      readonly offset: number
      readonly end: number
      readonly trailer: RecordTrailer
    }
  /** A header whose record was never finished: a reservation, or a place given up. */
  | {
      readonly kind: 'open'
      readonly offset: number
      readonly end: number
      readonly header: RecordHeader
    }
  /** No header here; the next one begins at `end`. */
  | { readonly kind: 'gap'; readonly offset: number; readonly end: number }

/** Steps over the records of a sector up to the last header in it. */
export function* scanSector(window: FileWindow, { salt }: Superblock): Generator<ScanStep> {
  let offset = FIRST_RECORD
  while (offset < window.size) {
    const header = decodeHeader(window.at(offset, HEADER_BYTES).slice(), salt)
    if (header === undefined) {
      const next = nextHeader(window, salt, offset + RECORD_ALIGNMENT)
      if (next === undefined) return
      yield { kind: 'gap', offset, end: next }
      offset = next
      continue
    }
    const layout = layoutOf(offset, header)
    const trailer = decodeTrailer(window.at(layout.trailer, TRAILER_BYTES).slice(), header)
    const place = { offset, end: layout.end }
    if (trailer !== undefined) yield { kind: 'record', ...place, trailer }
    else yield { kind: 'open', ...place, header }
    offset = layout.end
  }
}

/** The first header at or after `from`. The salt keeps payload bytes from posing as one. */
const nextHeader = (window: FileWindow, salt: Uint8Array, from: number): number | undefined => {
  for (let offset = from; offset < window.size; offset += RECORD_ALIGNMENT) {
    if (decodeHeader(window.at(offset, HEADER_BYTES).slice(), salt) !== undefined) return offset
  }
  return undefined
}
