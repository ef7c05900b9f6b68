/**
 * What a provider can be asked, in domain values: the gRPC server translates to it and nothing else.
 * Composes intake, deals, holdings and the chain state; decides nothing itself.
 */
import type { NetworkParams } from '@holdfast/chain'
import {
  type Bytes,
  bytes,
  type CallOptions,
  type Clock,
  type CommitUploadResponse,
  DEAL_CHALLENGES,
  type DescribeResponse,
  dealChallenges,
  type GetAnswersRequest,
  type GetAnswersResponse,
  type GetBundleEntriesRequest,
  type GetBundleEntriesResponse,
  type GetBundleRequest,
  type GetBundleResponse,
  type GetDealRequest,
  type GetDealResponse,
  HoldfastError,
  hash32,
  leavesFor,
  type OpenUploadRequest,
  type OpenUploadResponse,
  type ProposeDealRequest,
  type ProposeDealResponse,
  period,
  periods,
  type QuoteRequest,
  type QuoteResponse,
  type Random,
  type RevokeGrantRequest,
  type RevokeGrantResponse,
  type SessionRequest,
  type Signer,
  timestamp,
  toHex,
  type WatchUploadResponse,
} from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import type { BundleDesk } from './bundles/bundle-desk.ts'
import type { Proposals } from './deals/proposals.ts'
import { type QuotePolicy, quoteFor, signQuote } from './deals/quotes.ts'
import { answerDeal } from './duties/proving.ts'
import type { ChainState } from './follow/chain-state.ts'
import type { DealFact } from './follow/facts.ts'
import type { Holdings } from './holdings.ts'
import type { Intake } from './intake/intake.ts'
import type { PromiseBook } from './journal/promise-book.ts'
import type { SectorStore } from './store/sector-store.ts'

export interface ProviderServiceDependencies {
  readonly intake: Intake
  readonly proposals: Proposals
  readonly holdings: Holdings
  readonly bundles: BundleDesk
  readonly book: PromiseBook
  readonly store: Pick<SectorStore, 'usage'>
  readonly state: () => ChainState
  /** Rejects while the ledger opens no deals with this provider, or the journal has no room for them. */
  readonly checkOpen: () => Promise<void>
  readonly network: NetworkParams
  readonly prover: Pick<Prover, 'answer'>
  readonly operator: Signer
  readonly clock: Clock
  readonly random: Random
}

export interface ProviderServiceOptions {
  /** Asked for every call: prices may change while the node runs. */
  readonly policy: () => QuotePolicy
  readonly software: string
  readonly httpEndpoint: string
  readonly partBytesMax: Bytes
}

export class ProviderService {
  readonly #dependencies: ProviderServiceDependencies
  readonly #options: ProviderServiceOptions

  constructor(dependencies: ProviderServiceDependencies, options: ProviderServiceOptions) {
    this.#dependencies = dependencies
    this.#options = options
  }

  async describe(): Promise<DescribeResponse> {
    const { book, store } = this.#dependencies
    const { free: inStore } = await store.usage()
    // Bytes that no promise could be written down for are none to offer.
    const free = book.room.state === 'ok' ? inStore : bytes(0)
    const { software, httpEndpoint, partBytesMax } = this.#options
    const { domain, provider, operator, region, token, payloadBytesMax, ...asked } =
      this.#options.policy()
    const { pricePerTibMonth, provingFeeMonth, egressPerTib } = asked
    const prices = { token, pricePerTibMonth, provingFeeMonth, egressPerTib }
    const limits = { freeBytes: free, payloadBytesMax, partBytesMax }
    const place = { chainId: domain.chainId, market: domain.verifyingContract }
    return { provider, operator, ...place, software, httpEndpoint, region, ...prices, ...limits }
  }

  /** @throws HoldfastError `PROVIDER_STATE`, `DISK_FULL`, `TERMS_INVALID`, `PAYLOAD_TOO_LARGE`. */
  async quote(request: QuoteRequest): Promise<QuoteResponse> {
    await this.#dependencies.checkOpen()
    const { operator, random, clock } = this.#dependencies
    const now = timestamp(Math.floor(clock.now() / 1000))
    const nonce = hash32(toHex(random.bytes(32)))
    const policy = this.#options.policy()
    const quote = quoteFor(policy, { ...request, now, nonce })
    return { quote, signature: await signQuote(operator, quote, policy.domain) }
  }

