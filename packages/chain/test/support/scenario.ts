/**
 * A publisher and a provider on the harness under test, with the provider's payloads and tree as a
 * real provider would keep them: the suites speak in its words.
 */
import {
  type Address,
  type Amount,
  amount,
  attributesOf,
  type ChallengeContext,
  DEAL_CHALLENGES,
  type DealId,
  type DealTerms,
  dealChallenges,
  dealIdOf,
  globalChallenges,
  type Hash32,
  hash32,
  type LeafOpening,
  type Period,
  ProviderTree,
  period,
  periodAt,
  periodDeadline,
  periodStart,
  periods,
  rate,
  type SlotPath,
  slotIndex,
  timestamp,
  toHex,
  ZERO_HASH,
} from '@holdfast/protocol'
import {
  type DealMembership,
  type ProviderSettings,
  signingDomain,
  type TxReceipt,
} from '../../src/ledger.ts'
import { systemRandom } from '../../src/system-adapters.ts'
import { Bundle } from './bundle.ts'
import type { Account, Harness } from './harness.ts'
import { Payload, testBytes } from './payload.ts'

/** 1,000 test dollars. */
export const PLENTY: Amount = amount(1_000_000_000n)
/** 10 test dollars. */
export const STAKE: Amount = amount(10_000_000n)
/** 3.5 base units per second: rounding matters. */
export const RATE = rate(3_500_000_000_001n)

export const randomHash = (): Hash32 => hash32(toHex(systemRandom.bytes(32)))

export interface OpenedDeal {
  readonly id: DealId
  readonly terms: DealTerms
  readonly path: SlotPath
  readonly payload: Payload
  readonly receipt: TxReceipt
}

export interface Committed {
  readonly period: Period
  readonly bundle: Bundle
}

export class Scenario {
  readonly harness: Harness
  readonly publisher: Account
  readonly owner: Account
  readonly operator: Account
  /** The provider's tree as it is now. */
  tree: ProviderTree = new ProviderTree()
  readonly payloads: Map<DealId, Payload> = new Map()
  #count = 0

  constructor(
    harness: Harness,
    people: { readonly publisher: Account; readonly owner: Account; readonly operator: Account },
  ) {
    this.harness = harness
    this.publisher = people.publisher
    this.owner = people.owner
    this.operator = people.operator
  }

  get token(): Address {
    const [token] = this.harness.network.tokens
    if (token === undefined) throw new Error('a network has a token')
    return token.address
  }

  get provider(): Address {
    return this.owner.signer.address
  }

  settings(changes: Partial<ProviderSettings> = {}): ProviderSettings {
    return {
      operator: this.operator.signer.address,
      tlsKeyHash: hash32(`0x${'ab'.repeat(32)}`),
      endpoint: '127.0.0.1:4701',
      region: 'eu-north',
      token: this.token,
      pricePerTibMonth: amount(5_000_000n),
      provingFeeMonth: amount(20_000n),
      egressPerTib: amount(7_000_000n),
      accepting: true,
      ...changes,
    }
  }

  /** Terms of a small deal; `payload` decides the commitment. */
  async terms(payload: Payload, changes: Partial<DealTerms> = {}): Promise<DealTerms> {
    return {
      ...payload.commitment,
      client: this.publisher.signer.address,
      provider: this.provider,
      token: this.token,
      dataset: ZERO_HASH,
      rate: RATE,
      periods: periods(6),
      deposit: amount(10_000n),
      collateral: amount(5_000n),
      notice: periods(2),
      replacementCost: amount(1_000n),
      egressPrice: amount(0n),
      attributes: attributesOf('eu-north'),
      takedown: ZERO_HASH,
      openBefore: timestamp((await this.harness.time()) + 100_000n),
      nonce: randomHash(),
      ...changes,
    }
  }

  idOf(terms: DealTerms): DealId {
    return dealIdOf(terms, signingDomain(this.harness.network))
  }

