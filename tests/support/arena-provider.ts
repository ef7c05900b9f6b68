/**
 * A provider that is a program of the test: registered, with deals, with every answer at hand, and
 * free to commit to and to show whatever it is told to. The right thing is what it does by itself.
 */

import { type DealMembership, type OpenDealParameters, signingDomain } from '@holdfast/chain'
import type { ProviderPeer } from '@holdfast/client'
import {
  amount,
  attributesOf,
  type ChallengeContext,
  DEAL_CHALLENGES,
  type DealId,
  type DealTerms,
  type DisputedEntry,
  dealChallenges,
  dealIdOf,
  type GetBundleEntriesRequest,
  type GetBundleEntriesResponse,
  globalChallenges,
  type Hash32,
  HoldfastError,
  hash32,
  type Period,
  type ProviderId,
  ProviderTree,
  periods,
  rate,
  type SlotIndex,
  slotIndex,
  timestamp,
  toHex,
  uintBytes,
  ZERO_HASH,
} from '@holdfast/protocol'
import type { Arena, Person } from './arena.ts'
import { Bundle, type Entry, rightEntries } from './bundle.ts'
import { noise } from './corpus.ts'
import { Payload } from './payload.ts'

/** 3.5 base units per second: rounding matters. */
export const RATE = rate(3_500_000_000_001n)
/** 10 test dollars. */
export const STAKE = amount(10_000_000n)
const LEAF = 1024

/** A deal that both have signed; anybody may open it. */
export interface SignedDeal {
  readonly deal: DealId
  readonly payload: Payload
  readonly parameters: OpenDealParameters
}

type Serve = (request: GetBundleEntriesRequest) => Promise<GetBundleEntriesResponse>
/** From the right entries to those that are committed to. */
export type Twist = (entries: readonly Entry[]) => readonly Entry[]

let nonces = 0n

export class ArenaProvider {
  readonly provider: ProviderId
  readonly owner: Person
  readonly operator: Person
  readonly deals: DealId[] = []
  readonly bundles: Map<Period, Bundle> = new Map()
  readonly #arena: Arena
  readonly #tree = new ProviderTree()
  readonly #payloads = new Map<DealId, Payload>()
  readonly #stood = new Map<DealId, DealMembership>()
  /** How it answers who asks for entries; the bundle's own unless set. */
  serve: Serve = async (request) => this.show(request)

  private constructor(arena: Arena, owner: Person, operator: Person) {
    this.#arena = arena
    this.owner = owner
    this.operator = operator
    this.provider = owner.signer.address
  }

  static async register(arena: Arena): Promise<ArenaProvider> {
    const owner = await arena.person(amount(100_000_000n))
    const operator = await arena.person()
    const self = new ArenaProvider(arena, owner, operator)
    const settings = {
      ...{ operator: operator.signer.address, tlsKeyHash: hash32(`0x${'ab'.repeat(32)}`) },
      ...{ endpoint: '127.0.0.1:4701', region: 'eu', token: self.#token, accepting: true },
      ...{ pricePerTibMonth: amount(5_000_000n), provingFeeMonth: amount(20_000n) },
      egressPerTib: amount(0n),
    }
    await owner.ledger.registerProvider(settings, STAKE)
    return self
  }

  get #token() {
    const [token] = this.#arena.network.tokens
    if (token === undefined) throw new Error('a network has a token')
    return token.address
  }

  /** Opens a deal over noise of so many leaves, on its own terms or others. */
  async open(client: Person, leaves = 40, changes: Partial<DealTerms> = {}): Promise<DealId> {
    const signed = await this.sign(client, leaves, changes)
    await this.operator.ledger.openDeal(signed.parameters)
    this.took(signed)
    return signed.deal
  }

