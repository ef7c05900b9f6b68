/**
 * Joins nodes that arrive from left to right into their root, keeping one node per level: a binary
 * counter whose set bits are the nodes that wait for a right sibling.
 *
 * Invariant: the set bits of `position` are exactly the levels that hold a waiting node. The
 * accumulator, the range verifier, joining of segment roots and the bundle's builder are all this, fed
 * differently.
 */
import { invariant } from '../errors.ts'
import { NODE_BYTES } from '../geometry.ts'
import { LEVEL_MAX, type TreeHasher } from './hash.ts'

export class NodeStack {
  readonly #hasher: Pick<TreeHasher, 'pairs'>
  readonly #waiting: (Uint8Array | undefined)[] = []
  readonly #pair = new Uint8Array(2 * NODE_BYTES)
  #position = 0n

  constructor(hasher: Pick<TreeHasher, 'pairs'>) {
    this.#hasher = hasher
  }

  /** Leaf places covered so far, missing ones included. */
  get position(): bigint {
    return this.#position
  }

  /** The level of the largest aligned subtree that can come next; 40 at position 0. */
  get alignment(): number {
    let level = 0
    while (level < LEVEL_MAX && ((this.#position >> BigInt(level)) & 1n) === 0n) level++
    return level
  }

  /**
   * Appends the root of the next 2^level leaves. Keeps a copy.
   * @throws HoldfastError `INVARIANT` when the place is not aligned to that level.
   */
  push(level: number, node: Uint8Array): void {
    invariant(node.length === NODE_BYTES, `a node is ${NODE_BYTES} bytes, not ${node.length}`)
    invariant(
      level >= 0 && level <= this.alignment,
      `a subtree of level ${level} cannot start at leaf ${this.#position}`,
    )
    this.#position += 1n << BigInt(level)
    let joined = node.slice()
    let at = level
    for (let left = this.#waiting[at]; left !== undefined; left = this.#waiting[at]) {
      this.#pair.set(left, 0)
      this.#pair.set(joined, NODE_BYTES)
      joined = new Uint8Array(NODE_BYTES)
      this.#hasher.pairs(this.#pair, joined)
      this.#waiting[at] = undefined
      at++
    }
    this.#waiting[at] = joined
  }

  /** The root, when exactly 2^depth leaves are covered; a view. */
  rootAt(depth: number): Uint8Array {
    const top = this.#waiting[depth]
    invariant(
      top !== undefined && this.#position === 1n << BigInt(depth),
      `${this.#position} leaves do not make a tree of depth ${depth}`,
    )
    return top
  }
}
