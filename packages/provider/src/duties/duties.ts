/**
 * The whole decision of a provider, as a value: what the ledger's state, the promises made and the
 * tip say must be done now, most urgent first. Pure: same input, same list.
 *
 * Duties are idempotent by construction: one performed twice ends in the same ledger state, and a
 * duty vanishes only when the ledger shows it done. So a restart, a reorganisation and a lost answer
 * are one case.
 */
import type { BlockRef } from '@holdfast/chain'
import {
  type DealId,
  type FinalityParams,
  finalBeforeAt,
  type Hash32,
  larger,
  type Period,
  periodAt,
  periodDeadline,
  smaller,
  type Timestamp,
} from '@holdfast/protocol'
import type { ChainState } from '../follow/chain-state.ts'
import type { DealFact } from '../follow/facts.ts'
import type { Promises } from '../journal/promises.ts'

export type Duty =
  /** Show the answers of a period before its deadline. */
  | {
      readonly kind: 'prove'
      readonly period: Period
      readonly seed: Hash32
      readonly deadline: Timestamp
    }
  /** Say that a deal's bytes are lost, so that the others can go on being proven. */
  | { readonly kind: 'declare-fault'; readonly deal: DealId }
  /** Send the opening transaction of an accepted deal. */
  | { readonly kind: 'open'; readonly deal: DealId; readonly deadline: Timestamp }
  /** An accepted deal can no longer be opened. */
  | { readonly kind: 'give-up'; readonly deal: DealId }
  /** Take an ended deal out of the tree. */
  | { readonly kind: 'release'; readonly deal: DealId }
  /** Settle an ended deal to the last unit. */
  | { readonly kind: 'close'; readonly deal: DealId }
  /** Turn proven periods into money, many deals at once. */
  | { readonly kind: 'settle'; readonly deals: readonly DealId[] }

export interface DutyPolicy {
  readonly schedule: FinalityParams
  /** Settle a deal when it has this many proven and final, unsettled periods. At least 1. */
  readonly settleEvery: number
  /** Deals in one settling transaction. */
  readonly settleBatchMax: number
}

export interface DutyView {
  readonly state: ChainState
  readonly promises: Pick<Promises, 'deals' | 'damages'>
  readonly tip: BlockRef
}

/** What must be done now, in the order in which it should be done. */
export const dutiesAt = (view: DutyView, policy: DutyPolicy): readonly Duty[] => {
  const now = periodAt(policy.schedule, view.tip.timestamp)
  const final = finalBeforeAt(policy.schedule, view.tip.timestamp)
  const deals = view.state.deals().filter(({ closed, inTree }) => !closed || inTree)
  return [
    ...proveDuties(view, now, policy),
    ...deals.filter((deal) => isLost(deal, view, now)).map(({ deal }) => faultDuty(deal)),
    ...openDuties(view),
    ...deals.filter((deal) => deal.inTree && now >= deal.end).map(({ deal }) => release(deal)),
    ...deals.filter((deal) => !deal.closed && final >= deal.end).map(({ deal }) => close(deal)),
    ...settleDuties(deals, view, final, policy),
  ]
}

const faultDuty = (deal: DealId): Duty => ({ kind: 'declare-fault', deal })
const release = (deal: DealId): Duty => ({ kind: 'release', deal })
const close = (deal: DealId): Duty => ({ kind: 'close', deal })

/** Only the current period can be proven: a window never outlasts its period. */
const proveDuties = (
  { state, tip }: DutyView,
  now: Period,
  { schedule }: DutyPolicy,
): readonly Duty[] => {
  const deadline = periodDeadline(schedule, now)
  const seed = state.seed(now)
  if (seed === undefined || state.isProven(now) || tip.timestamp >= deadline) return []
  if (state.treeAt(now).weight === 0n) return []
  return [{ kind: 'prove', period: now, seed, deadline }]
}

const isLost = (deal: DealFact, { promises }: DutyView, now: Period): boolean =>
  deal.inTree &&
  deal.faultedFrom === undefined &&
  now < deal.end &&
  promises.damages.has(deal.terms.root)

/** Accepted deals, the most urgent first, that are neither on the ledger nor given up. */
const openDuties = ({ state, promises, tip }: DutyView): readonly Duty[] => {
  const duties: Duty[] = []
  for (const { deal, proposal, refused } of promises.deals.values()) {
    if (refused !== undefined || state.deal(deal) !== undefined) continue
    const deadline = proposal.terms.openBefore
    if (tip.timestamp > deadline) duties.push({ kind: 'give-up', deal })
    else duties.push({ kind: 'open', deal, deadline })
  }
  return duties.sort((a, b) => Number(deadlineOf(a) - deadlineOf(b)))
}

const deadlineOf = (duty: Duty): bigint => ('deadline' in duty ? duty.deadline : 0n)

const settleDuties = (
  deals: readonly DealFact[],
  { state }: DutyView,
  final: Period,
  { settleEvery, settleBatchMax }: DutyPolicy,
): readonly Duty[] => {
  const due = deals
    .filter((deal) => !deal.closed && final < deal.end)
    .filter((deal) => state.provenBetween(...unsettled(deal, final)).length >= settleEvery)
    .map(({ deal }) => deal)
  const duties: Duty[] = []
  for (let at = 0; at < due.length; at += settleBatchMax) {
    duties.push({ kind: 'settle', deals: due.slice(at, at + settleBatchMax) })
  }
  return duties
}

/** The final periods of a deal that no settlement has seen. */
const unsettled = (
  { settledThrough, end, faultedFrom }: DealFact,
  final: Period,
): [Period, Period] => {
  const payEnd = smaller(smaller(end, faultedFrom ?? end), final)
  return [settledThrough, larger(payEnd, settledThrough)]
}