  /** Both sign; the deal is not opened. */
  async sign(client: Person, leaves = 40, changes: Partial<DealTerms> = {}): Promise<SignedDeal> {
    const { network } = this.#arena
    nonces += 1n
    const payload = new Payload(noise(leaves * LEAF, Number(nonces)))
    const terms: DealTerms = {
      ...payload.commitment,
      ...{ client: client.signer.address, provider: this.provider, token: this.#token },
      ...{ dataset: ZERO_HASH, rate: RATE, periods: periods(40), deposit: amount(200_000n) },
      ...{ collateral: amount(5_000n), notice: periods(2), replacementCost: amount(1_000n) },
      ...{ egressPrice: amount(0n), attributes: attributesOf('eu'), takedown: ZERO_HASH },
      openBefore: timestamp((await this.#arena.now()) + 100_000n),
      nonce: hash32(toHex(uintBytes(nonces, 32))),
      ...changes,
    }
    const deal = dealIdOf(terms, signingDomain(network))
    const parameters = {
      ...{ terms, path: this.#tree.path(this.#tree.freeSlot()) },
      clientSignature: await client.signer.sign(hash32(deal)),
      providerSignature: await this.operator.signer.sign(hash32(deal)),
    }
    return { deal, payload, parameters }
  }

  /** A signed deal was opened, by whomever: it is in the tree from the next period on. */
  took({ deal, payload, parameters }: SignedDeal): void {
    this.#tree.set(parameters.path.slot, payload.slotLeaf(deal))
    this.#payloads.set(deal, payload)
    this.deals.push(deal)
  }

  /** Declares a deal's fault. Its tree is without it at once: commit to the period before. */
  async lose(deal: DealId): Promise<void> {
    const stood = this.membership(deal)
    await this.operator.ledger.declareFault(deal, stood.path)
    this.#stood.set(deal, stood)
    this.#tree.set(stood.path.slot, undefined)
  }

  /** Where a deal stood when its fault was declared. */
  formerly(deal: DealId): DealMembership {
    const stood = this.#stood.get(deal)
    if (stood === undefined) throw new Error(`deal ${deal} was never faulty`)
    return stood
  }

  /** Shows that a faulty deal's bytes are back, in a period that has its seed. */
  async regain(deal: DealId, of: Period): Promise<void> {
    const payload = this.#payloads.get(deal)
    if (payload === undefined) throw new Error(`no payload for deal ${deal}`)
    const context = await this.context(of)
    const indices = dealChallenges(context, deal, DEAL_CHALLENGES, payload.leaves)
    const path = this.#tree.path(this.#tree.freeSlot())
    const openings = indices.map((index) => payload.open(index))
    await this.operator.ledger.recoverDeal({ deal, path, openings })
    this.#tree.set(path.slot, payload.slotLeaf(deal))
  }

  async context(of: Period): Promise<ChallengeContext> {
    const { chainId, contracts } = this.#arena.network
    const seed = await this.operator.ledger.seed(of)
    if (seed === undefined) throw new Error(`period ${of} has no seed`)
    return { chainId, proofs: contracts.proofs, provider: this.provider, period: of, seed }
  }

  /** Makes the bundle of a period, twisted if that is wished, and keeps it. */
  async build(of: Period, twist: Twist = (entries) => entries): Promise<Bundle> {
    const context = await this.context(of)
    const bundle = new Bundle(context, twist(rightEntries(context, this.#tree, this.#payloads)))
    this.bundles.set(of, bundle)
    return bundle
  }

  async commit(of: Period, twist?: Twist): Promise<Hash32> {
    const { root } = await this.build(of, twist)
    await this.operator.ledger.commitPeriod({ provider: this.provider, period: of, root })
    return root
  }

  /** Commits, and shows what the first period of a provider owes. */
  async commitAudited(of: Period): Promise<void> {
    await this.commit(of)
    const { audit } = await this.operator.ledger.standing(this.provider)
    if (audit !== undefined) await this.showAudit(of)
  }

  /** Proves in direct mode, which is much quicker to make than a bundle. */
  async prove(of: Period): Promise<void> {
    const context = await this.context(of)
    const { directChallenges } = this.#arena.network
    const positions = globalChallenges(context, directChallenges, this.#tree.weight)
    const answers = positions.map((position) => {
      const { slot, leaf, index } = this.#tree.locate(position)
      const answer = this.#payloads.get(leaf.deal)?.answer(leaf.deal, this.#tree.path(slot), index)
      if (answer === undefined) throw new Error(`no payload for deal ${leaf.deal}`)
      return answer
    })
    await this.operator.ledger.provePeriod({ provider: this.provider, period: of, answers })
  }

  async showAudit(of: Period): Promise<void> {
    const { directChallenges } = this.#arena.network
    const openings = Array.from({ length: directChallenges }, (_, i) =>
      this.#bundle(of).opening({ class: 'global', i }),
    )
    await this.operator.ledger.answerAudit({ provider: this.provider, period: of, openings })
  }

  /** Shows the disputed entry on chain, as its bundle has it. */
  async answer(entry: DisputedEntry): Promise<void> {
    const opening = this.#bundle(entry.period).opening(entry.question)
    await this.operator.ledger.answerDispute(entry, opening)
  }

  /** Where a deal stands in its tree, as opening a dispute shows. */
  membership(deal: DealId): DealMembership {
    const slot = this.#slotOf(deal)
    const leaf = this.#tree.get(slot)
    if (leaf === undefined) throw new Error(`slot ${slot} is empty`)
    return { leaf, path: this.#tree.path(slot) }
  }

  #slotOf(deal: DealId): SlotIndex {
    for (let at = 0; at < this.#tree.slots; at++) {
      if (this.#tree.get(slotIndex(at))?.deal === deal) return slotIndex(at)
    }
    throw new Error(`deal ${deal} is in no slot`)
  }

  /** What its bundle holds, whatever that is. */
  show(request: GetBundleEntriesRequest): GetBundleEntriesResponse {
    const bundle = this.bundles.get(request.period)
    if (bundle === undefined) {
      const reason = 'it has none'
      throw new HoldfastError({ code: 'BUNDLE_NOT_FOUND', period: request.period, reason })
    }
    const entries =
      'deal' in request
        ? bundle.ofDeal(request.deal)
        : request.indices.map((index) => bundle.at(index))
    return { entries }
  }

  /** This provider as a client talks to it; only bundles are asked for here. */
  get peer(): ProviderPeer {
    const partial: Pick<ProviderPeer, 'provider' | 'bundleEntries' | 'close'> = {
      provider: this.provider,
      bundleEntries: (request) => this.serve(request),
      close: () => undefined,
    }
    return partial as ProviderPeer
  }

  #bundle(of: Period): Bundle {
    const bundle = this.bundles.get(of)
    if (bundle === undefined) throw new Error(`no bundle of period ${of}`)
    return bundle
  }
}

/** For `serve`: nobody is there. */
export const unreachable: Serve = async () => {
  throw new HoldfastError({ code: 'PEER_UNREACHABLE', peer: 'a provider', reason: 'refused' })
}

/** The last byte of an answer, which belongs to a path, or to the leaf of a payload of one leaf. */
export const spoil = (answer: Uint8Array): Uint8Array => {
  const wrong = answer.slice()
  wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1
  return wrong
}
