/**
 * What a watch remembers, as values: what it has seen of which entries, the disputes it opened, the gas
 * it set aside or spent. How they are kept is for `watch-book.ts`.
 */
import type { Amount, BundleQuestion, DealId, DisputedEntry, Hash32 } from '@holdfast/protocol'
import type { GasEntry } from './budget.ts'
import type { Subject } from './watch-events.ts'

/** The newest look at one deal's entries of one period, or at a provider's global ones. */
export interface CheckEntry extends Subject {
  /** What was committed then; another root is another thing to check. */
  readonly root: Hash32
  readonly state: 'shown' | 'wrong' | 'silent'
  /** Looks in a row with this state. */
  readonly looks: number
  /** The first challenges that were not shown, at most `MISSING_KEPT`; none when it was silent. */
  readonly missing: readonly number[]
}

export type DisputeState = 'opening' | 'open' | 'answered' | 'lost' | 'expired' | 'dropped'

export interface DisputeEntry extends Subject {
  readonly dispute: Hash32
  readonly challenge: number
  readonly bond: Amount
  readonly state: DisputeState
  /** Block time of the attempt, for `opening`. */
  readonly since: bigint
  /** The deal's fault has been declared, or cannot be. */
  readonly declared: boolean
}

/** A dispute as the ledger names it. */
export const entryOf = ({ provider, period, deal, challenge }: DisputeEntry): DisputedEntry => ({
  provider,
  period,
  question: questionOf(deal, challenge),
})

/** What is asked of a deal's entries, or of the global ones. */
export const questionOf = (deal: DealId | null, i: number): BundleQuestion =>
  deal === null ? { class: 'global', i } : { class: 'deal', deal, i }

export const subjectOf = ({ deal, provider, period }: DisputeEntry): Subject => ({
  deal,
  provider,
  period,
})

export interface WatchNotes {
  readonly checks: ReadonlyMap<string, CheckEntry>
  readonly disputes: ReadonlyMap<Hash32, DisputeEntry>
  /** By a name that tells what the gas was for. */
  readonly gas: ReadonlyMap<string, GasEntry>
}
