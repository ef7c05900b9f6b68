/**
 * What a period asks of a provider, as a plan: for every deal where its payload lies and where its
 * answers go in the bundle's file, global challenges sorted to the deals they fall into, deals in
 * the order in which their payloads lie on disk. Pure; draws the global challenges only, a deal's
 * own are drawn where they are answered.
 */
import {
  answerHead,
  answerLength,
  type BundleOrder,
  bundleIndexOf,
  bundleOrder,
  fromHex,
  globalChallenges,
  invariant,
  leavesFor,
  NODE_BYTES,
  type ProviderTree,
  type SlotLeaf,
} from '@holdfast/protocol'
import { taskJob } from '../answer-run.ts'
import type { KeptPayload } from '../kept-payload.ts'
import type { BundleInput } from './bundler.ts'
import { type BundleLayout, bundleLayout, GLOBALS, PER_DEAL } from './layout.ts'
import type { BundleFillJob, PlannedGlobal } from './tasks.ts'

/** Openings per task: enough to forget the cost of a round trip, few enough to share. */
const BATCH_OPENINGS = 128

interface PlannedDeal {
  readonly rank: number
  readonly leaf: SlotLeaf
  readonly kept: KeptPayload | string
  /** Where its own answers go. */
  readonly offset: number
  readonly globals: readonly PlannedGlobal[]
}

export interface BundlePlan {
  readonly layout: BundleLayout
  readonly order: BundleOrder
  /** In payload order; those without payload first. */
  readonly deals: readonly PlannedDeal[]
  /** Bytes of the bundle's file. */
  readonly length: number
}

const leafAt = (tree: ProviderTree, order: BundleOrder, rank: number): SlotLeaf => {
  const slot = order[rank]?.slot
  const leaf = slot === undefined ? undefined : tree.get(slot)
  invariant(leaf !== undefined, `the tree lost its deal of rank ${rank}`)
  return leaf
}

/** The payload that a deal's answers come from, or why there is none. */
const keptFor = (input: BundleInput, { root, scheme, leaves }: SlotLeaf): KeptPayload | string => {
  if (scheme !== 1) return `answers exist for payloads of scheme 1, not ${scheme}`
  const kept = input.payloadOf(root)
  if (kept === undefined) return 'the payload is not kept here'
  const { commitment } = kept
  const fits = commitment.root === root && leavesFor(commitment.length) === leaves
  return fits ? kept : `what is kept has root ${commitment.root} and ${commitment.length} bytes`
}

const compare = (a: PlannedDeal, b: PlannedDeal): number => {
  if (typeof a.kept === 'string' || typeof b.kept === 'string') {
    return Number(typeof a.kept !== 'string') - Number(typeof b.kept !== 'string')
  }
  const [one, two] = [a.kept.payload, b.kept.payload]
  if (one.path !== two.path) return one.path < two.path ? -1 : 1
  return one.offset < two.offset ? -1 : Number(one.offset > two.offset)
}

/** The global challenges by the rank of the deal they fall into; and where their answers end. */
const planGlobals = (
  { context, tree }: BundleInput,
  order: BundleOrder,
  start: number,
): { readonly byRank: ReadonlyMap<number, readonly PlannedGlobal[]>; readonly end: number } => {
  const byRank = new Map<number, PlannedGlobal[]>()
  let offset = start
  for (const [i, position] of globalChallenges(context, GLOBALS, tree.weight).entries()) {
    const { slot, leaf, index } = tree.locate(position)
    const rank = (Number(bundleIndexOf(order, { class: 'deal', slot, i: 0 })) - GLOBALS) / PER_DEAL
    const found = byRank.get(rank) ?? []
    found.push({ i, leaf: index, offset })
    byRank.set(rank, found)
    offset += answerLength(tree.depth, leaf.leaves)
  }
  return { byRank, end: offset }
}

/** @throws HoldfastError `INVARIANT` when the tree has no weight. */
export const planBundle = (input: BundleInput): BundlePlan => {
  const { tree } = input
  const order = bundleOrder(tree)
  const layout = bundleLayout(order.length)
  const { byRank, end } = planGlobals(input, order, layout.answersAt)
  let offset = end
  const deals = order.map((_, rank): PlannedDeal => {
    const leaf = leafAt(tree, order, rank)
    const globals = byRank.get(rank) ?? []
    const planned = { rank, leaf, kept: keptFor(input, leaf), offset, globals }
    offset += PER_DEAL * answerLength(tree.depth, leaf.leaves)
    return planned
  })
  return { layout, order, deals: deals.sort(compare), length: offset }
}

/** The deals' ids by rank, joined. */
export const dealsOf = ({ order }: BundlePlan): Uint8Array => {
  const out = new Uint8Array(order.length * NODE_BYTES)
  order.forEach(({ deal }, rank) => {
    out.set(fromHex(deal), rank * NODE_BYTES)
  })
  return out
}

/** The jobs of one deal: more than one where many global challenges fall into it. */
function* jobsOf(
  tree: ProviderTree,
  order: BundleOrder,
  planned: PlannedDeal,
): Iterable<BundleFillJob> {
  const { rank, leaf, kept, offset, globals } = planned
  const slot = order[rank]?.slot
  invariant(slot !== undefined, `no deal has rank ${rank}`)
  const shared = {
    deal: leaf.deal,
    root: leaf.root,
    leaves: leaf.leaves,
    head: answerHead({ slot: tree.path(slot), leaf }),
    width: answerLength(tree.depth, leaf.leaves),
    kept: typeof kept === 'string' ? kept : taskJob({ ...kept, indices: [] }),
  }
  const own = { index: GLOBALS + rank * PER_DEAL, offset }
  yield { ...shared, own, globals: globals.slice(0, BATCH_OPENINGS) }
  for (let at = BATCH_OPENINGS; at < globals.length; at += BATCH_OPENINGS) {
    yield { ...shared, own: undefined, globals: globals.slice(at, at + BATCH_OPENINGS) }
  }
}

/** The work in portions of about 128 answers, made only when asked for. */
export function* bundleBatches(
  tree: ProviderTree,
  { order, deals }: BundlePlan,
): Iterable<readonly BundleFillJob[]> {
  let batch: BundleFillJob[] = []
  let openings = 0
  for (const planned of deals) {
    for (const job of jobsOf(tree, order, planned)) {
      batch.push(job)
      openings += job.globals.length + (job.own === undefined ? 0 : PER_DEAL)
      if (openings < BATCH_OPENINGS) continue
      yield batch
      batch = []
      openings = 0
    }
  }
  if (batch.length > 0) yield batch
}
