/**
 * What the parties sign: deal terms, quotes, upload vouchers and durability receipts, as domain
 * values. Their EIP-712 forms are in `eip712.ts`; the wire forms in `../wire`.
 */
import type { Address, Hash32, ProviderId, Root, SchemeId } from '../ids.ts'
import type { Amount, Bytes, Periods, Rate, Timestamp } from '../units.ts'

/** What a payload is committed as. */
export interface Commitment {
  readonly scheme: SchemeId
  readonly root: Root
  /** True length in bytes; leaves = ceil(length / 1024). */
  readonly length: Bytes
}

/** Terms of one deal, signed by client and operator. The deal's id is their EIP-712 digest. */
export interface DealTerms extends Commitment {
  readonly client: Address
  readonly provider: ProviderId
  readonly token: Address
  /** SHA-256 digest inside the dataset's root CID, so that anybody can find its replicas; zero when private. */
  readonly dataset: Hash32
  readonly rate: Rate
  /** The term, in whole periods, counted from the period after the one in which the deal opens. */
  readonly periods: Periods
  /** Moved from the client's vault balance into escrow at opening. */
  readonly deposit: Amount
  /** Locked from the provider's vault balance at opening. */
  readonly collateral: Amount
  /** The client may end the deal this many periods after saying so. */
  readonly notice: Periods
  /** The most the client is compensated when the bytes are lost. */
  readonly replacementCost: Amount
  /** Price of 2^40 bytes read. */
  readonly egressPrice: Amount
  /** Hash of the provider attributes that the client requires (region); zero for none. */
  readonly attributes: Hash32
  /** Hash of the accepted takedown signers; zero for none. */
  readonly takedown: Hash32
  /** Block time after which the deal can no longer be opened. */
  readonly openBefore: Timestamp
  readonly nonce: Hash32
}

/** A provider's signed offer for one payload. The deal must carry exactly these figures. */
export interface Quote {
  readonly provider: ProviderId
  readonly token: Address
  readonly length: Bytes
  readonly periods: Periods
  readonly rate: Rate
  readonly collateral: Amount
  readonly notice: Periods
  readonly egressPrice: Amount
  readonly attributes: Hash32
  readonly expiry: Timestamp
  readonly nonce: Hash32
}

/** Authority to upload one payload to one provider, once. Signed by the payer. */
export interface UploadVoucher extends Commitment {
  readonly payer: Address
  readonly provider: ProviderId
  readonly tlsKeyHash: Hash32
  readonly notBefore: Timestamp
  readonly expiry: Timestamp
  readonly nonce: Hash32
}

/** What a grant may allow; anything else is refused. */
export const GRANT_UPLOAD = 1

/** A payer's word that another key may sign vouchers in its name, within bounds. */
export interface SessionGrant {
  readonly payer: Address
  /** The session key. */
  readonly key: Address
  /** The one provider that it is for; zero for any. */
  readonly provider: Address
  /** A sum of actions: `GRANT_UPLOAD`. */
  readonly actions: number
  /** All payloads under it together, at each provider. At least 1. */
  readonly bytesMax: Bytes
  readonly notBefore: Timestamp
  readonly expiry: Timestamp
  /** With the payer, the grant's name. */
  readonly nonce: Hash32
}

/** A payer's word that a grant of its own counts no more. */
export interface GrantRevocation {
  readonly payer: Address
  /** Of the grant. */
  readonly nonce: Hash32
  /** Of the grant: nobody need remember this longer. */
  readonly expiry: Timestamp
}

/** The operator's word that the payload is on disk and will survive power loss. */
export interface StorageReceipt extends Commitment {
  readonly provider: ProviderId
  readonly payer: Address
  readonly voucherNonce: Hash32
  readonly storedAt: Timestamp
}

/** Binds signatures to one network. */
export interface SigningDomain {
  readonly chainId: bigint
  /** The DealMarket. */
  readonly verifyingContract: Address
}
