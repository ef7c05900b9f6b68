/**
 * A CAR index that is open for reading: where in the payload the section of a block begins. Digests are
 * uniform, so the page of a key is guessed by proportion and mended by bisection.
 */
import { type FileHandle, open } from 'node:fs/promises'
import type { Checksum } from '@holdfast/prover'
import type { CID } from 'multiformats/cid'
import { KEY_BYTES, keyOf } from './cids.ts'
import {
  decodeIndexHeader,
  ENTRIES_PER_PAGE,
  ENTRY_BYTES,
  type IndexHeader,
  isPageWhole,
  PAGE_BYTES,
} from './index-format.ts'

/** Where a block may be: to be compared with the CID that stands there. */
export interface IndexHit {
  readonly offset: number
  /** The entry's place in the table. */
  readonly ordinal: number
}

/** A page whose checksum is not its own. */
export class IndexDamaged extends Error {}

/** The file is open while something is looked up, and no longer: there may be a million of them. */
export class CarIndex {
  readonly header: IndexHeader
  readonly #path: string
  readonly #checksum: Checksum

  private constructor(path: string, header: IndexHeader, checksum: Checksum) {
    this.#path = path
    this.header = header
    this.#checksum = checksum
  }

  /** Undefined when there is no such file, or not a whole one. */
  static async open(path: string, checksum: Checksum): Promise<CarIndex | undefined> {
    const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (file === undefined) return undefined
    try {
      const page = Buffer.alloc(PAGE_BYTES)
      const { bytesRead } = await file.read(page, 0, PAGE_BYTES, 0)
      const header = bytesRead === PAGE_BYTES ? decodeIndexHeader(page, checksum) : undefined
      const pages = Math.ceil((header?.entries ?? 0) / ENTRIES_PER_PAGE) + 1
      const isWhole = header !== undefined && (await file.stat()).size === pages * PAGE_BYTES
      return isWhole ? new CarIndex(path, header, checksum) : undefined
    } finally {
      await file.close()
    }
  }

  /** @throws IndexDamaged, also when the file is gone. */
  async find(cid: CID): Promise<IndexHit | undefined> {
    if (this.header.entries === 0) return undefined
    const file = await open(this.#path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      throw new IndexDamaged(`the index of ${this.header.payload} is gone`)
    })
    try {
      return await this.#find(file, keyOf(cid))
    } finally {
      await file.close()
    }
  }

  async #find(file: FileHandle, key: Buffer): Promise<IndexHit | undefined> {
    let low = 0
    let high = Math.ceil(this.header.entries / ENTRIES_PER_PAGE) - 1
    let guess = Math.floor((key.readUInt32BE(0) / 2 ** 32) * (high + 1))
    while (low <= high) {
      const page = await this.#page(file, guess)
      const count = Math.min(ENTRIES_PER_PAGE, this.header.entries - guess * ENTRIES_PER_PAGE)
      const place = placeOf(page, count, key)
      if (place === 'before') high = guess - 1
      else if (place === 'after') low = guess + 1
      else return place && { ...place, ordinal: guess * ENTRIES_PER_PAGE + place.ordinal }
      guess = (low + high) >> 1
    }
    return undefined
  }

  async #page(file: FileHandle, index: number): Promise<Buffer> {
    const page = Buffer.allocUnsafe(PAGE_BYTES)
    const { bytesRead } = await file.read(page, 0, PAGE_BYTES, (index + 1) * PAGE_BYTES)
    if (bytesRead === PAGE_BYTES && isPageWhole(page, this.#checksum)) return page
    throw new IndexDamaged(`page ${index} of the index of ${this.header.payload}`)
  }
}

/** Where a key is in a page, or on which side of it; undefined when it would be here and is not. */
const placeOf = (
  page: Buffer,
  count: number,
  key: Buffer,
): IndexHit | 'before' | 'after' | undefined => {
  const compare = (i: number): number =>
    page.compare(key, 0, KEY_BYTES, i * ENTRY_BYTES, i * ENTRY_BYTES + KEY_BYTES)
  if (compare(0) > 0) return 'before'
  if (compare(count - 1) < 0) return 'after'
  let [low, high] = [0, count - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const order = compare(middle)
    if (order === 0) {
      const offset = Number(page.readBigUInt64LE(middle * ENTRY_BYTES + KEY_BYTES))
      return { offset, ordinal: middle }
    }
    if (order < 0) low = middle + 1
    else high = middle - 1
  }
  return undefined
}
