/** The rules of ProofLedger.sol on the in-memory state: trees, snapshots, proven periods. */
import {
  type Address,
  EMPTY_SLOT,
  emptyNode,
  globalChallenges,
  HoldfastError,
  leaves,
  type Period,
  type ProviderId,
  parentNode,
  pathRoot,
  period,
  periodDeadline,
  periodStart,
  type SlotLeaf,
  type SlotPath,
  type SumNode,
  slotNode,
  verifyAnswer,
  ZERO_HASH,
} from '@holdfast/protocol'
import type { ProvePeriodParameters, TreeSnapshot } from '../ledger.ts'
import { type ProviderState, RING, type TreeRecord, type World } from './world.ts'

const EMPTY_TREE: TreeRecord = {
  root: ZERO_HASH,
  weight: leaves(0n),
  depth: 0,
  slotCount: 0n,
  inForceFrom: period(0n),
}
const EMPTY_STATE: ProviderState = { trees: [EMPTY_TREE], proven: [] }

const stateOf = (world: World, provider: ProviderId): ProviderState =>
  world.states.get(provider) ?? EMPTY_STATE

export const treeOf = (world: World, provider: ProviderId): TreeRecord =>
  stateOf(world, provider).trees.at(-1) ?? EMPTY_TREE

const invalid = (reason: string): HoldfastError =>
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

export const isProven = (world: World, provider: ProviderId, of: Period): boolean =>
  stateOf(world, provider).proven.includes(of)

export const provenBetween = (
  world: World,
  provider: ProviderId,
  range: { readonly from: Period; readonly to: Period },
): readonly Period[] =>
  stateOf(world, provider).proven.filter((p) => p >= range.from && p < range.to)

/** The first period whose outcome is not final. */
export const finalThrough = (world: World, provider: ProviderId): Period => {
  const current = world.currentPeriod
  const over = world.time >= periodDeadline(world.network, current)
  return over || isProven(world, provider, current) ? period(current + 1n) : current
}

const checkAnswers = (
  world: World,
  { provider, period: of, answers }: ProvePeriodParameters,
): void => {
  const seed = world.seeds.get(of)
  if (seed === undefined) throw new HoldfastError({ code: 'SEED_MISSING', period: of })
  if (isProven(world, provider, of)) {
    throw new HoldfastError({ code: 'NOTHING_TO_DO', reason: `period ${of} is proven already` })
  }
  const count = world.network.directChallenges
  if (answers.length !== count) {
    throw invalid(`the number of answers is wrong (${count}, ${answers.length})`)
  }
  const snapshot = snapshotAt(world, provider, of)
  if (snapshot.weight === 0n) {
    const reason = 'its tree of that period is empty'
    throw new HoldfastError({ code: 'PROVIDER_STATE', provider, reason })
  }
  const { chainId, contracts } = world.network
  const context = { chainId, proofs: contracts.proofs, provider, period: of, seed }
  const positions = globalChallenges(context, count, snapshot.weight)
  for (const [i, answer] of answers.entries()) {
    verifyAnswer(snapshot, positions[i] ?? 0n, answer)
  }
}

export const provePeriod = (
  world: World,
  sender: Address,
  parameters: ProvePeriodParameters,
): void => {
  const { provider, period: of } = parameters
  const record = world.providers.get(provider)
  if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
  if (record.operator !== sender) {
    const reason = `only the operator proves (${record.operator}, ${sender})`
    throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
  }
  if (world.time < periodStart(world.network, of)) {
    throw new HoldfastError({ code: 'SEED_MISSING', period: of })
  }
  const deadline = periodDeadline(world.network, of)
  if (world.time >= deadline) {
    throw new HoldfastError({ code: 'WINDOW_CLOSED', period: of, deadline })
  }
  checkAnswers(world, parameters)
  const { trees, proven } = stateOf(world, provider)
  world.states.set(provider, { trees, proven: [...proven, of] })
  world.emit({ kind: 'period-proven', provider, period: of })
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

const replaced = (
  tree: TreeRecord,
  path: SlotPath,
  change: { readonly from: SumNode; readonly to: SumNode },
): TreeRecord => {
  if (path.siblings.length !== tree.depth) {
    throw invalid(`the slot path has the wrong length (${tree.depth}, ${path.siblings.length})`)
  }
  const { hash } = pathRoot(change.from, path)
  if (hash !== tree.root) {
    throw invalid(`the slot path does not open the provider tree (${tree.root}, ${hash})`)
  }
  const top = pathRoot(change.to, path)
  return { ...tree, root: top.hash, weight: top.weight }
}

const putTree = (world: World, provider: ProviderId, tree: TreeRecord): void => {
  const { trees, proven } = stateOf(world, provider)
  const next = period(world.currentPeriod + 1n)
  const isNew = treeOf(world, provider).inForceFrom !== next
  const kept = isNew ? trees.slice(-RING) : trees.slice(0, -1)
  world.states.set(provider, { trees: [...kept, { ...tree, inForceFrom: next }], proven })
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
  const tree = grown(treeOf(world, provider), path.slot)
  putTree(world, provider, replaced(tree, path, { from: EMPTY_SLOT, to: slotNode(leaf) }))
  emitChange(world, provider, path, leaf)
}

/** Takes a deal out of its slot. @throws HoldfastError `PROOF_INVALID`. */
export const freeSlot = (
  world: World,
  provider: ProviderId,
  path: SlotPath,
  leaf: SlotLeaf,
): void => {
  const tree = treeOf(world, provider)
  putTree(world, provider, replaced(tree, path, { from: slotNode(leaf), to: EMPTY_SLOT }))
  emitChange(world, provider, path)
}
