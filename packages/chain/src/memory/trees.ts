/**
 * The trees of providers on the in-memory state: the one that is now, those that were, and what
 * changes them. The rules of contracts/src/libraries/ProviderTree.sol.
 */
import {
  EMPTY_SLOT,
  emptyNode,
  HoldfastError,
  leaves,
  type Period,
  type ProviderId,
  parentNode,
  pathRoot,
  period,
  type SlotLeaf,
  type SlotPath,
  type SumNode,
  slotNode,
  ZERO_HASH,
} from '@holdfast/protocol'
import type { Dispute, TreeSnapshot } from '../ledger.ts'
import { type ProviderState, RING, type TreeRecord, type World } from './world.ts'

const EMPTY_TREE: TreeRecord = {
  root: ZERO_HASH,
  weight: leaves(0n),
  depth: 0,
  slotCount: 0n,
  inForceFrom: period(0n),
}
const EMPTY_STATE: ProviderState = {
  trees: [EMPTY_TREE],
  ...{ proven: [], missed: [], bundles: [] },
  ...{ last: undefined, forceNext: false, terminatedAt: undefined },
}

export const stateOf = (world: World, provider: ProviderId): ProviderState =>
  world.states.get(provider) ?? EMPTY_STATE

/** Changes some of what is kept of a provider. */
export const patchState = (
  world: World,
  provider: ProviderId,
  change: Partial<ProviderState>,
): void => world.states.set(provider, { ...stateOf(world, provider), ...change })

export const treeOf = (world: World, provider: ProviderId): TreeRecord =>
  stateOf(world, provider).trees.at(-1) ?? EMPTY_TREE

export const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROOF_INVALID', reason })

/** The tree challenged in `of`. @throws HoldfastError `SEED_MISSING`, `PROVIDER_STATE`. */
export const snapshotAt = (world: World, provider: ProviderId, of: Period): TreeSnapshot => {
  if (of > world.currentPeriod) throw new HoldfastError({ code: 'SEED_MISSING', period: of })
  const { trees } = stateOf(world, provider)
  for (const tree of trees.toReversed()) {
    if (of >= tree.inForceFrom) {
      return { root: tree.root, weight: tree.weight, depth: tree.depth }
    }
  }
  const reason = 'its tree of that period is no longer kept'
  throw new HoldfastError({ code: 'PROVIDER_STATE', provider, reason })
}

/** The tree one level higher when the slot is the first beyond it. */
const grown = (tree: TreeRecord, slot: bigint): TreeRecord => {
  if (slot > tree.slotCount) {
    throw invalid(`the slot is outside the tree (${slot}, ${tree.slotCount})`)
  }
  if (slot < tree.slotCount) return tree
  const slotCount = tree.slotCount + 1n
  if (slot === 0n || slot !== 1n << BigInt(tree.depth)) return { ...tree, slotCount }
  const top = { hash: tree.root, weight: tree.weight }
  const { hash, weight } = parentNode(top, emptyNode(tree.depth))
  return { ...tree, slotCount, root: hash, weight, depth: tree.depth + 1 }
}

/**
 * The node that a slot and its path lead to.
 * @throws HoldfastError `PROOF_INVALID` when the weights along it pass 64 bits.
 */
export const climbed = (from: SumNode, path: SlotPath): SumNode => {
  try {
    return pathRoot(from, path)
  } catch (cause) {
    if (!HoldfastError.is(cause, 'UNIT_INVALID')) throw cause
    throw invalid('the weights of the slot path are too large')
  }
}

const replaced = (
  tree: TreeRecord,
  path: SlotPath,
  change: { readonly from: SumNode; readonly to: SumNode },
): TreeRecord => {
  if (path.siblings.length !== tree.depth) {
    throw invalid(`the slot path has the wrong length (${tree.depth}, ${path.siblings.length})`)
  }
  const { hash } = climbed(change.from, path)
  if (hash !== tree.root) {
    throw invalid(`the slot path does not open the provider tree (${tree.root}, ${hash})`)
  }
  const top = climbed(change.to, path)
  return { ...tree, root: top.hash, weight: top.weight }
}

/** Open disputes against a provider, oldest first. */
export const openDisputes = (world: World, provider: ProviderId): readonly Dispute[] =>
  [...world.disputes.values()].filter((d) => d.provider === provider && d.state === 'open')

/** While a dispute is open, nothing may push out of the rings what it is judged by. */
export const checkHeld = (world: World, provider: ProviderId, of: Period): void => {
  const oldest = openDisputes(world, provider)
    .map((dispute) => dispute.period)
    .reduce<Period | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined)
  if (oldest === undefined || of < oldest + BigInt(RING)) return
  const reason = `a dispute about period ${oldest} is open`
  throw new HoldfastError({ code: 'PROVIDER_STATE', provider, reason })
}

/** Replaces the tree, in the contract's order: whether it may change comes before whether it can. */
const changeTree = (
  world: World,
  provider: ProviderId,
  change: (tree: TreeRecord) => TreeRecord,
): void => {
  const { trees } = stateOf(world, provider)
  const tree = treeOf(world, provider)
  const next = period(world.currentPeriod + 1n)
  const isNew = tree.inForceFrom !== next
  if (isNew) checkHeld(world, provider, world.currentPeriod)
  const kept = isNew ? trees.slice(-RING) : trees.slice(0, -1)
  patchState(world, provider, { trees: [...kept, { ...change(tree), inForceFrom: next }] })
}

const emitChange = (world: World, provider: ProviderId, path: SlotPath, leaf?: SlotLeaf): void => {
  const { root, weight } = treeOf(world, provider)
  const deal = leaf?.deal
  world.emit({ kind: 'slot-changed', provider, slot: path.slot, deal, root, weight })
}

/** Puts a deal into an empty slot. @throws HoldfastError `PROOF_INVALID`. */
export const fillSlot = (
  world: World,
  provider: ProviderId,
  path: SlotPath,
  leaf: SlotLeaf,
): void => {
  const change = { from: EMPTY_SLOT, to: slotNode(leaf) }
  changeTree(world, provider, (tree) => replaced(grown(tree, path.slot), path, change))
  emitChange(world, provider, path, leaf)
}

/** Takes a deal out of its slot. @throws HoldfastError `PROOF_INVALID`. */
export const freeSlot = (
  world: World,
  provider: ProviderId,
  path: SlotPath,
  leaf: SlotLeaf,
): void => {
  const change = { from: slotNode(leaf), to: EMPTY_SLOT }
  changeTree(world, provider, (tree) => replaced(tree, path, change))
  emitChange(world, provider, path)
}
