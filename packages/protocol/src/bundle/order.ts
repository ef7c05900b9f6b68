/**
 * Which entry of a bundle stands where: the global answers by their number, then five of each deal,
 * deals by their slot. Pure arithmetic over the deals of the period's tree.
 * Source: docs/spec/bundles.md, section 1.
 */
import { invariant } from '../errors.ts'
import type { DealId } from '../ids.ts'
import type { ProviderTree } from '../provider-tree.ts'
import { type SlotIndex, slotIndex } from '../units.ts'
import { BUNDLE_GLOBALS, BUNDLE_PER_DEAL } from './entry.ts'

/** A deal of the period's tree and its slot. */
export interface BundleDeal {
  readonly slot: SlotIndex
  readonly deal: DealId
}

/** Every deal of the tree at the period's start, by ascending slot. */
export type BundleOrder = readonly BundleDeal[]

/** What stands at a place of the bundle; usable as a `BundleQuestion`. */
export type BundlePlace =
  | { readonly class: 'global'; readonly i: number }
  | {
      readonly class: 'deal'
      readonly slot: SlotIndex
      readonly deal: DealId
      readonly i: number
    }

/** Names a place: a deal's entries are found by its slot. */
export type BundleAddress =
  | { readonly class: 'global'; readonly i: number }
  | { readonly class: 'deal'; readonly slot: SlotIndex; readonly i: number }

/** The order of a bundle over this tree, which is to be the one at the period's start. */
export const bundleOrder = (tree: ProviderTree): BundleOrder => {
  const order: BundleDeal[] = []
  for (let at = 0; at < tree.slots; at++) {
    const slot = slotIndex(at)
    const leaf = tree.get(slot)
    if (leaf !== undefined) order.push({ slot, deal: leaf.deal })
  }
  return order
}

/** Entries of a bundle: 460 and five per deal. */
export const bundleCount = (order: BundleOrder): bigint =>
  BUNDLE_GLOBALS + BUNDLE_PER_DEAL * BigInt(order.length)

/** How many deals stand before `slot`; the deal in it, if any, is the one at that number. */
const rankOf = (order: BundleOrder, slot: SlotIndex): number => {
  let low = 0
  let high = order.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const there = order[middle]
    invariant(there !== undefined, `deal ${middle} of ${order.length}`)
    if (there.slot < slot) low = middle + 1
    else high = middle
  }
  return low
}

const requireNumber = (i: number, count: bigint): bigint => {
  invariant(
    Number.isInteger(i) && i >= 0 && BigInt(i) < count,
    `challenges of this class are 0 to ${count - 1n}, not ${i}`,
  )
  return BigInt(i)
}

/**
 * Where in the bundle an entry stands.
 * @throws HoldfastError `INVARIANT` when the slot holds no deal or `i` is outside its class.
 */
export const bundleIndexOf = (order: BundleOrder, at: BundleAddress): bigint => {
  if (at.class === 'global') return requireNumber(at.i, BUNDLE_GLOBALS)
  const rank = rankOf(order, at.slot)
  invariant(order[rank]?.slot === at.slot, `slot ${at.slot} holds no deal in this period`)
  return BUNDLE_GLOBALS + BUNDLE_PER_DEAL * BigInt(rank) + requireNumber(at.i, BUNDLE_PER_DEAL)
}

/**
 * What stands at an index.
 * @throws HoldfastError `INVARIANT` unless 0 <= index < count.
 */
export const bundleEntryAt = (order: BundleOrder, index: bigint): BundlePlace => {
  const count = bundleCount(order)
  invariant(index >= 0n && index < count, `entry ${index} of a bundle of ${count}`)
  if (index < BUNDLE_GLOBALS) return { class: 'global', i: Number(index) }
  const after = index - BUNDLE_GLOBALS
  const held = order[Number(after / BUNDLE_PER_DEAL)]
  invariant(held !== undefined, `a bundle of ${count} entries has a deal at ${index}`)
  return { class: 'deal', ...held, i: Number(after % BUNDLE_PER_DEAL) }
}
