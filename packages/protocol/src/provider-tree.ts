/**
 * One provider's tree of deal slots, complete in memory: the off-chain twin of the root that the
 * ProofLedger keeps. Setting a slot and taking a path cost one hash per level. Nodes are never
 * changed, only replaced, so a copy shares all of them and costs nothing: one tree per period, or one
 * per block to go back to, takes a path of new nodes each. Source: docs/spec/provider-tree.md.
 *
 * Invariant: the tree is a pure function of its slots: depth = ceil(log2(slots)), and slots never
 * shrink. To undo (reorgs), keep a `clone` from before.
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

/** A node over at least one taken slot; where all slots are empty there is none. Never changed. */
interface TreeNode extends SumNode {
  /** Taken slots under it, to find a free one by descending. */
  readonly taken: number
  readonly left: TreeNode | undefined
  readonly right: TreeNode | undefined
  /** On the lowest level: what the slot holds. */
  readonly leaf: SlotLeaf | undefined
}

const slotOf = (leaf: SlotLeaf | undefined): TreeNode | undefined =>
  leaf === undefined
    ? undefined
    : { ...slotNode(leaf), taken: 1, left: undefined, right: undefined, leaf }

/** The node over two of level - 1; none when both are empty. */
const joined = (
  level: number,
  left: TreeNode | undefined,
  right: TreeNode | undefined,
): TreeNode | undefined => {
  const taken = (left?.taken ?? 0) + (right?.taken ?? 0)
  if (taken === 0) return undefined
  const below = emptyNode(level - 1)
  return { ...parentNode(left ?? below, right ?? below), taken, left, right, leaf: undefined }
}

/** Whether a slot lies right of the middle of its node at `level`. */
const isRight = (slot: number, level: number): boolean =>
  Math.floor(slot / 2 ** (level - 1)) % 2 === 1

/** The node at `level` with one of its slots replaced. */
const replaced = (
  node: TreeNode | undefined,
  level: number,
  slot: number,
  leaf: SlotLeaf | undefined,
): TreeNode | undefined => {
  if (level === 0) return slotOf(leaf)
  const { left, right } = node ?? { left: undefined, right: undefined }
  return isRight(slot, level)
    ? joined(level, left, replaced(right, level - 1, slot, leaf))
    : joined(level, replaced(left, level - 1, slot, leaf), right)
}

/** The deal and leaf that a global challenge names. */
export interface LocatedLeaf {
  readonly slot: SlotIndex
  readonly leaf: SlotLeaf
  readonly index: LeafIndex
}

export class ProviderTree {
  #top: TreeNode | undefined
  #depth = 0
  #slots = 0

  /**
   * The tree whose slots are these, in order, built with one hash per node. The last may be
   * undefined: slots never shrink.
   */
  static of(slots: Iterable<SlotLeaf | undefined>): ProviderTree {
    const tree = new ProviderTree()
    let nodes = Array.from(slots, slotOf)
    tree.#slots = nodes.length
    tree.#depth = depthFor(BigInt(nodes.length))
    for (let level = 1; level <= tree.#depth; level++) {
      const below = nodes
      nodes = Array.from({ length: Math.ceil(below.length / 2) }, (_, index) =>
        joined(level, below[2 * index], below[2 * index + 1]),
      )
    }
    tree.#top = nodes[0]
    return tree
  }

  /** An independent copy, at no cost. */
  clone(): ProviderTree {
    const copy = new ProviderTree()
    copy.#top = this.#top
    copy.#depth = this.#depth
    copy.#slots = this.#slots
    return copy
  }

  /** Levels above the slots. */
  get depth(): number {
    return this.#depth
  }

  /** Zero for a tree without deals and depth 0. */
  get root(): Hash32 {
    return this.#sum().hash
  }

  /** All leaves of all deals. */
  get weight(): Leaves {
    return this.#sum().weight
  }

  /** Slots ever used; the next new one has this index. */
  get slots(): number {
    return this.#slots
  }

  /** Deals in it. */
  get taken(): number {
    return this.#top?.taken ?? 0
  }

  get(slot: SlotIndex): SlotLeaf | undefined {
    if (slot >= this.#slots) return undefined
    let node = this.#top
    for (let level = this.#depth; level > 0; level--) {
      node = isRight(Number(slot), level) ? node?.right : node?.left
    }
    return node?.leaf
  }

  /**
   * Replaces what a slot holds. `slot` is at most `slots`; at exactly `slots` a deal is appended,
   * and the tree grows by a level when it is full.
   * @throws HoldfastError `INVARIANT` beyond that, or when clearing a slot never used.
   */
  set(slot: SlotIndex, leaf: SlotLeaf | undefined): void {
    const used = BigInt(this.#slots)
    invariant(
      leaf === undefined ? slot < used : slot <= used,
      `slot ${slot} is not among the ${used} slots, nor the next`,
    )
    const at = Number(slot)
    if (at === 2 ** this.#depth) this.#grow()
    this.#top = replaced(this.#top, this.#depth, at, leaf)
    this.#slots = Math.max(this.#slots, at + 1)
  }

  /** The lowest empty slot; `slots` when all are taken. */
  freeSlot(): SlotIndex {
    if (this.taken === this.#slots) return slotIndex(this.#slots)
    let node = this.#top
    let index = 0
    for (let level = this.#depth - 1; level >= 0; level--) {
      const leftIsFull = (node?.left?.taken ?? 0) === 2 ** level
      index = 2 * index + Number(leftIsFull)
      node = leftIsFull ? node?.right : node?.left
    }
    return slotIndex(index)
  }

  /**
   * The siblings of a slot. For the next new slot: its path in the tree as it will have grown, which
   * is what opening a deal there needs.
   * @throws HoldfastError `INVARIANT` beyond that.
   */
  path(slot: SlotIndex): SlotPath {
    const used = BigInt(this.#slots)
    invariant(slot <= used, `slot ${slot} is not among the ${used} slots, nor the next`)
    const at = Number(slot)
    const siblings: SumNode[] = []
    let node = this.#top
    if (at === 2 ** this.#depth) {
      for (let level = 0; level < this.#depth; level++) siblings.push(emptyNode(level))
      siblings.push(plain(node, this.#depth))
      return { slot, siblings }
    }
    for (let level = this.#depth; level > 0; level--) {
      const right = isRight(at, level)
      siblings.push(plain(right ? node?.left : node?.right, level - 1))
      node = right ? node?.right : node?.left
    }
    return { slot, siblings: siblings.reverse() }
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
    let node = this.#top
    let index = 0
    let rest = position
    for (let level = this.#depth; level > 0; level--) {
      const left = node?.left?.weight ?? 0n
      const right = rest >= left
      if (right) rest -= left
      index = 2 * index + Number(right)
      node = right ? node?.right : node?.left
    }
    const leaf = node?.leaf
    invariant(leaf !== undefined, `slot ${index} has weight but no deal`)
    return { slot: slotIndex(index), leaf, index: leafIndex(rest) }
  }

  #sum(): SumNode {
    return this.#top ?? emptyNode(this.#depth)
  }

  /** One level more: the old root becomes the left child of the new one. */
  #grow(): void {
    invariant(this.#depth < SLOT_DEPTH_MAX, `a provider has at most 2^${SLOT_DEPTH_MAX} slots`)
    this.#depth++
    this.#top = joined(this.#depth, this.#top, undefined)
  }
}

/** Hash and weight alone. */
const plain = (node: TreeNode | undefined, level: number): SumNode => {
  const { hash, weight } = node ?? emptyNode(level)
  return { hash, weight }
}
