/**
 * The money of a deal as pure functions of how many of its periods are proven and how many units it
 * is charged: what the contracts compute at settlement and closing. Sources: docs/spec/money.md,
 * section 4; docs/spec/settlement.md, section 6. Twins: contracts/src/libraries/Pricing.sol and
 * DealMarket.
 *
 * Invariants: totals depend on the number of proven periods only, never on when or how often they
 * were settled; paid <= deposit; fee + provider's part = paid; escrow + paid = deposit; at closing,
 * compensation + returned + forfeited = collateral.
 */
import { invariant } from '../errors.ts'
import { costOf, feeOf, fundedPeriods } from '../pricing.ts'
import {
  type Amount,
  amount,
  divDown,
  larger,
  minus,
  type Period,
  type Periods,
  period,
  periods,
  type Rate,
  type Seconds,
  smaller,
} from '../units.ts'

/** The signed figures that settlement needs, with the network's period length and fee. */
export interface DealFigures {
  readonly rate: Rate
  readonly periods: Periods
  readonly deposit: Amount
  readonly collateral: Amount
  /** The length of a period, P. */
  readonly period: Seconds
  readonly feeBps: number
}

/** Counted periods are start <= p < end. */
export interface DealSpan {
  readonly start: Period
  readonly end: Period
}

/** Money on its way: what leaves the escrow, and the two parts it splits into. */
export interface Payout {
  readonly paid: Amount
  readonly fee: Amount
  readonly toProvider: Amount
}

/** Everything a deal still holds, split at its end. */
export interface CloseSplit {
  /** The last payout. */
  readonly payout: Payout
  /** Rest of the escrow, to the client. */
  readonly refund: Amount
  /** From the collateral, to the client; never above the signed replacement cost. */
  readonly compensation: Amount
  /** Rest of the collateral, to the provider. */
  readonly returned: Amount
  /** What the provider lost and the client does not get, to the fee account. */
  readonly forfeited: Amount
}

/** What a deal is charged for faults and misses. */
export interface DealCharge {
  /** One unit is one period's pay. */
  readonly units: Periods
  /** The deal ended because its bytes are lost or its provider was terminated. */
  readonly lost: boolean
  readonly replacementCost: Amount
}

/** The charge of a deal whose provider did all it promised. */
export const NO_CHARGE: DealCharge = {
  units: periods(0n),
  lost: false,
  replacementCost: amount(0n),
}

/** Whole periods that the deposit and the term both allow. */
export const countedPeriods = (deal: Omit<DealFigures, 'collateral' | 'feeBps'>): Periods =>
  smaller(deal.periods, fundedPeriods(deal))

/** The periods of a deal opened in period `opened`: from the next one, for the funded term. */
export const dealSpan = (
  deal: Omit<DealFigures, 'collateral' | 'feeBps'>,
  opened: Period,
): DealSpan => {
  const start = period(opened + 1n)
  return { start, end: period(start + countedPeriods(deal)) }
}

/** The end of a deal after notice given in period `now`: never later than before. */
export const endAfterNotice = (
  span: DealSpan,
  input: { readonly now: Period; readonly notice: Periods },
): Period => smaller(span.end, period(input.now + 1n + input.notice))

/**
 * True when the deposit pays for the notice, or for the whole term if that is shorter, and for one
 * period at least.
 */
export const depositSuffices = (
  deal: Pick<DealFigures, 'rate' | 'periods' | 'deposit' | 'period'> & { readonly notice: Periods },
): boolean => fundedPeriods(deal) >= larger(periods(1), smaller(deal.periods, deal.notice))

/** All money out of escrow after `proven` periods, with the fee inside it. */
export const paidTotal = (deal: DealFigures, proven: Periods): Payout => {
  const paid = smaller(
    costOf({ rate: deal.rate, period: deal.period, periods: proven }),
    deal.deposit,
  )
  const fee = feeOf(paid, deal.feeBps)
  return { paid, fee, toProvider: minus(paid, fee) }
}

/**
 * What a settlement moves that finds `proven` periods proven and final since the deal's start, of
 * which `settled` were paid before: the difference of the totals, fee included.
 * @throws HoldfastError `INVARIANT` when fewer are proven than were settled.
 */
export const payable = (
  deal: DealFigures,
  count: { readonly proven: Periods; readonly settled: Periods },
): Payout => {
  invariant(
    count.proven >= count.settled,
    `${count.settled} periods were settled but only ${count.proven} are proven`,
  )
  const before = paidTotal(deal, count.settled)
  const after = paidTotal(deal, count.proven)
  return {
    paid: minus(after.paid, before.paid),
    fee: minus(after.fee, before.fee),
    toProvider: minus(after.toProvider, before.toProvider),
  }
}

/** What a charge takes from the collateral, and how much of that compensates the client. */
export const chargeSplit = (
  deal: Pick<DealFigures, 'rate' | 'period' | 'collateral'>,
  { units, lost, replacementCost }: DealCharge,
): Pick<CloseSplit, 'compensation' | 'returned' | 'forfeited'> => {
  const { rate, period, collateral } = deal
  const charge = smaller(collateral, costOf({ rate, period, periods: units }))
  const seized = lost ? collateral : charge
  const compensation = smaller(replacementCost, lost ? seized : amount(divDown(charge, 2n)))
  return {
    compensation,
    returned: minus(collateral, seized),
    forfeited: minus(seized, compensation),
  }
}

/**
 * What closing an ended deal moves: the last payout, the rest of the escrow, the collateral.
 * @throws HoldfastError `INVARIANT` when fewer are proven than were settled.
 */
export const closeSplit = (
  deal: DealFigures,
  count: { readonly proven: Periods; readonly settled: Periods },
  charge: DealCharge = NO_CHARGE,
): CloseSplit => ({
  payout: payable(deal, count),
  refund: minus(deal.deposit, paidTotal(deal, count.proven).paid),
  ...chargeSplit(deal, charge),
})

/**
 * The end of a deal after its deposit grew to `deposit`: start + min(periods, funded). After notice
 * the end stays.
 */
export const endAfterTopUp = (
  deal: Pick<DealFigures, 'rate' | 'periods' | 'period'>,
  input: { readonly span: DealSpan; readonly deposit: Amount; readonly noticeGiven: boolean },
): Period =>
  input.noticeGiven
    ? input.span.end
    : period(input.span.start + countedPeriods({ ...deal, deposit: input.deposit }))
