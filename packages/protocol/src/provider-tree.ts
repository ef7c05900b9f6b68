/**
 * One provider's tree of deal slots, complete in memory: the off-chain twin of the root that the
 * ProofLedger keeps. Setting a slot and taking a path cost one hash per level; memory is one node
 * per slot and level in use. Source: docs/spec/provider-tree.md.
 *
 * Invariant: the tree is a pure function of its slots: depth = ceil(log2(slots)), and slots never
 * shrink. To undo (reorgs), `clone` before, or rebuild with `ProviderTree.of`.
 */
import { invariant } from './errors.ts'
import { depthFor } from './geometry.ts'
import type { Hash32 } from './ids.ts'
import {
  emptyNode,
  parentNode,
  SLOT_DEPTH_MAX,
  type SlotLeaf,
  type SlotPath,
  type SumNode,
  slotNode,
} from './sum-node.ts'
import { type LeafIndex, type Leaves, leafIndex, type SlotIndex, slotIndex } from './units.ts'

/** A node that also counts the taken slots under it, to find a free one by descending. */
interface CountedNode extends SumNode {
  readonly taken: number
}

const countedSlot = (leaf: SlotLeaf | undefined): CountedNode | undefined =>
  leaf === undefined ? undefined : { ...slotNode(leaf), taken: 1 }

/** The deal and leaf that a global challenge names. */
export interface LocatedLeaf {
  readonly slot: SlotIndex
  readonly leaf: SlotLeaf
  readonly index: LeafIndex
}

export class ProviderTree {
  #slots: (SlotLeaf | undefined)[] = []
  /** `#levels[l][i]`: absent where all slots under the node are empty. */
  #levels: (CountedNode | undefined)[][] = [[]]

  /**
   * The tree whose slots are these, in order, built with one hash per node. The last may be
   * undefined: slots never shrink.
   */
  static of(slots: Iterable<SlotLeaf | undefined>): ProviderTree {
    const tree = new ProviderTree()
    tree.#slots = [...slots]
    tree.#levels = [tree.#slots.map(countedSlot)]
    const depth = depthFor(BigInt(tree.#slots.length))
    for (let level = 1; level <= depth; level++) {
      const count = Math.ceil(tree.#slots.length / 2 ** level)
      tree.#levels.push(Array.from({ length: count }, (_, index) => tree.#joined(level, index)))
    }
    return tree
  }

  /** An independent copy; nodes are shared, being immutable. */
  clone(): ProviderTree {
    const copy = new ProviderTree()
    copy.#slots = this.#slots.slice()
    copy.#levels = this.#levels.map((level) => level.slice())
    return copy
  }

  /** Levels above the slots. */
  get depth(): number {
    return this.#levels.length - 1
  }

  /** Zero for a tree without deals and depth 0. */
  get root(): Hash32 {
    return this.#node(this.depth, 0).hash
  }

  /** All leaves of all deals. */
  get weight(): Leaves {
    return this.#node(this.depth, 0).weight
  }

  /** Slots ever used; the next new one has this index. */
  get slots(): number {
    return this.#slots.length
  }

  get(slot: SlotIndex): SlotLeaf | undefined {
    return slot < this.slots ? this.#slots[Number(slot)] : undefined
  }

  /**
   * Replaces what a slot holds. `slot` is at most `slots`; at exactly `slots` a deal is appended,
   * and the tree grows by a level when it is full.
   * @throws HoldfastError `INVARIANT` beyond that, or when clearing a slot never used.
   */
  set(slot: SlotIndex, leaf: SlotLeaf | undefined): void {
    const used = BigInt(this.slots)
    invariant(
      leaf === undefined ? slot < used : slot <= used,
      `slot ${slot} is not among the ${used} slots, nor the next`,
    )
    this.#put(Number(slot), leaf)
  }

  /** The lowest empty slot; `slots` when all are taken. */
  freeSlot(): SlotIndex {
    if (this.#taken(this.depth, 0) === this.slots) return slotIndex(this.slots)
    let index = 0
    for (let level = this.depth - 1; level >= 0; level--) {
      index *= 2
      if (this.#taken(level, index) === 2 ** level) index++
    }
    return slotIndex(index)
  }

  /**
   * The siblings of a slot. For the next new slot: its path in the tree as it will have grown, which
   * is what opening a deal there needs.
   * @throws HoldfastError `INVARIANT` beyond that.
   */
  path(slot: SlotIndex): SlotPath {
    const used = BigInt(this.slots)
    invariant(slot <= used, `slot ${slot} is not among the ${used} slots, nor the next`)
    const depth = slot === used ? depthFor(used + 1n) : this.depth
    const siblings: SumNode[] = []
    for (let level = 0; level < depth; level++) {
      const { hash, weight } = this.#node(level, Number((slot >> BigInt(level)) ^ 1n))
      siblings.push({ hash, weight })
    }
    return { slot, siblings }
  }

  /**
   * The leaf at a position of the provider's weight.
   * @throws HoldfastError `INVARIANT` unless 0 <= position < weight.
   */
  locate(position: bigint): LocatedLeaf {
    invariant(
      position >= 0n && position < this.weight,
      `position ${position} is outside the weight ${this.weight}`,
    )
    let index = 0
    let rest = position
    for (let level = this.depth - 1; level >= 0; level--) {
      index *= 2
      const left = this.#node(level, index).weight
      if (rest >= left) {
        rest -= left
        index++
      }
    }
    const leaf = this.#slots[index]
    invariant(leaf !== undefined, `slot ${index} has weight but no deal`)
    return { slot: slotIndex(index), leaf, index: leafIndex(rest) }
  }

  #put(slot: number, leaf: SlotLeaf | undefined): void {
    if (slot === 2 ** this.depth) this.#grow()
    this.#slots[slot] = leaf
    const bottom = this.#levels[0]
    invariant(bottom !== undefined, 'a tree has a lowest level')
    bottom[slot] = countedSlot(leaf)
    for (let level = 1, at = slot >>> 1; level <= this.depth; level++, at >>>= 1) {
      const row = this.#levels[level]
      invariant(row !== undefined, `a tree of depth ${this.depth} has a level ${level}`)
      row[at] = this.#joined(level, at)
    }
  }

  /** One level more: the old root becomes the left child of the new one. */
  #grow(): void {
    invariant(this.depth < SLOT_DEPTH_MAX, `a provider has at most 2^${SLOT_DEPTH_MAX} slots`)
    this.#levels.push([])
    const top = this.#levels[this.depth]
    if (top !== undefined) top[0] = this.#joined(this.depth, 0)
  }

  /** The node over its two children; absent when both are empty. */
  #joined(level: number, index: number): CountedNode | undefined {
    const taken = this.#taken(level - 1, 2 * index) + this.#taken(level - 1, 2 * index + 1)
    if (taken === 0) return undefined
    const left = this.#node(level - 1, 2 * index)
    return { ...parentNode(left, this.#node(level - 1, 2 * index + 1)), taken }
  }

  #taken(level: number, index: number): number {
    return this.#levels[level]?.[index]?.taken ?? 0
  }

  #node(level: number, index: number): SumNode {
    return this.#levels[level]?.[index] ?? emptyNode(level)
  }
}