  openUpload(request: OpenUploadRequest): Promise<OpenUploadResponse> {
    return this.#dependencies.intake.open(request)
  }

  async *watchUpload(
    request: SessionRequest,
    signal: AbortSignal,
  ): AsyncGenerator<WatchUploadResponse> {
    for await (const durable of this.#dependencies.intake.watch(request, signal)) yield { durable }
  }

  commitUpload(request: SessionRequest): Promise<CommitUploadResponse> {
    return this.#dependencies.intake.commit(request)
  }

  async abortUpload(request: SessionRequest): Promise<Readonly<Record<never, never>>> {
    await this.#dependencies.intake.abort(request)
    return {}
  }

  async revokeGrant(request: RevokeGrantRequest): Promise<RevokeGrantResponse> {
    await this.#dependencies.intake.revoke(request)
    return {}
  }

  proposeDeal(request: ProposeDealRequest, options: CallOptions): Promise<ProposeDealResponse> {
    return this.#dependencies.proposals.propose(request, options)
  }

  /** @throws HoldfastError `DEAL_NOT_FOUND`. */
  getDeal({ deal }: GetDealRequest): GetDealResponse {
    const { state, book, holdings } = this.#dependencies
    const fact = state().deal(deal)
    const root = fact?.terms.root ?? book.promises.deals.get(deal)?.proposal.terms.root
    if (root === undefined) throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal })
    const damage = holdings.damageOf(root)
    const fault = damage === undefined ? '' : `leaf ${damage.leaf}: ${damage.what}`
    if (fact === undefined) {
      const none = { provenPeriods: periods(0), lastProvenPeriod: period(0) }
      return { deal, state: 'stored', ...none, fault }
    }
    const proven = state().provenBetween(fact.start, paidEnd(fact))
    return {
      deal,
      state: heldState(fact, damage !== undefined, this.#currentPeriod()),
      provenPeriods: periods(proven.length),
      lastProvenPeriod: proven.at(-1) ?? period(0),
      fault,
    }
  }

  /** @throws HoldfastError `DEAL_NOT_FOUND`, `SEED_MISSING`, `PAYLOAD_CORRUPT`. */
  async getAnswers(
    { deal, period: of }: GetAnswersRequest,
    options: CallOptions,
  ): Promise<GetAnswersResponse> {
    const { state, network } = this.#dependencies
    const fact = state().deal(deal)
    if (fact === undefined) throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal })
    const seed = state().seed(of)
    if (seed === undefined) throw new HoldfastError({ code: 'SEED_MISSING', period: of })
    const { chainId, contracts } = network
    const { provider } = this.#options.policy()
    const context = { chainId, proofs: contracts.proofs, provider, period: of, seed }
    const leaves = leavesFor(fact.terms.length)
    const indices = dealChallenges(context, deal, DEAL_CHALLENGES, leaves)
    const { prover, holdings } = this.#dependencies
    return { answers: await answerDeal({ prover, holdings }, fact.terms, indices, options) }
  }

  /** @throws HoldfastError `BUNDLE_NOT_FOUND`. */
  getBundle({ period: of }: GetBundleRequest, options: CallOptions): Promise<GetBundleResponse> {
    return this.#dependencies.bundles.describe(of, options)
  }

  /** @throws HoldfastError `BUNDLE_NOT_FOUND`, `DEAL_NOT_FOUND`, `RANGE_INVALID`, `RATE_LIMITED`. */
  getBundleEntries(
    request: GetBundleEntriesRequest,
    options: CallOptions,
  ): Promise<GetBundleEntriesResponse> {
    return this.#dependencies.bundles.entries(request, options)
  }

  #currentPeriod(): bigint {
    const { state, network } = this.#dependencies
    const tip = state().cursor
    return tip === undefined ? 0n : (tip.timestamp - network.genesis) / network.period
  }
}

const paidEnd = ({ end, faultedFrom }: DealFact): DealFact['end'] =>
  faultedFrom !== undefined && faultedFrom < end ? faultedFrom : end

const heldState = (fact: DealFact, damaged: boolean, now: bigint): GetDealResponse['state'] => {
  if (fact.closed || now >= fact.end) return 'ended'
  return fact.faultedFrom !== undefined || damaged ? 'faulty' : 'active'
}
