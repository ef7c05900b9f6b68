/**
 * What a watch does about what it has seen: pure. When a deal's period has to be looked at, when what
 * was seen is worth a dispute, and when a dispute's time is over.
 */
import type { Deal, NetworkParams } from '@holdfast/chain'
import {
  disputesUntil,
  type Hash32,
  type Period,
  period,
  periodAt,
  periodDeadline,
  RING_PERIODS,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import type { CheckEntry } from './watch-notes.ts'

/** Entries that do not check out are fetched once more before money is staked on it. */
const LOOKS_BEFORE_DISPUTE = 2

/**
 * The periods whose bundle can still be disputed and whose tree held the deal, oldest first. Whether
 * they are committed is for the ledger to say.
 */
export const periodsToCheck = (
  network: NetworkParams,
  { start, end, state, faultedFrom, recoveredAt }: Deal,
  now: Timestamp,
): readonly Period[] => {
  if (state === 'closed' || now < network.genesis) return []
  const current = periodAt(network, now)
  const ring = BigInt(RING_PERIODS)
  const oldest = current >= ring ? current - ring + 1n : 0n
  const found: Period[] = []
  for (let at = start > oldest ? start : oldest; at <= current && at < end; at++) {
    const of = period(at)
    const isFaulty =
      faultedFrom !== undefined &&
      of >= faultedFrom &&
      (recoveredAt === undefined || of < recoveredAt)
    if (!isFaulty && now <= disputesUntil(network, of)) found.push(of)
  }
  return found
}

/** Whether a committed period has to be looked at (again). */
export const needsLook = (known: CheckEntry | undefined, root: Hash32): boolean =>
  known === undefined || known.root !== root || known.state !== 'shown'

/** What is known after one more look. */
export const afterLook = (
  known: CheckEntry | undefined,
  seen: Omit<CheckEntry, 'looks'>,
): CheckEntry => {
  const same = known !== undefined && known.root === seen.root && known.state === seen.state
  return { ...seen, looks: same ? known.looks + 1 : 1 }
}

/** Silence is borne until half of the time in which the period can be disputed is over. */
export const patienceEnds = (network: NetworkParams, of: Period): Timestamp => {
  const deadline = periodDeadline(network, of)
  return timestamp(deadline + (disputesUntil(network, of) - deadline) / 2n)
}

/** Whether a look is reason for a dispute. */
export const isWorthDispute = (
  network: NetworkParams,
  { state, looks, period: of }: CheckEntry,
  now: Timestamp,
): boolean => {
  if (now > disputesUntil(network, of)) return false
  if (state === 'wrong') return looks >= LOOKS_BEFORE_DISPUTE
  return state === 'silent' && now >= patienceEnds(network, of)
}

/** Block time between two looks when nothing happens: an eighth of the window, at most a minute. */
export const lookEvery = ({ window }: NetworkParams): bigint => {
  const eighth = window / 8n
  if (eighth < 1n) return 1n
  return eighth < 60n ? eighth : 60n
}
