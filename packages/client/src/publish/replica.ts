/**
 * One replica, from offer to open deal. Each step is skipped when the record or the ledger shows it
 * done, and written down before the next one relies on it; so the same function starts and resumes.
 */
import type { Deal, LedgerReader, NetworkParams, ProviderRecord } from '@holdfast/chain'
import { signingDomain } from '@holdfast/chain'
import {
  type Bytes,
  type CallOptions,
  type Clock,
  type Commitment,
  type CommitUploadResponse,
  checkSigner,
  type DealId,
  dealIdOf,
  type Hash32,
  HoldfastError,
  hash32,
  milliseconds,
  type OpenUploadRequest,
  type ProposeDealRequest,
  type Random,
  receiptDigest,
  type SessionGrant,
  type Signer,
  type Timestamp,
} from '@holdfast/protocol'
import type { ProviderPeer } from '../transfer/provider-peer.ts'
import { withRetry } from '../transfer/retry.ts'
import type { Progress } from '../ui/progress.ts'
import type { Offer } from './offers.ts'
import type { ReplicaBook } from './record.ts'
import type { SessionKey } from './session-key.ts'
import { type SigningContext, signTerms, signVoucher } from './terms.ts'
import { type PayloadFile, uploadPayload } from './upload.ts'

export interface ReplicaContext {
  readonly ledger: LedgerReader
  readonly signer: Signer
  readonly clock: Clock
  readonly random: Random
  readonly record: ReplicaBook
  readonly progress: Progress
  /** The packed payload. */
  readonly payload: PayloadFile
  readonly commitment: Commitment
  readonly dataset: Hash32
  readonly onBytes: (count: Bytes) => void
  /** The later of block time and wall time. */
  readonly now: () => Promise<Timestamp>
  /** The key that signs this run's vouchers; the account signs one grant for it, when it is needed. */
  readonly sessionKey: () => Promise<SessionKey>
  /** True for grants that were taken back: their vouchers open nothing any more. */
  readonly isRevoked?: (grant: SessionGrant) => boolean
}

const PROPOSE_TRIES = 4
/** The ledger shows a mined deal at once; nodes behind a balancer may lag. */
const SEEN_TRIES = 120
const SEEN_PAUSE_MS = 500

/** Stores the payload at the offer's provider and returns the open deal. */
export const storeReplica = async (
  context: ReplicaContext,
  peer: ProviderPeer,
  offer: Offer,
  options: CallOptions = {},
): Promise<Deal> => {
  const { record, progress } = context
  const { provider } = offer.record
  const { request, receipt } = await upload(context, peer, offer, options)
  checkReceipt(receipt, request, { offer, network: context.ledger.network })
  await record.save({ ...record.replica(provider), receipt })
  progress.step(`${provider} holds the payload durably`)
  const payload = { commitment: context.commitment, dataset: context.dataset }
  const proposal = await signTerms(offer, payload, await signing(context))
  await record.save({ ...record.replica(provider), proposal })
  return propose(context, { peer, operator: offer.record.operator }, proposal, options)
}

/** A voucher that was used up in a run we know nothing of is replaced once. */
const upload = async (
  context: ReplicaContext,
  peer: ProviderPeer,
  offer: Offer,
  options: CallOptions,
): Promise<{ readonly request: OpenUploadRequest; readonly receipt: CommitUploadResponse }> => {
  const request = await voucherFor(context, offer)
  try {
    return { request, receipt: await uploadPayload({ ...context, peer, request }, options) }
  } catch (error) {
    const spent =
      HoldfastError.is(error, 'VOUCHER_REPLAYED') || HoldfastError.is(error, 'VOUCHER_EXPIRED')
    if (!spent) throw error
    await context.record.forget(offer.record.provider)
    const fresh = await voucherFor(context, offer)
    const receipt = await uploadPayload({ ...context, peer, request: fresh }, options)
    return { request: fresh, receipt }
  }
}

/** Sends signed terms (again) and waits until the ledger shows the deal. Harmless when it is open. */
export const propose = async (
  context: ReplicaContext,
  to: { readonly peer: ProviderPeer; readonly operator: ProviderRecord['operator'] },
  proposal: ProposeDealRequest,
  options: CallOptions = {},
): Promise<Deal> => {
  const { clock, ledger, progress } = context
  const id = dealIdOf(proposal.terms, signingDomain(ledger.network))
  const known = await ledger.deal(id, options)
  if (known !== undefined) return known
  progress.step(`proposing the deal to ${to.peer.provider}`)
  const retry = { clock, tries: PROPOSE_TRIES, ...options }
  const response = await withRetry(retry, () => to.peer.proposeDeal(proposal, options))
  if (response.deal !== id) {
    const reason = `it answered for deal ${response.deal} instead of ${id}`
    throw new HoldfastError({ code: 'PEER_MISBEHAVED', peer: to.peer.provider, reason })
  }
  const signature = response.providerSignature
  checkSigner({ digest: hash32(id), signature, expected: to.operator })
  return waitForDeal(context, id, options)
}

const waitForDeal = async (
  { ledger, clock }: ReplicaContext,
  id: DealId,
  options: CallOptions,
): Promise<Deal> => {
  for (let attempt = 0; attempt < SEEN_TRIES; attempt++) {
    const deal = await ledger.deal(id, options)
    if (deal !== undefined) return deal
    await clock.sleep(milliseconds(SEEN_PAUSE_MS), options)
  }
  const afterMs = SEEN_TRIES * SEEN_PAUSE_MS
  throw new HoldfastError({ code: 'TIMED_OUT', what: `deal ${id} on the ledger`, afterMs })
}

/** The voucher of an interrupted upload reopens its session; one that ran out is replaced. */
const voucherFor = async (context: ReplicaContext, offer: Offer): Promise<OpenUploadRequest> => {
  const { record, commitment } = context
  const { provider, tlsKeyHash } = offer.record
  const kept = record.replica(provider)
  const now = await context.now()
  const old = kept.upload?.voucher
  const grant = kept.upload?.grant?.grant
  const isRevoked = grant !== undefined && context.isRevoked?.(grant) === true
  const lasts = old !== undefined && old.expiry > now + 60n
  const usable = lasts && old.tlsKeyHash === tlsKeyHash && !isRevoked
  if (kept.upload !== undefined && usable) return kept.upload
  const session = await context.sessionKey()
  const upload = await signVoucher(offer, commitment, { ...(await signing(context)), session })
  await record.save({ provider, offer: offer.response, upload })
  return upload
}

const signing = async (context: ReplicaContext): Promise<SigningContext> => ({
  network: context.ledger.network,
  signer: context.signer,
  random: context.random,
  now: await context.now(),
})

/** @throws HoldfastError `SIGNATURE_INVALID`, `PEER_MISBEHAVED`. */
const checkReceipt = (
  { receipt, signature }: CommitUploadResponse,
  { voucher }: OpenUploadRequest,
  { offer, network }: { readonly offer: Offer; readonly network: NetworkParams },
): void => {
  const digest = receiptDigest(receipt, signingDomain(network))
  checkSigner({ digest, signature, expected: offer.record.operator })
  const same =
    receipt.provider === voucher.provider &&
    receipt.payer === voucher.payer &&
    receipt.scheme === voucher.scheme &&
    receipt.root === voucher.root &&
    receipt.length === voucher.length &&
    receipt.voucherNonce === voucher.nonce
  if (!same) {
    const reason = 'its receipt is for another upload'
    throw new HoldfastError({ code: 'PEER_MISBEHAVED', peer: voucher.provider, reason })
  }
}
