/**
 * Who takes part in a history, and what a provider would keep of it: its tree as it is and was, its
 * payloads, and the bundles it committed to. Fed by the events that both ledgers agree on.
 */
import {
  type Address,
  type ChallengeContext,
  type DealId,
  type DealTerms,
  type Hash32,
  type Period,
  ProviderTree,
  period,
  type Signer,
} from '@holdfast/protocol'
import { signerFromPrivateKey } from '../../src/keys/signer.ts'
import type { DisputedEntry, LedgerEvent, NetworkParams } from '../../src/ledger.ts'
import { Bundle } from '../support/bundle.ts'
import { Payload, testBytes } from '../support/payload.ts'
import { keyOf } from './stage.ts'

const signer = (number: number): Signer => signerFromPrivateKey(keyOf(number))

/** The second owner is also a client of the first: earnings pay for deposits. */
const OWNERS: readonly Signer[] = [signer(11), signer(12)]
const OPERATORS: readonly Signer[] = [signer(21), signer(22)]
export const OTHERS: readonly Signer[] = [signer(31), signer(32), signer(41), signer(51)]

export const EVERYBODY: readonly Signer[] = [...OWNERS, ...OPERATORS, ...OTHERS]
export const CLIENTS: readonly Signer[] = [...OTHERS.slice(0, 2), ...OWNERS.slice(1)]

/** Of 1 leaf, of 3, of 8, of 21: a deal's bytes are one of these. */
const PAYLOADS: readonly Payload[] = [600, 3_000, 8_192, 21_000].map(
  (size, i) => new Payload(testBytes(size, i + 1)),
)

export const payloadOf = ({ root }: Pick<DealTerms, 'root'>): Payload => {
  const found = PAYLOADS.find(({ commitment }) => commitment.root === root)
  if (found === undefined) throw new Error(`nobody has bytes with root ${root}`)
  return found
}

export { PAYLOADS }

/** What one provider knows of itself. */
export class Keeper {
  readonly owner: Signer
  readonly operator: Signer
  readonly #payloads = new Map<DealId, Payload>()
  readonly #bundles = new Map<Period, Bundle>()
  #trees: { readonly from: Period; readonly tree: ProviderTree }[] = [
    { from: period(0n), tree: new ProviderTree() },
  ]
  /** How much of its duty it does, 0 to 1. */
  diligence = 1
  /** How often what it commits to is wrong, 0 to 1. */
  dishonesty = 0

  constructor(owner: Signer, operator: Signer) {
    this.owner = owner
    this.operator = operator
  }

  get provider(): Address {
    return this.owner.address
  }

  /** The tree as it is now. */
  get tree(): ProviderTree {
    return this.#trees.at(-1)?.tree ?? new ProviderTree()
  }

  /** The tree that is challenged in a period. */
  treeAt(of: Period): ProviderTree {
    return this.#trees.findLast(({ from }) => from <= of)?.tree ?? new ProviderTree()
  }

  /** The bundle it would show for a period, whatever it committed to. */
  bundle(context: ChallengeContext, spoilt?: ReadonlySet<bigint>): Bundle | undefined {
    const tree = this.treeAt(context.period)
    if (tree.weight === 0n) return undefined
    const bundle = new Bundle(context, tree, this.#payloads, spoilt)
    this.#bundles.set(context.period, bundle)
    return bundle
  }

  kept(of: Period): Bundle | undefined {
    return this.#bundles.get(of)
  }

  answers(positions: readonly bigint[], of: Period): readonly Uint8Array[] {
    const tree = this.treeAt(of)
    return positions.map((position) => {
      const { slot, leaf, index } = tree.locate(position)
      const payload = this.#payloads.get(leaf.deal)
      if (payload === undefined) throw new Error(`no payload for deal ${leaf.deal}`)
      return payload.answer(leaf.deal, tree.path(slot), index)
    })
  }

  take(
    event: Extract<LedgerEvent, { kind: 'slot-changed' }>,
    now: Period,
    terms?: DealTerms,
  ): void {
    const tree = this.tree.clone()
    const payload = terms === undefined ? undefined : payloadOf(terms)
    if (event.deal !== undefined && payload !== undefined) this.#payloads.set(event.deal, payload)
    tree.set(event.slot, event.deal === undefined ? undefined : payload?.slotLeaf(event.deal))
    const from = period(now + 1n)
    this.#trees = [...this.#trees.filter((kept) => kept.from < from), { from, tree }]
  }
}

export class Cast {
  readonly network: NetworkParams
  readonly keepers: readonly Keeper[]
  readonly #terms = new Map<DealId, DealTerms>()
  readonly #opened: DealId[] = []
  readonly disputed: DisputedEntry[] = []

  constructor(network: NetworkParams) {
    this.network = network
    this.keepers = OWNERS.map((owner, i) => new Keeper(owner, OPERATORS[i] ?? owner))
  }

  get tokens(): readonly Address[] {
    return this.network.tokens.map(({ address }) => address)
  }

  /** Deals that were opened, oldest first. */
  get deals(): readonly DealId[] {
    return this.#opened
  }

  /** Terms are known before the deal is. */
  draft(deal: DealId, terms: DealTerms): void {
    this.#terms.set(deal, terms)
  }

  termsOf = (deal: DealId): DealTerms => {
    const terms = this.#terms.get(deal)
    if (terms === undefined) throw new Error(`nobody wrote the terms of ${deal}`)
    return terms
  }

  keeperOf(provider: Address): Keeper {
    const found = this.keepers.find((keeper) => keeper.provider === provider)
    if (found === undefined) throw new Error(`${provider} is no provider here`)
    return found
  }

  context(provider: Address, of: Period, seed: Hash32): ChallengeContext {
    const { chainId, contracts } = this.network
    return { chainId, proofs: contracts.proofs, provider, period: of, seed }
  }

  /** Takes in what happened in a block of period `now`. */
  take(events: readonly LedgerEvent[], now: Period): void {
    for (const event of events) {
      if (event.kind === 'deal-opened') this.#opened.push(event.deal)
      if (event.kind === 'dispute-opened') {
        this.disputed.push({
          ...{ provider: event.provider, period: event.period, question: event.question },
        })
      }
      if (event.kind === 'slot-changed') {
        const terms = event.deal === undefined ? undefined : this.termsOf(event.deal)
        this.keeperOf(event.provider).take(event, now, terms)
      }
    }
  }
}
