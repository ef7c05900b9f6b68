/**
 * The duties that cost pay or stake when they are late: answers to disputes and audits, the proof of
 * the current period, and the faults that have to be declared before it. Pure.
 *
 * Rules: the audit comes first, because nothing else can be proven while it is owed; then whatever is
 * due earliest. A period over which bytes are lost is not committed: its absent entries could be
 * disputed by anybody at a profit (docs/adr/0060-absent-answers.md). The fault is declared first, so
 * that the deal is not paid for this period, and the rest is proven in direct mode, which asks for
 * the first global answers only.
 */
import { type Period, periodDeadline, RING_PERIODS, type Timestamp } from '@holdfast/protocol'
import type { DealFact } from '../follow/facts.ts'
import { auditDuties, disputeDuties } from './asked-duties.ts'
import type { Duty } from './duty.ts'
import type { DutyPolicy, DutyView } from './duty-view.ts'

/** Above all others, in this order. */
export const proofDuties = (view: DutyView, now: Period, policy: DutyPolicy): readonly Duty[] => {
  const prove = proveDuty(view, now, policy)
  const lost = lostDeals(view, now).map(({ deal }): Duty => {
    return { kind: 'declare-fault', deal, deadline: prove?.deadline }
  })
  const waits = prove !== undefined && lost.length > 0 && !isLate(view, policy, prove.deadline)
  const { answers, endings } = disputeDuties(view, now, policy)
  const timed = [...answers, ...(prove === undefined || waits ? [] : [prove])]
  timed.sort((a, b) => Number(a.deadline - b.deadline))
  return [
    ...auditDuties(view, now, policy),
    ...endings,
    ...(prove === undefined ? [] : lost),
    ...timed,
    ...(prove === undefined ? lost : []),
  ]
}

/** Only the current period can be proven: a window never outlasts its period. */
const proveDuty = (
  view: DutyView,
  now: Period,
  { schedule, mode }: DutyPolicy,
): Extract<Duty, { kind: 'prove' }> | undefined => {
  const { state, tip } = view
  const deadline = periodDeadline(schedule, now)
  const seed = state.seed(now)
  const { newest, terminatedAt } = state.standing
  if (seed === undefined || tip.timestamp >= deadline || terminatedAt !== undefined)
    return undefined
  if (newest !== undefined && newest >= now) return undefined
  const lost = lostWeight(view, now)
  if (state.owedAudit() !== undefined || state.treeAt(now).weight <= lost) return undefined
  // A disputed period may not be pushed out of the rings.
  const pushes = state.openDisputes().some((of) => of.period + BigInt(RING_PERIODS) <= now)
  if (pushes) return undefined
  return { kind: 'prove', mode: lost === 0n ? mode : 'direct', period: now, seed, deadline }
}

/** Leaves of the period's tree that belong to deals whose bytes are known to be lost. */
const lostWeight = ({ state, promises }: DutyView, now: Period): bigint => {
  const tree = state.treeAt(now)
  let weight = 0n
  for (const root of promises.damages.keys()) {
    for (const { deal, slot } of state.dealsOf(root)) {
      const leaf = tree.get(slot)
      if (leaf?.deal === deal) weight += leaf.leaves
    }
  }
  return weight
}

/** Deals whose bytes are lost and of which the ledger does not know yet. */
const lostDeals = ({ state, promises }: DutyView, now: Period): readonly DealFact[] =>
  [...promises.damages.keys()].flatMap((root) =>
    state
      .dealsOf(root)
      .filter((deal) => deal.inTree && deal.faultySince === undefined)
      .filter((deal) => now < state.endOf(deal).end),
  )

/** In the last quarter of the window the proof no longer waits for faults to be declared. */
const isLate = ({ tip }: DutyView, { schedule }: DutyPolicy, deadline: Timestamp): boolean =>
  tip.timestamp + schedule.window / 4n >= deadline
