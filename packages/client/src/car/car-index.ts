/**
 * The index that every payload carries at its end, so that one file can be read out of a large
 * dataset with a few small requests and without any local record.
 *
 * Layout (integers big endian): after the dataset's blocks come the pages, then the trailer, each
 * an ordinary CAR section with a raw SHA-256 CID, linked from nowhere. A page is a run of entries of
 * 16 bytes: the first 64 bits of a block's digest, and the offset of its section. Entries are sorted
 * over all pages; every page holds 4096 but the last. The trailer is 64 bytes, so its section is
 * the last 101 bytes of the payload: magic 16, entries 8, offset of the first page 8, entries per
 * page 4, bytes per full page section 4, zeros.
 *
 * The index is a hint: what is found through it is always checked against the CID that was asked
 * for, so a lying index can only be noticed, never believed.
 */
import { HoldfastError } from '@holdfast/protocol'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { SHA256_CODE, sha256Hasher } from '../unixfs/block-hasher.ts'
import { RAW_CODE } from '../unixfs/node-writer.ts'
import type { OffsetTable } from './offset-table.ts'
import { decodePrefix, encodePrefix } from './sections.ts'

export const PAGE_ENTRIES = 4096
export const ENTRY_LENGTH = 16
const TRAILER_LENGTH = 64
/** Length byte, CID, trailer. */
export const TRAILER_SECTION_LENGTH: number = 1 + 36 + TRAILER_LENGTH
const MAGIC: Uint8Array = new TextEncoder().encode('holdfast-index/1')

export interface IndexTrailer {
  readonly entries: number
  /** Offset of the first page's section; also the end of the dataset's blocks. */
  readonly pagesAt: number
  readonly pageEntries: number
  readonly pageSectionLength: number
}

export interface Section {
  readonly prefix: Uint8Array
  readonly block: Uint8Array
}

/** The sections that follow the dataset's blocks, first page to trailer. */
export function* indexSections(table: OffsetTable, pagesAt: number): Generator<Section> {
  const { keys, offsets } = table.sorted()
  for (let first = 0; first < keys.length; first += PAGE_ENTRIES) {
    const count = Math.min(PAGE_ENTRIES, keys.length - first)
    const page = new Uint8Array(count * ENTRY_LENGTH)
    const view = new DataView(page.buffer)
    for (let i = 0; i < count; i++) {
      view.setBigUint64(i * ENTRY_LENGTH, keys[first + i] ?? 0n)
      view.setBigUint64(i * ENTRY_LENGTH + 8, BigInt(offsets[first + i] ?? 0))
    }
    yield section(page)
  }
  yield section(encodeTrailer(keys.length, pagesAt))
}

/** Undefined when the last bytes of a payload are no trailer: a CAR of another maker. */
export const decodeTrailer = (
  tail: Uint8Array,
  payloadLength: number,
): IndexTrailer | undefined => {
  const prefix = decodePrefixQuietly(tail)
  if (prefix?.blockLength !== TRAILER_LENGTH) return undefined
  const block = tail.subarray(prefix.prefixLength)
  if (block.length !== TRAILER_LENGTH || MAGIC.some((byte, i) => block[i] !== byte))
    return undefined
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  const trailer: IndexTrailer = {
    entries: Number(view.getBigUint64(16)),
    pagesAt: Number(view.getBigUint64(24)),
    pageEntries: view.getUint32(32),
    pageSectionLength: view.getUint32(36),
  }
  checkTrailer(trailer, payloadLength)
  return trailer
}

/** Offsets under a key inside one page's block, in the order stored. */
export const findInPage = (page: Uint8Array, key: bigint): readonly number[] => {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength)
  const count = Math.floor(page.byteLength / ENTRY_LENGTH)
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (view.getBigUint64(middle * ENTRY_LENGTH) < key) low = middle + 1
    else high = middle
  }
  const found: number[] = []
  for (let i = low; i < count && view.getBigUint64(i * ENTRY_LENGTH) === key; i++) {
    found.push(Number(view.getBigUint64(i * ENTRY_LENGTH + 8)))
  }
  return found
}

const section = (block: Uint8Array): Section => {
  const cid = CID.createV1(RAW_CODE, create(SHA256_CODE, sha256Hasher.digest(block)))
  return { prefix: encodePrefix(cid, block.length), block }
}

const encodeTrailer = (entries: number, pagesAt: number): Uint8Array => {
  const block = new Uint8Array(TRAILER_LENGTH)
  const view = new DataView(block.buffer)
  const fullPage = section(new Uint8Array(PAGE_ENTRIES * ENTRY_LENGTH))
  block.set(MAGIC)
  view.setBigUint64(16, BigInt(entries))
  view.setBigUint64(24, BigInt(pagesAt))
  view.setUint32(32, PAGE_ENTRIES)
  view.setUint32(36, fullPage.prefix.length + fullPage.block.length)
  return block
}

const decodePrefixQuietly = (data: Uint8Array): ReturnType<typeof decodePrefix> => {
  try {
    return decodePrefix(data)
  } catch {
    // Whatever stands at the end of a foreign CAR is not ours to complain about.
    return undefined
  }
}

const checkTrailer = (trailer: IndexTrailer, payloadLength: number): void => {
  const pages = Math.ceil(trailer.entries / PAGE_ENTRIES)
  const least = trailer.entries * ENTRY_LENGTH + TRAILER_SECTION_LENGTH
  if (
    trailer.pageEntries !== PAGE_ENTRIES ||
    trailer.pageSectionLength < PAGE_ENTRIES * ENTRY_LENGTH ||
    trailer.pageSectionLength > PAGE_ENTRIES * ENTRY_LENGTH + 64 ||
    trailer.pagesAt + least > payloadLength ||
    trailer.pagesAt + pages * trailer.pageSectionLength + TRAILER_SECTION_LENGTH < payloadLength
  ) {
    throw new HoldfastError({ code: 'CAR_INVALID', reason: 'the index trailer contradicts itself' })
  }
}
