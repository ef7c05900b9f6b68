/**
 * Prices: from what people quote (money per TiB-month and a flat proving fee) to what a deal signs
 * (a rate per second) to what is charged. Every division rounds down, so the payer is favoured and
 * the charge never passes the quote. Source: docs/spec/money.md. Twin:
 * contracts/src/libraries/Pricing.sol.
 */
import {
  type Amount,
  amount,
  type Bytes,
  divDown,
  type Periods,
  periods,
  type Rate,
  rate,
  type Seconds,
} from './units.ts'

/** Rates are base units per second times this. */
export const RATE_SCALE: bigint = 10n ** 12n
/** Thirty days. */
export const MONTH_SECONDS = 2_592_000n
/** 2^40 bytes. */
export const TIB: bigint = 1n << 40n
/** Fees are in parts of this. */
export const BPS = 10_000n
/** Collateral covers this many periods' pay unless the quote says otherwise. */
export const DEFAULT_COLLATERAL_PERIODS: Periods = periods(90)
/** A client may end a deal after this many periods unless the quote says otherwise. */
export const DEFAULT_NOTICE: Periods = periods(30)
/** Terms count periods in 32 bits. */
export const PERIODS_MAX: Periods = periods((1n << 32n) - 1n)

/** The price of one payload, as providers quote it: both per 30 days, in token base units. */
export interface PriceInput {
  readonly length: Bytes
  readonly pricePerTibMonth: Amount
  readonly provingFeeMonth: Amount
}

/** floor((price x length + fee x 2^40) x 10^12 / (2^40 x 2592000)) */
export const rateFor = ({ length, pricePerTibMonth, provingFeeMonth }: PriceInput): Rate =>
  rate(
    divDown((pricePerTibMonth * length + provingFeeMonth * TIB) * RATE_SCALE, TIB * MONTH_SECONDS),
  )

/** What a number of proven periods costs: floor(rate x periods x P / 10^12). */
export const costOf = (input: {
  readonly rate: Rate
  /** The length of a period, P. */
  readonly period: Seconds
  readonly periods: Periods
}): Amount => amount(divDown(input.rate * input.periods * input.period, RATE_SCALE))

/** The network's part of a paid total: floor(paid x feeBps / 10000). */
export const feeOf = (paid: Amount, feeBps: number): Amount =>
  amount(divDown(paid * BigInt(feeBps), BPS))

/**
 * The most periods a deposit pays for: the largest n with costOf(n) <= deposit, that is
 * floor(((deposit + 1) x 10^12 - 1) / (rate x P)), never above 2^32 - 1. So a deposit of exactly
 * costOf(n) funds n periods although costOf rounded it down.
 */
export const fundedPeriods = (input: {
  readonly deposit: Amount
  readonly rate: Rate
  /** The length of a period, P. */
  readonly period: Seconds
}): Periods => {
  const perPeriod = input.rate * input.period
  if (perPeriod === 0n) return PERIODS_MAX
  const funded = divDown((input.deposit + 1n) * RATE_SCALE - 1n, perPeriod)
  return funded < PERIODS_MAX ? periods(funded) : PERIODS_MAX
}

/** Ninety periods' pay. */
export const defaultCollateral = (dealRate: Rate, period: Seconds): Amount =>
  costOf({ rate: dealRate, period, periods: DEFAULT_COLLATERAL_PERIODS })
