/**
 * What the ledger has said that concerns one provider, as small facts under keys: deals, the history
 * of each slot of its tree, seeds, proven periods. Facts are plain values; changing one replaces it.
 */
import type { Amount, DealId, DealTerms, Hash32, Period, SlotIndex } from '@holdfast/protocol'

export interface DealFact {
  readonly kind: 'deal'
  readonly deal: DealId
  readonly terms: DealTerms
  readonly slot: SlotIndex
  readonly start: Period
  readonly end: Period
  /** The first unpaid period, once a fault was declared. */
  readonly faultedFrom: Period | undefined
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

export interface ProvenFact {
  readonly kind: 'proven'
  readonly period: Period
}

export type Fact = DealFact | SlotFact | SeedFact | ProvenFact

const padded = (value: bigint): string => value.toString().padStart(20, '0')

export const dealKey = (deal: DealId): string => `deal/${deal}`
export const slotKey = (slot: SlotIndex): string => `slot/${padded(slot)}`
export const seedKey = (period: Period): string => `seed/${padded(period)}`
export const provenKey = (period: Period): string => `proven/${padded(period)}`
