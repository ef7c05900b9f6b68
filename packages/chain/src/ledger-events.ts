/**
 * What happens on the ledger, and the blocks and receipts that it comes in: the part of the ledger
 * port that is only read. Everything is enough to rebuild all state from events alone.
 */
import type {
  Address,
  Amount,
  BundleQuestion,
  DealId,
  DealTerms,
  Hash32,
  Leaves,
  Period,
  ProviderId,
  SlotIndex,
  Timestamp,
} from '@holdfast/protocol'

export interface BlockRef {
  readonly number: bigint
  readonly hash: Hash32
  readonly timestamp: Timestamp
}

export interface AppliedBlock {
  readonly ref: BlockRef
  readonly events: readonly LedgerEvent[]
}

/** `reverted` newest first, `applied` oldest first. */
export interface LedgerUpdate {
  readonly reverted: readonly BlockRef[]
  readonly applied: readonly AppliedBlock[]
}

/** Everything that happens on the ledger. */
export type LedgerEvent =
  | SettlementEvent
  | {
      readonly kind: 'provider-registered'
      readonly provider: ProviderId
      readonly operator: Address
      readonly endpoint: string
    }
  | { readonly kind: 'provider-updated'; readonly provider: ProviderId }
  | { readonly kind: 'stake-changed'; readonly provider: ProviderId; readonly stake: Amount }
  | {
      readonly kind: 'deal-opened'
      readonly deal: DealId
      readonly terms: DealTerms
      readonly slot: SlotIndex
      /** The first period that counts: the one after the opening. */
      readonly start: Period
      /** The first that no longer counts. */
      readonly end: Period
    }
  /**
   * The slot's leaf was replaced; `deal` is undefined when the slot was freed. Root and weight are
   * those of the provider's whole tree after it.
   */
  | {
      readonly kind: 'slot-changed'
      readonly provider: ProviderId
      readonly slot: SlotIndex
      readonly deal: DealId | undefined
      readonly root: Hash32
      readonly weight: Leaves
    }
  /** Unpaid from `period` on. */
  | { readonly kind: 'deal-faulted'; readonly deal: DealId; readonly period: Period }
  /** Its end came nearer: by notice of either side, or by consent. */
  | { readonly kind: 'deal-terminated'; readonly deal: DealId; readonly end: Period }
  | {
      readonly kind: 'deal-settled'
      readonly deal: DealId
      readonly through: Period
      readonly paid: Amount
      readonly fee: Amount
    }
  | {
      readonly kind: 'deal-closed'
      readonly deal: DealId
      /** Rest of the escrow, to the client. */
      readonly refunded: Amount
      /** Collateral to the provider, ... */
      readonly returned: Amount
      /** ... to the client, ... */
      readonly compensation: Amount
      /** ... and to the fee account. */
      readonly forfeited: Amount
    }
  | { readonly kind: 'seed-posted'; readonly period: Period; readonly seed: Hash32 }
  | { readonly kind: 'period-proven'; readonly provider: ProviderId; readonly period: Period }
  | {
      readonly kind: 'deposited'
      readonly owner: Address
      readonly token: Address
      readonly amount: Amount
    }
  | {
      readonly kind: 'withdrawn'
      readonly owner: Address
      readonly token: Address
      readonly amount: Amount
    }
  /** A provider's earnings went to its beneficiary. */
  | {
      readonly kind: 'claimed'
      readonly provider: ProviderId
      readonly beneficiary: Address
      readonly token: Address
      readonly amount: Amount
    }

/** Names a dispute in events: `disputeIdOf` its entry. */
export interface DisputeRef {
  readonly dispute: Hash32
  readonly provider: ProviderId
  readonly period: Period
}

/** Everything that happens in committing, auditing, disputing and ending early. */
export type SettlementEvent =
  /** Marked as proven by the root of its bundle; can be disputed until it is final. */
  | {
      readonly kind: 'period-committed'
      readonly provider: ProviderId
      readonly period: Period
      readonly root: Hash32
    }
  /** A lost dispute or audit took the mark back. */
  | { readonly kind: 'period-unmarked'; readonly provider: ProviderId; readonly period: Period }
  /** Written down as missed: by a report, or by a lost dispute or audit. */
  | { readonly kind: 'period-missed'; readonly provider: ProviderId; readonly period: Period }
  | { readonly kind: 'audit-answered'; readonly provider: ProviderId; readonly period: Period }
  | {
      readonly kind: 'audit-lost'
      readonly provider: ProviderId
      readonly period: Period
      readonly reporter: Address
      /** What left the stake; half of it, rounded down, went to the reporter. */
      readonly slashed: Amount
    }
  | ({
      readonly kind: 'dispute-opened'
      readonly question: BundleQuestion
      readonly opener: Address
      readonly bond: Amount
    } & DisputeRef)
  | ({ readonly kind: 'dispute-answered' } & DisputeRef)
  /** Not answered in time; `period-unmarked` says what became of the mark. */
  | ({
      readonly kind: 'dispute-lost'
      readonly opener: Address
      /** What left the stake; half of it, rounded down, went to the opener, besides its bond. */
      readonly slashed: Amount
    } & DisputeRef)
  /** The chain could not be used for 30 periods: the bond is back, the mark taken, no stake lost. */
  | ({ readonly kind: 'dispute-expired' } & DisputeRef)
  /** A lost dispute showed it: anybody may declare the deal's fault. */
  | { readonly kind: 'deal-shown-lost'; readonly deal: DealId; readonly period: Period }
  /** A slash or its end stopped it: no deal opens until it has stake again and says so. */
  | { readonly kind: 'provider-stopped'; readonly provider: ProviderId }
  /** Fourteen missed periods: it proves nothing any more, and its deals end at `at`. */
  | { readonly kind: 'provider-terminated'; readonly provider: ProviderId; readonly at: Period }
  /** Paid again from `period` on. */
  | {
      readonly kind: 'deal-recovered'
      readonly deal: DealId
      readonly slot: SlotIndex
      readonly period: Period
    }
  | {
      readonly kind: 'deal-topped-up'
      readonly deal: DealId
      readonly amount: Amount
      readonly end: Period
    }

export interface TxReceipt {
  readonly transaction: Hash32
  readonly block: BlockRef
  readonly gasUsed: bigint
  /** What a unit of gas cost, in wei. */
  readonly gasPrice: bigint
  readonly events: readonly LedgerEvent[]
}
