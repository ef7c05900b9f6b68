/**
 * Finds sections by CID through the index at the payload's end. For a dataset of some thousand blocks
 * one request brings all of it; beyond that, single pages. A CAR without our index is scanned once.
 * What is found is a hint: the caller checks the section's CID and the block's hash.
 */
import { type CallOptions, HoldfastError } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import {
  decodeTrailer,
  ENTRY_LENGTH,
  findInPage,
  type IndexTrailer,
  TRAILER_SECTION_LENGTH,
} from '../car/car-index.ts'
import { indexKey } from '../car/offset-table.ts'
import { decodePrefix } from '../car/sections.ts'
import type { RangeSource } from './range-source.ts'
import { scanSections } from './scan-sections.ts'
import type { SectionIndex } from './section-index.ts'
import { WindowReader } from './window-reader.ts'

const TAIL_LENGTH: number = 128 * 1024
const PAGES_KEPT = 64

/** @throws HoldfastError `CAR_INVALID` and what the source throws. */
export const openIndex = async (
  source: RangeSource,
  options: CallOptions = {},
): Promise<SectionIndex> => {
  const tailStart = Math.max(0, source.length - TAIL_LENGTH)
  const tail = await source.read(tailStart, source.length, options)
  const trailer = decodeTrailer(
    tail.subarray(Math.max(0, tail.length - TRAILER_SECTION_LENGTH)),
    source.length,
  )
  if (trailer === undefined) return scanSections(new WindowReader(source, options), options)
  return new PagedIndex(source, trailer, { start: tailStart, bytes: tail })
}

interface Tail {
  readonly start: number
  readonly bytes: Uint8Array
}

class PagedIndex implements SectionIndex {
  readonly #source: RangeSource
  readonly #trailer: IndexTrailer
  readonly #tail: Tail
  readonly #pageCount: number
  readonly #pages = new Map<number, Uint8Array>()

  constructor(source: RangeSource, trailer: IndexTrailer, tail: Tail) {
    this.#source = source
    this.#trailer = trailer
    this.#tail = tail
    this.#pageCount = Math.ceil(trailer.entries / trailer.pageEntries)
  }

  get blocksEnd(): number {
    return this.#trailer.pagesAt
  }

  /** Digests are uniform, so the first guess is nearly always right; else bisection. */
  async find(cid: CID, options: CallOptions = {}): Promise<readonly number[]> {
    const key = indexKey(cid)
    let low = 0
    let high = this.#pageCount - 1
    let guess = Number((key * BigInt(this.#pageCount)) >> 64n)
    while (low <= high) {
      const page = await this.#page(guess, options)
      const view = new DataView(page.buffer, page.byteOffset, page.byteLength)
      if (key < view.getBigUint64(0)) high = guess - 1
      else if (key > view.getBigUint64(page.byteLength - ENTRY_LENGTH)) low = guess + 1
      else return findInPage(page, key)
      guess = (low + high) >>> 1
    }
    return []
  }

  async #page(number: number, options: CallOptions): Promise<Uint8Array> {
    const known = this.#pages.get(number)
    if (known !== undefined) return known
    const { pagesAt, pageSectionLength } = this.#trailer
    const start = pagesAt + number * pageSectionLength
    const end = Math.min(start + pageSectionLength, this.#source.length - TRAILER_SECTION_LENGTH)
    const section = await this.#bytes(start, end, options)
    const prefix = decodePrefix(section)
    const page = prefix === undefined ? undefined : section.subarray(prefix.prefixLength)
    if (page === undefined || page.length === 0 || page.length % ENTRY_LENGTH !== 0) {
      throw new HoldfastError({ code: 'CAR_INVALID', reason: `index page ${number} is malformed` })
    }
    this.#pages.set(number, page)
    const [oldest] = this.#pages.keys()
    if (this.#pages.size > PAGES_KEPT && oldest !== undefined) this.#pages.delete(oldest)
    return page
  }

  async #bytes(start: number, end: number, options: CallOptions): Promise<Uint8Array> {
    if (start >= this.#tail.start) {
      return this.#tail.bytes.subarray(start - this.#tail.start, end - this.#tail.start)
    }
    return this.#source.read(start, end, options)
  }
}
