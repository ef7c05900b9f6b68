/**
 * What a deal has brought and what the contracts would pay if it were settled now. Pure; the
 * arithmetic is `deal/accounting.ts` of the protocol, this file only counts periods.
 *
 * Invariant: pending is exactly what `settle` would move at the given finality.
 */
import type { NetworkParams } from '@holdfast/chain'
import {
  type DealTerms,
  type Payout,
  type Period,
  type Periods,
  paidTotal,
  payable,
  period,
  periods,
  smaller,
  type Timestamp,
} from '@holdfast/protocol'

/** What must be known of a deal; facts and the ledger's own view both have it. */
export interface RevenueDeal {
  readonly terms: Pick<DealTerms, 'rate' | 'periods' | 'deposit' | 'collateral' | 'length'>
  readonly start: Period
  readonly end: Period
  readonly faultedFrom: Period | undefined
  readonly settledThrough: Period
  /** Paid to the provider so far, the fee taken off. */
  readonly earned: bigint
  readonly closed: boolean
}

/** Proven periods of the provider, ascending, and the first period whose record is complete. */
export interface ProofRecord {
  readonly proven: readonly Period[]
  readonly completeFrom: Period
  /** Outcomes before this period are final. */
  readonly finalThrough: Period
}

export interface Revenue {
  readonly settled: Payout
  readonly pending: Payout
  readonly provenPeriods: Periods
  /** Periods that are over, were counted and were not proven. */
  readonly unprovenPeriods: Periods
  readonly lastProven: Period | undefined
}

export type RevenueNetwork = Pick<NetworkParams, 'period' | 'feeBps'>

/** How many of an ascending list are below `limit`. */
export const countBelow = (sorted: readonly bigint[], limit: bigint): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0n) < limit) low = middle + 1
    else high = middle
  }
  return low
}

type Figures = Parameters<typeof paidTotal>[0]

/** The end of the periods that are paid. */
const payEndOf = ({ end, faultedFrom }: RevenueDeal): Period =>
  faultedFrom === undefined ? end : smaller(end, faultedFrom)

export const figuresOf = (deal: RevenueDeal, network: RevenueNetwork): Figures => ({
  ...deal.terms,
  period: network.period,
  feeBps: network.feeBps,
})

/** Revenue of one deal. */
export const revenueOf = (
  deal: RevenueDeal,
  network: RevenueNetwork,
  record: ProofRecord,
): Revenue => {
  const figures = figuresOf(deal, network)
  const { proven, finalThrough } = record
  const through = smaller(payEndOf(deal), finalThrough)
  const settledCount = settledPeriods(deal, figures, record)
  const newly = provenIn(proven, deal.settledThrough, through)
  const total = periods(settledCount + BigInt(newly))
  const counted = through > deal.start ? through - deal.start : 0n
  const last = proven[countBelow(proven, payEndOf(deal)) - 1]
  return {
    settled: paidTotal(figures, periods(settledCount)),
    pending: payable(figures, { proven: total, settled: periods(settledCount) }),
    provenPeriods: total,
    unprovenPeriods: periods(counted > total ? counted - total : 0n),
    lastProven: last !== undefined && last >= deal.start ? last : undefined,
  }
}

const provenIn = (proven: readonly Period[], from: Period, to: Period): number =>
  to <= from ? 0 : countBelow(proven, to) - countBelow(proven, from)

/**
 * Proven periods that settlements have paid. Counted where the record reaches back to the deal's
 * start; else the fewest whose pay is what was paid, which is the same number whenever a period's pay
 * is at least one unit.
 */
const settledPeriods = (deal: RevenueDeal, figures: Figures, record: ProofRecord): bigint => {
  const { start, settledThrough, earned } = deal
  if (start >= record.completeFrom) return BigInt(provenIn(record.proven, start, settledThrough))
  let low = 0n
  let high: bigint = figures.periods
  while (low < high) {
    const middle = (low + high) / 2n
    if (paidTotal(figures, periods(middle)).toProvider < earned) low = middle + 1n
    else high = middle
  }
  return low
}

/** What a deal has earned by its proofs of periods before `to`, the fee taken off. */
export const earnedBefore = (
  deal: RevenueDeal,
  figures: Figures,
  proven: readonly Period[],
  to: Period,
): bigint => {
  const count = provenIn(proven, deal.start, smaller(to, payEndOf(deal)))
  return paidTotal(figures, periods(count)).toProvider
}

/** The first period whose outcome is not final: the contracts' rule. */
export const finalThroughOf = (
  current: { readonly period: Period; readonly deadline: Timestamp; readonly proven: boolean },
  tipTime: Timestamp,
): Period =>
  current.proven || tipTime >= current.deadline ? period(current.period + 1n) : current.period
