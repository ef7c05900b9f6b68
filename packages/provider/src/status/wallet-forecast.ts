/**
 * How long the operator's account lasts: what it spent lately, carried on. Pure.
 */
import type { Timestamp } from '@holdfast/protocol'
import type { GasEntry, Wei } from '../earnings/account-types.ts'

export interface WalletForecast {
  /** Wei per day at the pace of the last transactions; undefined while too little is known. */
  readonly perDay: Wei | undefined
  /** Whole days that the balance lasts at that pace. */
  readonly daysLeft: bigint | undefined
  /** How many more proofs like the last ones it pays for. */
  readonly proofsLeft: bigint | undefined
}

const DAY = 86_400n
/** Fewer transactions say nothing about a pace. */
const ENTRIES_MIN = 4

/** @param entries oldest first. */
export const walletForecast = (
  balance: Wei,
  entries: readonly GasEntry[],
  now: Timestamp,
): WalletForecast => {
  const proofs = entries.filter(({ kind }) => kind === 'prove').slice(-20)
  const proofSum = proofs.reduce((sum, { wei }) => sum + wei, 0n)
  const proofsLeft = proofSum === 0n ? undefined : (balance * BigInt(proofs.length)) / proofSum
  const [first] = entries
  if (first === undefined || entries.length < ENTRIES_MIN || now <= first.at) {
    return { perDay: undefined, daysLeft: undefined, proofsLeft }
  }
  const spent = entries.reduce((sum, { wei }) => sum + wei, 0n)
  const perDay = (spent * DAY) / (now - first.at)
  return { perDay, daysLeft: perDay === 0n ? undefined : balance / perDay, proofsLeft }
}
