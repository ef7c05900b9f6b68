/**
 * What the ledger has said that concerns one provider, as small facts under keys: deals, the history
 * of each slot of its tree, seeds, proven and missed periods, disputes, its standing. Facts are plain
 * values; changing one replaces it.
 */
import type { DisputedEntry } from '@holdfast/chain'
import type {
  Address,
  Amount,
  DealId,
  DealTerms,
  Hash32,
  Period,
  SlotIndex,
  Timestamp,
} from '@holdfast/protocol'

export interface DealFact {
  readonly kind: 'deal'
  readonly deal: DealId
  readonly terms: DealTerms
  readonly slot: SlotIndex
  readonly start: Period
  /** By term, funding, notice or consent; `ChainState.endOf` also knows of faults and the provider's end. */
  readonly end: Period
  /** The first unpaid period of a fault that lasts or is not settled yet. */
  readonly faultedFrom: Period | undefined
  /** The first period of the present fault; undefined when the deal is not faulty now. */
  readonly faultySince: Period | undefined
  /** The first period paid again after the last fault. */
  readonly recoveredAt: Period | undefined
  readonly settledThrough: Period
  /** Paid to this provider so far, the fee taken off. */
  readonly earned: Amount
  readonly inTree: boolean
  readonly closed: boolean
}

export interface SlotFact {
  readonly kind: 'slot'
  readonly slot: SlotIndex
  /** Oldest first: what the slot held in the trees of `from` and later periods. */
  readonly history: readonly SlotChange[]
}

export interface SlotChange {
  readonly from: Period
  readonly deal: DealId | undefined
}

export interface SeedFact {
  readonly kind: 'seed'
  readonly period: Period
  readonly seed: Hash32
}

/** A period that is marked as proven. Gone when a lost dispute or audit takes the mark back. */
export interface ProvenFact {
  readonly kind: 'proven'
  readonly period: Period
  /** What was committed to; undefined in direct mode. */
  readonly bundle: Hash32 | undefined
}

/** Written down as missed. */
export interface MissedFact {
  readonly kind: 'missed'
  readonly period: Period
}

export interface DisputeFact extends DisputedEntry {
  readonly kind: 'dispute'
  /** `disputeIdOf` the entry. */
  readonly dispute: Hash32
  readonly opener: Address
  readonly openedAt: Timestamp
  readonly state: 'open' | 'answered' | 'lost' | 'expired'
}

/** The provider's standing with the rules (docs/spec/settlement.md); there is one. */
export interface StandingFact {
  readonly kind: 'standing'
  readonly stake: Amount
  /** The newest period that was marked, even if the mark was taken back. */
  readonly newest: Period | undefined
  /** It was shown on chain already, or nothing of it is owed any more. */
  readonly newestShown: boolean
  /** It has to be shown whatever the next seed says: no marked one before it, or a fault. */
  readonly newestForced: boolean
  /** The next commit has to be shown. */
  readonly auditNext: boolean
  /** A slash or its end stopped it: no deal opens. */
  readonly stopped: boolean
  readonly terminatedAt: Period | undefined
}

export type Fact =
  | DealFact
  | SlotFact
  | SeedFact
  | ProvenFact
  | MissedFact
  | DisputeFact
  | StandingFact

const padded = (value: bigint): string => value.toString().padStart(20, '0')

export const dealKey = (deal: DealId): string => `deal/${deal}`
export const slotKey = (slot: SlotIndex): string => `slot/${padded(slot)}`
export const seedKey = (period: Period): string => `seed/${padded(period)}`
export const provenKey = (period: Period): string => `proven/${padded(period)}`
export const missedKey = (period: Period): string => `missed/${padded(period)}`
export const STANDING_KEY = 'standing'

export const disputeKey = (of: { readonly dispute: Hash32 }): string => `dispute/${of.dispute}`

export const keyOf = (fact: Fact): string => {
  switch (fact.kind) {
    case 'deal':
      return dealKey(fact.deal)
    case 'slot':
      return slotKey(fact.slot)
    case 'seed':
      return seedKey(fact.period)
    case 'proven':
      return provenKey(fact.period)
    case 'missed':
      return missedKey(fact.period)
    case 'dispute':
      return disputeKey(fact)
    case 'standing':
      return STANDING_KEY
  }
}
