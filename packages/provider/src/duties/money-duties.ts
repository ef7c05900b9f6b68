/** When proven time is turned into money: by count, or when it is worth the gas. Pure. */
import { larger, type Period, period, type Seconds, smaller } from '@holdfast/protocol'
import type { ChainState } from '../follow/chain-state.ts'
import type { DealFact } from '../follow/facts.ts'
import type { Duty } from './duty.ts'

/** What settling one deal takes in a batch, its share of the transaction's own cost included. */
const SETTLE_GAS = 18_000n
/** Waiting for so many times the usual count, all of the pay may go into gas, and no more. */
const LONG_WAIT = 8n
/** `Rate` is scaled by this. */
const RATE_SCALE = 10n ** 12n

/** What a period's pay is worth in gas. */
export interface GasWorth {
  /** The last price of gas, in wei; undefined while none is known. */
  readonly gasPrice: () => bigint | undefined
  /** What a whole token is worth, in wei: the operator's own opinion. */
  readonly weiPerToken: bigint
  /** Base units of a whole token. */
  readonly tokenUnit: bigint
  /** Settled when the gas is at most this share of the pay, in hundredths. */
  readonly percentMax: number
}

export interface SettlePolicy {
  readonly schedule: { readonly period: Seconds }
  /** Settle a deal when it has this many proven and final, unsettled periods. At least 1. */
  readonly settleEvery: number
  /** Deals in one settling transaction. */
  readonly settleBatchMax: number
  /** With it, count and worth must both be reached. */
  readonly gasWorth?: GasWorth | undefined
}

/** In batches. */
export const settleDuties = (
  due: readonly DealFact[],
  { settleBatchMax }: SettlePolicy,
): readonly Duty[] => {
  const duties: Duty[] = []
  for (let at = 0; at < due.length; at += settleBatchMax) {
    const deals = due.slice(at, at + settleBatchMax).map(({ deal }) => deal)
    duties.push({ kind: 'settle', deals })
  }
  return duties
}

/** Whether enough proven, final, unsettled periods wait. */
export const isWorthSettling = (
  deal: DealFact,
  { state }: { readonly state: ChainState },
  final: Period,
  policy: SettlePolicy,
): boolean => {
  const waiting = paidPeriods(deal, state, final)
  return waiting >= BigInt(policy.settleEvery) && isWorthGas(deal, waiting, policy)
}

/** Proven periods that the next settlement would pay. */
const paidPeriods = (deal: DealFact, state: ChainState, final: Period): bigint => {
  const { settledThrough, faultedFrom, recoveredAt } = deal
  const to = larger(smaller(state.endOf(deal).end, final), settledThrough)
  const count = (from: Period, until: Period): bigint =>
    BigInt(state.provenBetween(larger(from, settledThrough), smaller(until, to)).length)
  if (faultedFrom === undefined) return count(settledThrough, to)
  const after = recoveredAt === undefined ? 0n : count(recoveredAt, to)
  return count(settledThrough, period(faultedFrom)) + after
}

const isWorthGas = (
  { terms }: DealFact,
  periods: bigint,
  { gasWorth, schedule, settleEvery }: SettlePolicy,
): boolean => {
  const price = gasWorth?.gasPrice()
  if (gasWorth === undefined || price === undefined) return true
  const pay = (terms.rate * schedule.period * periods) / RATE_SCALE
  const worth = (pay * gasWorth.weiPerToken) / gasWorth.tokenUnit
  const hasWaited = periods >= BigInt(settleEvery) * LONG_WAIT
  return SETTLE_GAS * price * 100n <= worth * (hasWaited ? 100n : BigInt(gasWorth.percentMax))
}
