/**
 * A network with one provider on a chain process of its own, for measuring what settlement costs: real
 * contracts, real transactions, gas from receipts. Deals are as large as asked, for their payloads
 * exist only as roots: a commitment is 32 bytes whatever is behind them. The first deal is one leaf
 * whose bytes exist, so that the first period can be shown as the rules want it.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import {
  type Devnet,
  type EvmLedger,
  type OpenDealParameters,
  signaturePoint,
  signingDomain,
  startDevnet,
  systemClock,
} from '@holdfast/chain'
import {
  type Address,
  amount,
  attributesOf,
  bytes,
  type DealId,
  type DealTerms,
  dealIdOf,
  encodeAnswer,
  type Hash32,
  hash32,
  leafIndex,
  leavesFor,
  type Period,
  ProviderTree,
  period,
  periodAt,
  periodStart,
  periods,
  rate,
  root,
  roundFor,
  seconds,
  silentLogger,
  slotIndex,
  timestamp,
  toHex,
  ZERO_HASH,
} from '@holdfast/protocol'
import { DealOpener, OPENINGS_PER_BLOCK } from './opening.ts'

const PERIOD = seconds(1000n)
/** Two to the 32nd less one: no audit by chance, which would make figures depend on seeds. */
const NO_CHANCE = 2 ** 32 - 1
const LEAF = 1024
/** Periods that write every place of the rings once; nothing is zero afterwards. */
const WARM_PERIODS = 9
/** Another root for every period, as it would be; without zero bytes, so that calldata costs the same. */
const bundleRoot = (of: Period): Hash32 =>
  hash32(toHex(new Uint8Array(32).fill(1 + Number(of % 255n))))

const TLS_KEY = hash32(`0x${'ab'.repeat(32)}`)
const MONEY = amount(500_000_000_000n)
const STAKE = amount(1_000_000n)

interface People {
  readonly publisher: EvmLedger
  readonly owner: EvmLedger
  readonly operator: EvmLedger
  readonly relayer: EvmLedger
}

/** Gas of the last of each kind of transaction. */
export interface PeriodGas {
  readonly seed: number
  readonly commit: number
}

export class SettlementNetwork {
  readonly deals: DealId[] = []
  /** What opening each deal cost. */
  readonly openGas: number[] = []
  readonly #devnet: Devnet
  readonly #people: People
  readonly #tree = new ProviderTree()
  readonly #opener: DealOpener

  private constructor(devnet: Devnet, people: People) {
    this.#devnet = devnet
    this.#people = people
    const [url = ''] = devnet.network.rpc
    this.#opener = new DealOpener(url, devnet.network)
  }

  /** A provider with one small deal that has proven and committed for a while. */
  static async open(folder: string): Promise<SettlementNetwork> {
    const devnet = await startDevnet({
      ...{ stateDir: join(folder, 'chain'), clock: systemClock, logger: silentLogger },
      ...{ period: PERIOD, auditChance: NO_CHANCE, relay: false },
    })
    const [publisher, owner, operator, relayer] = await Promise.all(
      ['publisher', 'provider-1-owner', 'provider-1-operator', 'relayer'].map((name) =>
        devnet.ledger(name),
      ),
    )
    if (!publisher || !owner || !operator || !relayer)
      throw new Error('the network has no accounts')
    const network = new SettlementNetwork(devnet, { publisher, owner, operator, relayer })
    await network.#begin()
    return network
  }

