/** What the steps of a publish run share. */
import type { ClientLedger, TokenInfo } from '@holdfast/chain'
import type { Amount, HoldfastError, ProviderId } from '@holdfast/protocol'
import type { Offer, OfferRequest } from './offers.ts'
import type { PeerPool } from './peers.ts'
import type { ReplicaContext } from './replica.ts'

/** What is shown before anything is sent. */
export interface Bill {
  readonly token: TokenInfo
  readonly total: Amount
  readonly offers: readonly Offer[]
}

export interface ReplicaFailure {
  readonly provider: ProviderId
  readonly error: HoldfastError
}

export interface PublishJob {
  readonly ledger: ClientLedger
  readonly context: ReplicaContext
  readonly peers: PeerPool
  readonly wanted: number
  readonly offerRequest: OfferRequest
  /** Offers of a plan; else providers are asked. */
  readonly offers: readonly Offer[] | undefined
  readonly approve: ((bill: Bill) => Promise<boolean>) | undefined
}
