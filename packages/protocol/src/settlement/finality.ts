/**
 * When what happened in a period can no longer change, and until when it can be questioned. Pure
 * arithmetic on block time. Source: docs/spec/settlement.md, sections 1 to 3. Twins:
 * contracts/src/ProofLedger.sol and Disputes.sol.
 */
import { periodAt, periodDeadline, periodStart, type ScheduleParams } from '../schedule.ts'
import {
  type Amount,
  amount,
  divUp,
  type Period,
  period,
  type Seconds,
  type Timestamp,
  timestamp,
} from '../units.ts'

/** What deployment fixes about disputes and audits, besides the schedule. */
export interface SettlementParams extends ScheduleParams {
  /** D: how long after its deadline a period can still change. */
  readonly disputeTime: Seconds
  /** T: how long a provider has for the answer to a dispute. */
  readonly answerTime: Seconds
  /** One period in this many is audited by chance. */
  readonly auditChance: number
  /** What opening a dispute puts at stake while no other is open; in base units of token 0. */
  readonly disputeBond: Amount
  /** What one lost dispute or audit takes from the stake; in base units of token 0. */
  readonly disputeSlash: Amount
}

/** The figures of time alone. */
export type FinalityParams = ScheduleParams & Pick<SettlementParams, 'disputeTime' | 'answerTime'>

/** Bundle roots and trees are kept for this many periods, the current one included. */
export const RING_PERIODS = 8
/**
 * A question that nobody could act on for so many periods, because they had no seed, ends without a
 * slash.
 */
export const EXPIRY_PERIODS = 30
/** Disputes that may be open against one provider at once. */
export const OPEN_DISPUTES_MAX = 64

/**
 * The rule that a set of figures breaks, in words, or undefined when they fit together:
 * 0 < T <= D, 2 P <= W + D, W + D + T <= 6 P.
 */
export const brokenTiming = ({
  period: length,
  window,
  disputeTime,
  answerTime,
}: Pick<FinalityParams, 'period' | 'window' | 'disputeTime' | 'answerTime'>):
  | string
  | undefined => {
  if (answerTime > disputeTime) return 'answerTime is longer than disputeTime'
  if (2n * length > window + disputeTime) {
    return 'window and disputeTime together are shorter than two periods'
  }
  if (window + disputeTime + answerTime > 6n * length) {
    return 'window, disputeTime and answerTime together are longer than six periods'
  }
  if (answerTime === 0n) return 'answerTime is zero'
  return undefined
}

/** The first second at which a period is final, if nothing is in dispute: start + W + D. */
export const finalAt = (params: FinalityParams, of: Period): Timestamp =>
  timestamp(periodDeadline(params, of) + params.disputeTime)

/**
 * Periods before it are final by the clock, if nothing is in dispute.
 * @throws HoldfastError `UNIT_INVALID` before genesis.
 */
export const finalBeforeAt = (params: FinalityParams, now: Timestamp): Period => {
  const waits = params.window + params.disputeTime
  const since = now - params.genesis
  return since < waits ? period(0n) : period((since - waits) / params.period + 1n)
}

/** The last second at which a period can be disputed: start + W + D - T. */
export const disputesUntil = (params: FinalityParams, of: Period): Timestamp =>
  timestamp(finalAt(params, of) - params.answerTime)

/** From this second on an audit of `of` that is still owed may be slashed: start(p + 2). */
export const auditDueAt = (params: ScheduleParams, of: Period): Timestamp =>
  periodStart(params, period(of + 2n))

/** The first second at which a dispute may be slashed, if the chain is usable all along. */
export const answerDueAt = (params: FinalityParams, openedAt: Timestamp): Timestamp =>
  timestamp(openedAt + params.answerTime)

/** Periods with a seed that must have passed before a dispute may be slashed: ceil(T / P). */
export const usablePeriodsNeeded = (params: FinalityParams): number =>
  Number(divUp(params.answerTime, params.period))

/**
 * The periods that show the chain usable since a dispute was opened, for `slashTimeout`: the oldest
 * that have a seed, are not before the one of the opening, and have ended. Undefined while T has not
 * passed or while there are too few.
 * @param hasSeed asked about periods from the one of the opening on.
 */
export const usablePeriods = (
  params: FinalityParams,
  input: {
    readonly openedAt: Timestamp
    readonly now: Timestamp
    readonly hasSeed: (period: Period) => boolean
  },
): readonly Period[] | undefined => {
  const { openedAt, now, hasSeed } = input
  if (now < answerDueAt(params, openedAt)) return undefined
  const needed = usablePeriodsNeeded(params)
  const found: Period[] = []
  const current = periodAt(params, now)
  for (let p = periodAt(params, openedAt); p < current && found.length < needed; p++) {
    if (hasSeed(period(p))) found.push(period(p))
  }
  return found.length === needed ? found : undefined
}

/**
 * What `slashTimeout` is given to end a dispute, in favour of the provider where there is a choice:
 * the periods that show the chain usable, or none when it expires without a slash. Undefined while
 * neither is possible.
 * @param hasSeed asked about the 30 periods from the one of the opening on.
 */
export const disputeEnding = (
  params: FinalityParams,
  input: Parameters<typeof usablePeriods>[1],
): readonly Period[] | undefined => {
  const { openedAt, now, hasSeed } = input
  const until = periodAt(params, openedAt) + BigInt(EXPIRY_PERIODS)
  const early = usablePeriods(params, { ...input, hasSeed: (p) => p < until && hasSeed(p) })
  if (early !== undefined) return early
  return now >= openedAt + BigInt(EXPIRY_PERIODS) * params.period ? [] : undefined
}

/**
 * What `slashAudit` is given to end an audit that is owed for `audited`, in favour of the provider
 * where there is a choice: the first period after it that has a seed and is over, or `audited` itself
 * when it expires without a slash. Undefined while neither is possible.
 * @param now the current period.
 * @param hasSeed asked about the 29 periods after the audited one.
 */
export const auditEnding = (input: {
  readonly audited: Period
  readonly now: Period
  readonly hasSeed: (period: Period) => boolean
}): Period | undefined => {
  const { audited, now, hasSeed } = input
  const until = audited + BigInt(EXPIRY_PERIODS)
  for (let p = audited + 1n; p < until && p < now; p++) if (hasSeed(period(p))) return period(p)
  return now >= until ? audited : undefined
}

/** What opening one more dispute takes while `open` are open against the provider. */
export const bondFor = (disputeBond: Amount, open: number): Amount =>
  amount(disputeBond * BigInt(1 + open))
