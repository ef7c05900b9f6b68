/**
 * What a watch may spend, and what is left of it: pure arithmetic over what was done. Both figures
 * count per block of 30 periods, the block in which free misses are counted too.
 *
 * Invariants: gas that was set aside counts in full until its transaction is settled, so a crash can
 * only make the budget look smaller; a bond counts while it is at stake and, once an answer took it,
 * to the end of its block. Nothing is set aside that is not left.
 */
import { type Amount, amount, MISS_BLOCK, type Period } from '@holdfast/protocol'

export interface WatchBudget {
  /** Native coin for gas, in wei, per block of 30 periods. */
  readonly gas: bigint
  /** Bonds at stake or lost, in base units of the first token, per block of 30 periods. */
  readonly bonds: Amount
}

/** Gas of one transaction: set aside before it is sent, and what it came to. */
export interface GasEntry {
  readonly period: Period
  /** The most it may cost, in wei; what it has cost once `settled`. */
  readonly wei: bigint
  readonly settled: boolean
}

export interface BondEntry {
  readonly period: Period
  readonly bond: Amount
  /** `open`: at stake; `lost`: an answer took it; `returned`: it came back. */
  readonly state: 'open' | 'lost' | 'returned'
}

/** The block of 30 periods that a period belongs to. */
export const budgetBlock = (of: Period): bigint => of / MISS_BLOCK

/** One transaction may cost this share of the gas of a block, so that no price spike takes it all. */
const SHARE = 10n

/** The most that one transaction may cost. */
export const gasAllowance = ({ gas }: WatchBudget): bigint => gas / SHARE

/** Wei that may still be set aside in the block of `now`; what is not settled counts in any block. */
export const gasLeft = ({ gas }: WatchBudget, entries: Iterable<GasEntry>, now: Period): bigint => {
  let left = gas
  for (const { period, wei, settled } of entries) {
    if (!settled || budgetBlock(period) === budgetBlock(now)) left -= wei
  }
  return left > 0n ? left : 0n
}

/** Base units that may still be put at stake in the block of `now`. */
export const bondsLeft = (
  { bonds }: WatchBudget,
  entries: Iterable<BondEntry>,
  now: Period,
): Amount => {
  let left: bigint = bonds
  for (const { period, bond, state } of entries) {
    if (state === 'open' || (state === 'lost' && budgetBlock(period) === budgetBlock(now))) {
      left -= bond
    }
  }
  return amount(left > 0n ? left : 0n)
}

/** Why one more dispute cannot be paid for, or undefined when it can: its gas, and that of the claim. */
export const cannotAfford = (
  budget: WatchBudget,
  left: { readonly gas: bigint; readonly bonds: Amount },
  bond: Amount,
): string | undefined => {
  const needed = 2n * gasAllowance(budget)
  if (needed === 0n || left.gas < needed) {
    return `the gas budget has ${left.gas} wei left, a dispute and its claim may take ${needed}`
  }
  if (left.bonds < bond) return `the bond budget has ${left.bonds} left, the bond is ${bond}`
  return undefined
}
