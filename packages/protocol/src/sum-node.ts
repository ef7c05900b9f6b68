/**
 * Nodes of the provider tree: a keccak hash and the weight under it. Source:
 * docs/spec/provider-tree.md. Twin: contracts/src/libraries/ProviderTree.sol.
 *
 * Invariant: an empty slot is (0, 0); weights add up and fit 64 bits.
 */
import { concatBytes, uintBytes } from './bytes.ts'
import { HoldfastError, invariant } from './errors.ts'
import {
  type DealId,
  fromHex,
  type Hash32,
  type Root,
  type SchemeId,
  toHex,
  ZERO_HASH,
} from './ids.ts'
import { keccak } from './keccak.ts'
import { type Leaves, leaves, type SlotIndex } from './units.ts'

/** A tree of depth d has 2^d slots; slots are 32-bit. */
export const SLOT_DEPTH_MAX = 32

/** What a slot holds. Its weight is `leaves`. */
export interface SlotLeaf {
  readonly deal: DealId
  readonly scheme: SchemeId
  readonly root: Root
  readonly leaves: Leaves
}

/** A node, or a whole tree seen from its root. */
export interface SumNode {
  readonly hash: Hash32
  readonly weight: Leaves
}

/** Where a slot is and what surrounds it: siblings from the leaf level up. */
export interface SlotPath {
  readonly slot: SlotIndex
  readonly siblings: readonly SumNode[]
}

export const EMPTY_SLOT: SumNode = { hash: ZERO_HASH, weight: leaves(0) }

/** keccak(deal 32 ‖ scheme 1 ‖ root 32 ‖ leaves 8); the empty node for `undefined`. */
export const slotNode = (leaf: SlotLeaf | undefined): SumNode => {
  if (leaf === undefined) return EMPTY_SLOT
  const hash = keccak(
    fromHex(leaf.deal),
    Uint8Array.of(leaf.scheme),
    fromHex(leaf.root),
    uintBytes(leaf.leaves, 8),
  )
  return { hash: toHex(hash) as Hash32, weight: leaf.leaves }
}

const WEIGHT_MAX = (1n << 64n) - 1n

/** hash 32 ‖ weight 8: how a node stands inside its parent, in answers and in slot paths. */
export const siblingBytes = ({ hash, weight }: SumNode): Uint8Array =>
  concatBytes(fromHex(hash), uintBytes(weight, 8))

/** The siblings of a path joined, 40 bytes each: the form the contracts take. */
export const slotPathBytes = (path: SlotPath): Uint8Array =>
  concatBytes(...path.siblings.map(siblingBytes))

/**
 * keccak(left hash 32 ‖ left weight 8 ‖ right hash 32 ‖ right weight 8), weights added.
 * @throws HoldfastError `UNIT_INVALID` when a weight passes 64 bits.
 */
export const parentNode = (left: SumNode, right: SumNode): SumNode => {
  const weight = leaves(left.weight + right.weight)
  if (weight > WEIGHT_MAX) {
    throw new HoldfastError({ code: 'UNIT_INVALID', unit: 'weight of 64 bits', value: `${weight}` })
  }
  return { hash: toHex(keccak(siblingBytes(left), siblingBytes(right))) as Hash32, weight }
}

const EMPTY: readonly SumNode[] = (() => {
  const nodes: SumNode[] = [EMPTY_SLOT]
  let below = EMPTY_SLOT
  for (let level = 0; level < SLOT_DEPTH_MAX; level++) {
    below = parentNode(below, below)
    nodes.push(below)
  }
  return nodes
})()

/** The node over 2^level empty slots. @throws HoldfastError `INVARIANT` above level 32. */
export const emptyNode = (level: number): SumNode => {
  const node = EMPTY[level]
  invariant(node !== undefined, `provider trees have levels 0 to ${SLOT_DEPTH_MAX}, not ${level}`)
  return node
}

/** The root that a slot's node and its path lead to. @throws HoldfastError `UNIT_INVALID`. */
export const pathRoot = (node: SumNode, path: SlotPath): SumNode =>
  path.siblings.reduce(
    (below, sibling, level) =>
      (path.slot >> BigInt(level)) & 1n ? parentNode(sibling, below) : parentNode(below, sibling),
    node,
  )

/** The weight left of a slot: where its leaves begin in the provider's weight. */
export const weightBefore = (path: SlotPath): Leaves =>
  leaves(
    path.siblings.reduce(
      (sum, sibling, level) => ((path.slot >> BigInt(level)) & 1n ? sum + sibling.weight : sum),
      0n,
    ),
  )
