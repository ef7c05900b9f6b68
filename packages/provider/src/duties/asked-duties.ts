/**
 * What is asked of a provider on chain: the entries of an audit or a dispute are shown, late rather
 * than never, and what cannot be shown any more is ended, so that it does not stand in the way of
 * everything else for good (docs/adr/0063-ending-what-cannot-be-shown.md). Pure.
 *
 * Rules: an answer is given up only after its time, and only when making it failed often enough
 * (`DutyView.givenUp`); a failure to reach the chain is none of these. An audit is ended at once: half
 * of the slash is the node's own, and nothing is proven before. A dispute is ended when it begins to
 * block the rings, because all of its reward is its opener's, who has a bond to get back.
 */
import {
  answerDueAt,
  auditEnding,
  disputeEnding,
  EXPIRY_PERIODS,
  type Period,
  period,
  periodStart,
  RING_PERIODS,
  type Timestamp,
} from '@holdfast/protocol'
import type { DisputeFact } from '../follow/facts.ts'
import { type Duty, type DutyOf, nameOf } from './duty.ts'
import type { DutyPolicy, DutyView } from './duty-view.ts'

/** The owed audit: to be shown, or to be ended. */
export const auditDuties = (
  view: DutyView,
  now: Period,
  { schedule }: DutyPolicy,
): readonly Duty[] => {
  const { state, tip, givenUp } = view
  const owed = state.owedAudit()
  if (owed === undefined) return []
  const { period: audited, dueAt } = owed
  const answer: Duty = {
    ...{ kind: 'answer-audit', period: audited },
    deadline: lateOr(dueAt, tip.timestamp, periodStart(schedule, period(now + 1n))),
  }
  if (tip.timestamp < dueAt || !givenUp.has(nameOf(answer))) return [answer]
  return canEndAudit(view, audited, now) ? [{ kind: 'end-audit', period: audited }] : [answer]
}

/**
 * Whether the ledger may let it be ended; who ends it looks closer. The state remembers the seeds of
 * the last few periods only, and any one of them will do.
 */
const canEndAudit = ({ state }: DutyView, audited: Period, now: Period): boolean => {
  if (now >= audited + BigInt(EXPIRY_PERIODS)) return true
  const hasSeed = (p: Period): boolean => state.seed(p) !== undefined
  return auditEnding({ audited, now, hasSeed }) !== undefined
}

export interface DisputeDuties {
  readonly answers: readonly DutyOf<'answer-dispute'>[]
  /** Of those that cannot be answered and stand in the way. */
  readonly endings: readonly Duty[]
}

/** The open disputes: to be answered, or to be ended. */
export const disputeDuties = (view: DutyView, now: Period, policy: DutyPolicy): DisputeDuties => {
  const { state, tip } = view
  const next = periodStart(policy.schedule, period(now + 1n))
  const answers: DutyOf<'answer-dispute'>[] = []
  const endings: Duty[] = []
  for (const of of state.openDisputes()) {
    const { provider, period: disputed, question, openedAt } = of
    const entry = { provider, period: disputed, question }
    const dueAt = answerDueAt(policy.schedule, openedAt)
    const deadline = lateOr(dueAt, tip.timestamp, next)
    const answer = { kind: 'answer-dispute', entry, deadline } as const
    const isGivenUp = view.givenUp.has(nameOf(answer))
    if (isGivenUp && isInTheWay(of, now) && canEndDispute(view, of, policy)) {
      endings.push({ kind: 'end-dispute', entry, openedAt })
    } else answers.push(answer)
  }
  return { answers, endings }
}

/** From the next period on it would keep the node from proving: its root leaves the ring. */
const isInTheWay = ({ period: disputed }: DisputeFact, now: Period): boolean =>
  disputed + BigInt(RING_PERIODS) <= now + 1n

const canEndDispute = (
  { state, tip }: DutyView,
  { openedAt }: DisputeFact,
  { schedule }: DutyPolicy,
): boolean => {
  const hasSeed = (p: Period): boolean => state.seed(p) !== undefined
  return disputeEnding(schedule, { openedAt, now: tip.timestamp, hasSeed }) !== undefined
}

/** What is late is taken until it is slashed, which may be at any moment: it has this period. */
const lateOr = (dueAt: Timestamp, at: Timestamp, next: Timestamp): Timestamp =>
  at < dueAt ? dueAt : next
