/**
 * What a dispute is about, and its name on chain. Source: docs/spec/settlement.md, section 3. Twin:
 * contracts/src/Disputes.sol.
 */
import type { BundleQuestion } from '../bundle/entry.ts'
import { concatBytes, uintBytes } from '../bytes.ts'
import { fromHex, type Hash32, type ProviderId, toHex, ZERO_HASH } from '../ids.ts'
import { keccak } from '../keccak.ts'
import { type Amount, amount, minus, type Period, smaller } from '../units.ts'

/** One entry of one provider's bundle of one period. It can be disputed once. */
export interface DisputedEntry {
  readonly provider: ProviderId
  readonly period: Period
  readonly question: BundleQuestion
}

const WORD = 32

/** keccak(provider 32 ‖ period 32 ‖ class 32 ‖ deal 32 ‖ i 32), every part padded on the left. */
export const disputeIdOf = ({ provider, period, question }: DisputedEntry): Hash32 => {
  const isDeal = question.class === 'deal'
  const words = concatBytes(
    ...[new Uint8Array(WORD - 20), fromHex(provider), uintBytes(period, WORD)],
    ...[uintBytes(isDeal ? 1n : 0n, WORD), fromHex(isDeal ? question.deal : ZERO_HASH)],
    uintBytes(BigInt(question.i), WORD),
  )
  return toHex(keccak(words)) as Hash32
}

/** Where the money of a lost dispute or audit goes. */
export interface SlashSplit {
  /** What leaves the stake: all of it at most. */
  readonly slashed: Amount
  /** Half of it, rounded down, to whoever asked or reported. */
  readonly reward: Amount
  /** The rest, to the fee account. */
  readonly forfeited: Amount
}

export const slashSplit = (stake: Amount, disputeSlash: Amount): SlashSplit => {
  const slashed = smaller(stake, disputeSlash)
  const reward = amount(slashed / 2n)
  return { slashed, reward, forfeited: minus(slashed, reward) }
}