  async #begin(): Promise<void> {
    const { publisher, owner, operator } = this.#people
    const { token } = this
    await publisher.deposit(token, MONEY)
    await owner.deposit(token, MONEY)
    const settings = {
      ...{ operator: operator.account, tlsKeyHash: TLS_KEY, endpoint: '127.0.0.1:4701' },
      ...{ region: 'eu-north', token, pricePerTibMonth: amount(5_000_000n) },
      ...{ provingFeeMonth: amount(20_000n), egressPerTib: amount(0n), accepting: true },
    }
    await owner.registerProvider(settings, STAKE)
    await this.#openFirst()
    for (let i = 0; i < WARM_PERIODS; i++) await this.commitNext()
    await this.settle(this.deals)
  }

  get token(): Address {
    const [token] = this.#devnet.network.tokens
    if (token === undefined) throw new Error('a network has a token')
    return token.address
  }

  #terms(length: number, payloadRoot: Uint8Array): DealTerms {
    const { publisher, owner } = this.#people
    return {
      ...{ scheme: 1, root: root(toHex(payloadRoot)), length: bytes(length) },
      ...{ client: publisher.account, provider: owner.account, token: this.token },
      ...{ dataset: ZERO_HASH, rate: rate(3_500_000_000_001n), periods: periods(200) },
      ...{ deposit: amount(1_000_000n), collateral: amount(5_000n), notice: periods(2) },
      ...{ replacementCost: amount(1_000n), egressPrice: amount(0n), takedown: ZERO_HASH },
      ...{ attributes: attributesOf('eu-north'), openBefore: timestamp(2n ** 40n) },
      nonce: hash32(toHex(payloadRoot)),
    }
  }

  /** Signs a deal for the next free slot, which it has from then on. */
  async #sign(terms: DealTerms): Promise<OpenDealParameters> {
    const id = dealIdOf(terms, signingDomain(this.#devnet.network))
    const path = this.#tree.path(this.#tree.freeSlot())
    const sign = (name: string) => this.#devnet.accounts(name).signer.sign(hash32(id))
    const signed = {
      ...{ terms, path, clientSignature: await sign('publisher') },
      providerSignature: await sign('provider-1-operator'),
    }
    const leaf = { deal: id, scheme: 1, root: terms.root, leaves: leavesFor(terms.length) } as const
    this.#tree.set(path.slot, leaf)
    this.deals.push(id)
    return signed
  }

  /** Opens a deal of one leaf and proves its first period directly. */
  async #openFirst(): Promise<void> {
    const data = new Uint8Array(LEAF).fill(7)
    const terms = this.#terms(LEAF, createHash('sha256').update(data).digest())
    await this.#open([await this.#sign(terms)])
    const [deal] = this.deals
    if (deal === undefined) throw new Error('it was opened just now')
    const { of } = await this.#nextPeriod()
    const { operator, owner } = this.#people
    const slot = this.#tree.path(slotIndex(0))
    const leaf = { deal, scheme: 1, root: terms.root, leaves: leavesFor(terms.length) } as const
    const opening = { index: leafIndex(0), leaf: data, path: new Uint8Array() }
    const answer = encodeAnswer({ slot, leaf, opening })
    const answers = Array.from({ length: this.#devnet.network.directChallenges }, () => answer)
    await operator.provePeriod({ provider: owner.account, period: of, answers })
  }

  /** Opens deals whose payloads are roots, until there are `count` that weigh `total` bytes in all. */
  async grow(count: number, total: number): Promise<void> {
    const missing = count - this.deals.length
    let signed: OpenDealParameters[] = []
    for (let i = 0; i < missing; i++) {
      const length = Math.max(1, Math.floor((total - this.#weight()) / (missing - i)))
      const payloadRoot = new Uint8Array(32).fill(1)
      new DataView(payloadRoot.buffer).setUint32(0, this.deals.length)
      signed.push(await this.#sign(this.#terms(length, payloadRoot)))
      if (signed.length < OPENINGS_PER_BLOCK && i < missing - 1) continue
      await this.#open(signed)
      signed = []
    }
  }

  async #open(signed: readonly OpenDealParameters[]): Promise<void> {
    this.openGas.push(...(await this.#opener.open(signed)))
  }

  /** Bytes that the provider's leaves stand for. */
  #weight(): number {
    return Number(this.#tree.weight) * LEAF
  }

  async #nextPeriod(): Promise<{ readonly of: Period; readonly seed: number }> {
    const { network, control } = this.#devnet
    const { relayer, owner } = this.#people
    const now = await relayer.time()
    const of = period(periodAt(network, now) + 1n)
    await control.advance(seconds(periodStart(network, of) - now + 5n))
    const point = signaturePoint(this.#devnet.signRound(roundFor(network, of)))
    const { gasUsed } = await relayer.postSeed(of, point)
    const { root: seen } = await owner.snapshot(owner.account, of)
    if (seen !== this.#tree.root) throw new Error(`the ledger has tree ${seen}, not ours`)
    return { of, seed: Number(gasUsed) }
  }

  /** Goes into the next period, seeds it, and commits. */
  async commitNext(): Promise<PeriodGas> {
    const { of, seed } = await this.#nextPeriod()
    return { seed, commit: await this.#commit(of) }
  }

  async #commit(of: Period): Promise<number> {
    const { operator, owner } = this.#people
    const commitment = { provider: owner.account, period: of, root: bundleRoot(of) }
    return Number((await operator.commitPeriod(commitment)).gasUsed)
  }

  /** Settles deals in one call. Returns its gas. */
  async settle(deals: readonly DealId[]): Promise<number> {
    const { gasUsed, events } = await this.#people.operator.settle(deals)
    const paid = events.filter(({ kind }) => kind === 'deal-settled').length
    if (paid !== deals.length) throw new Error(`${paid} of ${deals.length} deals were settled`)
    return Number(gasUsed)
  }

  close(): Promise<void> {
    return this.#devnet.close()
  }
}
