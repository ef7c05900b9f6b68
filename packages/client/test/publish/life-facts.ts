/** What a life of a deal is told with, and what it leaves behind. */
import type { Deal, Ledger, LedgerEvent, NetworkParams } from '@holdfast/chain'
import type { Amount, DealTerms, Period, Random, Signer, Timestamp } from '@holdfast/protocol'
import type { Offer } from '../../src/publish/offers.ts'

/** What a life needs of a chain; time goes forward when told. */
export interface LifeChain {
  readonly network: NetworkParams
  time(): Promise<Timestamp>
  /** A funded account's ledger. */
  ledger(signer: Signer): Promise<Ledger>
  /** The next block is at `at` or just after; mines one. */
  enter(at: Timestamp): Promise<void>
  postSeed(of: Period): Promise<void>
}

export type Act =
  | ('none' | 'top-up' | 'fault' | 'recover' | 'terminate' | 'resign' | 'consent')
  /** Somebody ends the provider for fourteen misses; declares a deal lost that a dispute has shown so. */
  | ('end' | 'declare')
  /** A month without seeds. */
  | 'void'

export interface Day {
  readonly seed: boolean
  readonly prove: boolean
  /** Shown at once, committed to, or committed to what cannot be shown. */
  readonly mode: 'direct' | 'commit' | 'lie'
  /** Which entry the publisher disputes, if it does. */
  readonly ask: number | undefined
  /** The provider shows what it is asked for; the publisher has ended what it does not show. */
  readonly show: boolean
  readonly slash: boolean
  readonly report: boolean
  readonly settle: boolean
  readonly act: Act
}

export interface LifePlan {
  readonly price: bigint
  readonly provingFee: bigint
  readonly length: number
  readonly periods: number
  readonly notice: number
  readonly collateralPeriods: number
  /** Percent of the term's cost that is deposited at first; at least what notice takes. */
  readonly share: number
  readonly days: readonly Day[]
}

export interface People {
  readonly publisher: Signer
  readonly owner: Signer
  readonly operator: Signer
  readonly random: Random
}

/** What happened to one deal, and to the money of everybody. */
export interface LifeReport {
  readonly terms: DealTerms
  readonly offer: Offer
  readonly deal: Deal
  readonly added: Amount
  readonly events: readonly LedgerEvent[]
  /** Settlements: how many events were before, and the first period that was not final. */
  readonly settlements: readonly { readonly after: number; readonly final: Period }[]
  /** Periods whose audit expired: nothing could be shown, for want of seeds. */
  readonly expired: ReadonlySet<Period>
  readonly gained: {
    readonly publisher: bigint
    readonly owner: bigint
    readonly fees: bigint
    /** What is left of the stake, less what it was. */
    readonly stake: bigint
  }
}
