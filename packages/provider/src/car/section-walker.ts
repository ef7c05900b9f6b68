/**
 * Reads a payload as a CARv1 while it streams by: header, then sections, each bounded before it is
 * gathered and each block hashed. Where the bytes stop making sense the walk ends; what came before
 * stands. Decides nothing about a payload: one that is no CAR is stored and proven like any other.
 *
 * Invariant: at most one section and one chunk in memory.
 */
import type { CID } from 'multiformats/cid'
import { HEADER_BYTES_MAX, SECTION_BYTES_MAX } from './car-limits.ts'
import { cidAt, isBlockOf, isIndexable } from './cids.ts'
import { headerRoots } from './header.ts'

export interface FoundBlock {
  readonly cid: CID
  /** Where its section begins in the payload. */
  readonly offset: number
}

export interface WalkReport {
  /** Roots that the header names; empty for what is no CAR. */
  readonly roots: readonly CID[]
  readonly blocks: number
  /** Sections under identity or unknown hash functions. */
  readonly unknown: number
  /** Sections whose block is not the one that the CID names. */
  readonly wrong: number
  /** Why the walk ended before the payload did. */
  readonly ended: string | undefined
}

const VARINT_BYTES_MAX = 5

export class SectionWalker {
  readonly #onBlock: (block: FoundBlock) => boolean
  #held: Buffer = Buffer.alloc(0)
  #parts: Uint8Array[] = []
  #partsBytes = 0
  /** Bytes without which the next step cannot be made. */
  #needed = 1
  #offset = 0
  #roots: readonly CID[] | undefined
  #blocks = 0
  #unknown = 0
  #wrong = 0
  #ended: string | undefined

  /** `onBlock` is told every checked block; false ends the walk. */
  constructor(onBlock: (block: FoundBlock) => boolean) {
    this.#onBlock = onBlock
  }

  get isOver(): boolean {
    return this.#ended !== undefined
  }

  feed(chunk: Uint8Array): void {
    if (this.isOver) return
    this.#parts.push(chunk)
    this.#partsBytes += chunk.length
    // Joined only when that brings something: however small the chunks, each byte is copied twice at most.
    if (this.#held.length + this.#partsBytes < this.#needed) return
    this.#held = Buffer.concat([this.#held, ...this.#parts])
    this.#parts = []
    this.#partsBytes = 0
    while (!this.isOver && this.#step());
    // A view would keep the whole chunk alive.
    this.#held = this.isOver ? Buffer.alloc(0) : Buffer.from(this.#held)
  }

  /** What was found; the payload has no more bytes. */
  end(): WalkReport {
    if (this.#held.length + this.#partsBytes > 0)
      this.#ended ??= 'the payload ends in the middle of a section'
    const [blocks, unknown, wrong] = [this.#blocks, this.#unknown, this.#wrong]
    return { roots: this.#roots ?? [], blocks, unknown, wrong, ended: this.#ended }
  }

  /** Takes one section off the held bytes; false when more are needed. */
  #step(): boolean {
    const prefix = varintAt(this.#held)
    this.#needed = this.#held.length + 1
    if (prefix === 'more') return false
    const limit = this.#roots === undefined ? HEADER_BYTES_MAX : SECTION_BYTES_MAX
    if (prefix === 'bad' || prefix.value > limit) return this.#end(`a length above ${limit}`)
    const whole = prefix.length + prefix.value
    this.#needed = whole
    if (this.#held.length < whole) return false
    this.#needed = 1
    const section = this.#held.subarray(prefix.length, whole)
    if (this.#roots === undefined) this.#takeHeader(section)
    else this.#takeSection(section)
    this.#held = this.#held.subarray(whole)
    this.#offset += whole
    return true
  }

  #takeHeader(section: Uint8Array): void {
    this.#roots = headerRoots(section)
    if (this.#roots === undefined) this.#end('the header is not that of a CARv1')
  }

  #takeSection(section: Uint8Array): void {
    const [cid, block] = cidAt(section) ?? []
    if (cid === undefined || block === undefined) return void this.#end('a section without a CID')
    if (!isIndexable(cid)) this.#unknown++
    else if (!isBlockOf(cid, block)) this.#wrong++
    else if (this.#onBlock({ cid, offset: this.#offset })) this.#blocks++
    else this.#end('more blocks than are indexed')
  }

  #end(reason: string): false {
    this.#ended = `${reason}, at byte ${this.#offset}`
    return false
  }
}

/** An unsigned LEB128 of at most five bytes. */
export const varintAt = (
  bytes: Uint8Array,
): { readonly value: number; readonly length: number } | 'more' | 'bad' => {
  let value = 0
  for (let i = 0; i < VARINT_BYTES_MAX; i++) {
    const byte = bytes[i]
    if (byte === undefined) return 'more'
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, length: i + 1 }
  }
  return 'bad'
}
