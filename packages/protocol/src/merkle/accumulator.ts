/**
 * The streaming root of a payload: bytes in any chunks, memory logarithmic in the length plus one
 * 64 KiB tile. Aligned subtrees that were hashed elsewhere (by a worker, or kept as segment roots)
 * are appended as their roots. Source: docs/spec/commitment.md, section 3.
 */
import type { Commitment } from '../deal/terms.ts'
import { HoldfastError, invariant } from '../errors.ts'
import { depthFor, LEAF_BYTES, leavesFor, PAYLOAD_BYTES_MAX } from '../geometry.ts'
import { type Root, toHex } from '../ids.ts'
import { type Bytes, bytes, divUp } from '../units.ts'
import { type TreeHasher, zeroNode } from './hash.ts'
import { LeafFeed } from './leaf-feed.ts'
import { NodeStack } from './node-stack.ts'

export class RootAccumulator {
  readonly #stack: NodeStack
  readonly #feed: LeafFeed
  #length = 0n
  #short = false
  #result: Commitment | undefined

  constructor(hasher: TreeHasher) {
    this.#stack = new NodeStack(hasher)
    this.#feed = new LeafFeed(this.#stack, hasher)
  }

  /** Payload bytes so far. */
  get length(): Bytes {
    return bytes(this.#length)
  }

  /**
   * Appends payload bytes.
   * @throws HoldfastError `PAYLOAD_TOO_LARGE` beyond 2^50 bytes in all.
   */
  update(data: Uint8Array): void {
    if (data.length === 0) return
    this.#grow(BigInt(data.length))
    this.#feed.update(data)
  }

  /**
   * Appends the root of the next 2^level leaves, `bytesUnder` of which are payload. A subtree that
   * is not full (`bytesUnder` < 2^level KiB) is the last one.
   * @throws HoldfastError `INVARIANT` when the payload so far does not end on a multiple of
   *   2^level leaves, or `bytesUnder` is not 1 to 2^level KiB; `PAYLOAD_TOO_LARGE`.
   */
  appendSubtree(level: number, node: Uint8Array, bytesUnder: Bytes): void {
    const capacity = BigInt(LEAF_BYTES) << BigInt(level)
    invariant(
      bytesUnder > 0n && bytesUnder <= capacity,
      `a subtree of level ${level} holds 1 to ${capacity} bytes, not ${bytesUnder}`,
    )
    invariant(
      this.#length % BigInt(LEAF_BYTES) === 0n,
      `a subtree cannot start inside a leaf, at byte ${this.#length}`,
    )
    this.#grow(bytesUnder)
    this.#feed.flush()
    this.#stack.push(level, node)
    this.#short = bytesUnder < capacity
  }

  /**
   * The commitment to everything appended. May be called again; nothing can be appended after.
   * @throws HoldfastError `PAYLOAD_EMPTY`; `INVARIANT` when the only subtree was hashed at a higher
   *   level than the payload's own depth.
   */
  finish(): Commitment {
    if (this.#result !== undefined) return this.#result
    const count = leavesFor(bytes(this.#length))
    const depth = depthFor(count)
    this.#feed.flush()
    invariant(
      this.#stack.position <= 1n << BigInt(depth),
      `a payload of ${this.#length} bytes has depth ${depth}; a subtree was hashed above it`,
    )
    while (this.#stack.position < 1n << BigInt(depth)) {
      const level = this.#stack.alignment
      this.#stack.push(level, zeroNode(level))
    }
    const root = toHex(this.#stack.rootAt(depth)) as Root
    this.#result = { scheme: 1, root, length: bytes(this.#length) }
    return this.#result
  }

  #grow(by: bigint): void {
    invariant(this.#result === undefined, 'nothing can be appended after finish')
    invariant(!this.#short, 'nothing can follow a subtree that is not full')
    const length = this.#length + by
    if (length > PAYLOAD_BYTES_MAX) {
      throw new HoldfastError({
        code: 'PAYLOAD_TOO_LARGE',
        limit: PAYLOAD_BYTES_MAX,
        actual: length,
      })
    }
    this.#length = length
  }
}

/** One aligned run of payload, hashed: all but the last cover exactly 2^level leaves. */
export interface SubtreeRoot {
  readonly level: number
  readonly node: Uint8Array
  readonly bytesUnder: Bytes
}

/** Joins subtrees, from left to right, into the payload's commitment; errors as above. */
export const joinSubtrees = (parts: Iterable<SubtreeRoot>, hasher: TreeHasher): Commitment => {
  const accumulator = new RootAccumulator(hasher)
  for (const { level, node, bytesUnder } of parts) {
    accumulator.appendSubtree(level, node, bytesUnder)
  }
  return accumulator.finish()
}

/** Nodes at `level` that have at least one payload leaf under them. */
export const nodesAt = (leafCount: bigint, level: number): bigint =>
  divUp(leafCount, 1n << BigInt(level))