  payload(size = 3_000): Payload {
    this.#count += 1
    return new Payload(testBytes(size, this.#count))
  }

  /** Opens a deal, signed by both, in the first free slot. */
  async open(
    changes: Partial<DealTerms> = {},
    payload: Payload = this.payload(),
  ): Promise<OpenedDeal> {
    const terms = await this.terms(payload, changes)
    const id = this.idOf(terms)
    const path = this.tree.path(this.tree.freeSlot())
    const receipt = await this.operator.ledger.openDeal({
      ...{ terms, path },
      clientSignature: await this.publisher.signer.sign(hash32(id)),
      providerSignature: await this.operator.signer.sign(hash32(id)),
    })
    this.tree.set(path.slot, payload.slotLeaf(id))
    this.payloads.set(id, payload)
    return { id, terms, path, payload, receipt }
  }

  async now(): Promise<Period> {
    return periodAt(this.harness.network, await this.harness.time())
  }

  /** Moves to `after` seconds into a period and mines a block there. */
  async enter(of: Period, after = 0n): Promise<void> {
    await this.harness.setTime(timestamp(periodStart(this.harness.network, of) + after))
    await this.harness.mine()
  }

  /** Moves to the first second at which a period can no longer be proven. */
  async pass(of: Period): Promise<void> {
    await this.harness.setTime(periodDeadline(this.harness.network, of))
    await this.harness.mine()
  }

  async nextPeriod(): Promise<Period> {
    const next = period((await this.now()) + 1n)
    await this.enter(next)
    return next
  }

  /** Moves to where every period up to now is final. */
  async finalise(): Promise<void> {
    await this.enter(period((await this.now()) + 3n))
  }

  /** True answers of a period by `tree`, which must be the one at its start. */
  async answers(of: Period, tree: ProviderTree = this.tree): Promise<readonly Uint8Array[]> {
    const { network } = this.harness
    const seed = await this.operator.ledger.seed(of)
    if (seed === undefined) throw new Error(`period ${of} has no seed`)
    const { chainId, contracts, directChallenges } = network
    const context = { chainId, proofs: contracts.proofs, provider: this.provider, period: of, seed }
    return globalChallenges(context, directChallenges, tree.weight).map((position) => {
      const { slot, leaf, index } = tree.locate(position)
      const payload = this.payloads.get(leaf.deal)
      if (payload === undefined) throw new Error(`no payload for deal ${leaf.deal}`)
      return payload.answer(leaf.deal, tree.path(slot), index)
    })
  }

  /** Posts the seed of the period that is now, and proves it. */
  async prove(of: Period): Promise<TxReceipt> {
    await this.harness.postSeed(of)
    return this.proveSeeded(of)
  }

  async proveSeeded(of: Period): Promise<TxReceipt> {
    const answers = await this.answers(of)
    return this.operator.ledger.provePeriod({ provider: this.provider, period: of, answers })
  }

  /** Enters the next period and proves it. */
  async proveNext(): Promise<Period> {
    const next = await this.nextPeriod()
    await this.prove(next)
    return next
  }

  async contextOf(of: Period): Promise<ChallengeContext> {
    const { chainId, contracts } = this.harness.network
    const seed = await this.operator.ledger.seed(of)
    if (seed === undefined) throw new Error(`period ${of} has no seed`)
    return { chainId, proofs: contracts.proofs, provider: this.provider, period: of, seed }
  }

  /** Posts the seed of the period that is now, and commits to its bundle; the tree is its own. */
  async commit(of: Period, spoilt?: ReadonlySet<bigint>): Promise<Bundle> {
    await this.harness.postSeed(of)
    const bundle = new Bundle(await this.contextOf(of), this.tree, this.payloads, spoilt)
    const { root } = bundle
    await this.operator.ledger.commitPeriod({ provider: this.provider, period: of, root })
    return bundle
  }

  /** Enters the next period, commits to its bundle, and shows it when that is owed. */
  async commitNext(spoilt?: ReadonlySet<bigint>): Promise<Committed> {
    const of = await this.nextPeriod()
    const bundle = await this.commit(of, spoilt)
    const { audit } = await this.operator.ledger.standing(this.provider)
    if (audit !== undefined) await this.showAudit(of, bundle)
    return { period: of, bundle }
  }

  async showAudit(of: Period, bundle: Bundle): Promise<TxReceipt> {
    const openings = bundle.audit(this.harness.network.directChallenges)
    return this.operator.ledger.answerAudit({ provider: this.provider, period: of, openings })
  }

  /** Where a deal stands in the tree, as opening a dispute about it shows. */
  membership({ id, path: { slot } }: Pick<OpenedDeal, 'id' | 'path'>): DealMembership {
    const leaf = this.tree.get(slot)
    if (leaf?.deal !== id) throw new Error(`deal ${id} is not in slot ${slot}`)
    return { leaf, path: this.tree.path(slot) }
  }

  /** The openings that recovering a deal shows in a period. */
  async recovery(of: Period, { id, payload }: OpenedDeal): Promise<readonly LeafOpening[]> {
    const context = await this.contextOf(of)
    const indexes = dealChallenges(context, id, DEAL_CHALLENGES, payload.leaves)
    return indexes.map((index) => payload.open(index))
  }

  freeSlot(slot: bigint): void {
    this.tree.set(slotIndex(slot), undefined)
  }
}

/** A scenario whose provider is not registered yet. Everybody has money outside the vault. */
export const meet = async (harness: Harness): Promise<Scenario> => {
  const publisher = await harness.account(PLENTY)
  const owner = await harness.account(PLENTY)
  const operator = await harness.account()
  return new Scenario(harness, { publisher, owner, operator })
}

/** A scenario ready for deals: money in the vault, provider registered. */
export const begin = async (harness: Harness): Promise<Scenario> => {
  const scenario = await meet(harness)
  const { publisher, owner, token } = scenario
  await publisher.ledger.deposit(token, amount(PLENTY / 2n))
  await owner.ledger.deposit(token, amount(PLENTY / 2n))
  await owner.ledger.registerProvider(scenario.settings(), STAKE)
  return scenario
}

/** Awaits a refusal and gives its code; anything else is a failure of the test. */
export const codeOf = async (refused: Promise<unknown>): Promise<string> => {
  try {
    await refused
  } catch (refusal) {
    const { code } = refusal as { code?: unknown }
    if (typeof code === 'string') return code
    throw refusal
  }
  throw new Error('it was not refused')
}
