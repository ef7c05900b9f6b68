/**
 * What the publisher signs: vouchers and deal terms, built from a checked offer and nothing else.
 * Default deposit is the whole term's cost, so a deal never runs dry and the bill is known in full.
 */
import type { NetworkParams } from '@holdfast/chain'
import { signingDomain } from '@holdfast/chain'
import {
  type Commitment,
  type DealTerms,
  dealIdOf,
  type Hash32,
  HoldfastError,
  hash32,
  type OpenUploadRequest,
  type ProposeDealRequest,
  type Random,
  type Signer,
  smaller,
  type Timestamp,
  timestamp,
  toHex,
  type UploadVoucher,
  voucherDigest,
  ZERO_HASH,
} from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import type { Offer } from './offers.ts'
import type { SessionKey } from './session-key.ts'

/** Clocks of chain and machine may differ by this much. */
const CLOCK_SLACK = 300n
/** A voucher outlives slow uploads; a fresh one is made when it has run out. */
const VOUCHER_SECONDS = 86_400n
/** A proposal that was not opened by then is void: another may take its place. */
const PROPOSAL_SECONDS = 600n

export interface SigningContext {
  readonly network: NetworkParams
  readonly signer: Signer
  readonly random: Random
  readonly now: Timestamp
  /** Signs vouchers in the signer's name. */
  readonly session?: SessionKey
}

/**
 * The digest under which the ledger files a dataset: the 32 bytes inside its root CID.
 * @throws HoldfastError `USAGE` for a CID whose digest has another length.
 */
export const datasetDigest = (root: CID): Hash32 => {
  const { digest } = root.multihash
  if (digest.length !== 32) {
    const reason = `CID ${root.toString()} has no digest of 32 bytes`
    throw new HoldfastError({ code: 'USAGE', reason })
  }
  return hash32(toHex(digest))
}

const nonce = (random: Random): Hash32 => hash32(toHex(random.bytes(32)))

/** A voucher of the context's signer, or in its name by a session key that it granted. */
export const signVoucher = async (
  { record }: Pick<Offer, 'record'>,
  commitment: Commitment,
  { network, signer, random, now, session }: SigningContext,
): Promise<OpenUploadRequest> => {
  const voucher: UploadVoucher = {
    ...commitment,
    payer: signer.address,
    provider: record.provider,
    tlsKeyHash: record.tlsKeyHash,
    notBefore: timestamp(now > CLOCK_SLACK ? now - CLOCK_SLACK : 0n),
    expiry: voucherExpiry(now, session),
    nonce: nonce(random),
  }
  const digest = voucherDigest(voucher, signingDomain(network))
  if (session === undefined) return { voucher, signature: await signer.sign(digest) }
  return { voucher, signature: await session.signer.sign(digest), grant: session.grant }
}

/** Never after the grant that it stands on. */
const voucherExpiry = (now: Timestamp, session: SessionKey | undefined): Timestamp => {
  const expiry = timestamp(now + VOUCHER_SECONDS)
  return session === undefined ? expiry : smaller(expiry, session.grant.grant.expiry)
}

export const signTerms = async (
  offer: Offer,
  payload: { readonly commitment: Commitment; readonly dataset: Hash32 },
  { network, signer, random, now }: SigningContext,
): Promise<ProposeDealRequest> => {
  const { quote, signature: quoteSignature } = offer.response
  const terms: DealTerms = {
    ...payload.commitment,
    client: signer.address,
    provider: quote.provider,
    token: quote.token,
    dataset: payload.dataset,
    rate: quote.rate,
    periods: quote.periods,
    deposit: offer.cost,
    collateral: quote.collateral,
    notice: quote.notice,
    replacementCost: quote.collateral,
    egressPrice: quote.egressPrice,
    attributes: quote.attributes,
    takedown: ZERO_HASH,
    openBefore: timestamp(now + PROPOSAL_SECONDS),
    nonce: nonce(random),
  }
  const clientSignature = await signer.sign(hash32(dealIdOf(terms, signingDomain(network))))
  return { terms, clientSignature, quote, quoteSignature }
}
