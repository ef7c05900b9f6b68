/**
 * The whole decision of a provider, as a value: what the ledger's state, the promises made and the
 * tip say must be done now, most urgent first. Pure: same input, same list.
 *
 * Duties are idempotent by construction: one performed twice ends in the same ledger state, and a
 * duty vanishes only when the ledger shows it done. So a restart, a reorganisation and a lost answer
 * are one case.
 */
import { type Period, period, periodAt, periodStart } from '@holdfast/protocol'
import type { DealFact } from '../follow/facts.ts'
import type { Duty } from './duty.ts'
import type { DutyPolicy, DutyView } from './duty-view.ts'
import { isWorthSettling, settleDuties } from './money-duties.ts'
import { proofDuties } from './proof-duties.ts'

export type { Duty } from './duty.ts'
export type { DutyPolicy, DutyView } from './duty-view.ts'

/** What must be done now, in the order in which it should be done. */
export const dutiesAt = (view: DutyView, policy: DutyPolicy): readonly Duty[] => {
  const { state, tip } = view
  const now = periodAt(policy.schedule, tip.timestamp)
  const final = state.finalBefore()
  const deals = state.deals().filter(({ closed, inTree }) => !closed || inTree)
  const ended = deals.filter((deal) => now >= state.endOf(deal).end)
  const running = deals.filter((deal) => now < state.endOf(deal).end)
  const closable = ended.filter((deal) => !deal.closed && final >= state.endOf(deal).end)
  return [
    ...proofDuties(view, now, policy),
    ...openDuties(view),
    ...recoverDuties(running, view, now, policy),
    ...ended.filter(({ inTree }) => inTree).map(({ deal }): Duty => ({ kind: 'release', deal })),
    ...closable.map(({ deal }): Duty => ({ kind: 'close', deal })),
    ...settleDuties(
      running.filter((deal) => !deal.closed && isWorthSettling(deal, view, final, policy)),
      policy,
    ),
  ]
}

/** Accepted deals, the most urgent first, that are neither on the ledger nor given up. */
const openDuties = ({ state, promises, tip }: DutyView): readonly Duty[] => {
  const open: Extract<Duty, { kind: 'open' }>[] = []
  const late: Duty[] = []
  for (const { deal, proposal, refused } of promises.deals.values()) {
    if (refused !== undefined || state.deal(deal) !== undefined) continue
    const deadline = proposal.terms.openBefore
    if (tip.timestamp > deadline) late.push({ kind: 'give-up', deal })
    else open.push({ kind: 'open', deal, deadline })
  }
  return [...late, ...open.sort((a, b) => Number(a.deadline - b.deadline))]
}

/** Faulty deals whose bytes are whole again. Openings are of the current period, so its seed is needed. */
const recoverDuties = (
  deals: readonly DealFact[],
  { state, promises }: DutyView,
  now: Period,
  { schedule }: DutyPolicy,
): readonly Duty[] => {
  const seed = state.seed(now)
  if (seed === undefined || state.standing.terminatedAt !== undefined) return []
  const deadline = periodStart(schedule, period(now + 1n))
  return deals
    .filter(({ faultySince, closed, inTree }) => faultySince !== undefined && !closed && !inTree)
    .filter(({ terms }) => !promises.damages.has(terms.root))
    .map(({ deal }): Duty => ({ kind: 'recover', deal, period: now, seed, deadline }))
}
