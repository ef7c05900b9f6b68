/**
 * The whole life of one deal, told period by period: quoted and signed by the publisher's own code,
 * opened, proven or not, topped up, faulty, recovered, ended early or late, closed. A payload of one
 * leaf alone in its provider's tree, so every proof is the same answer, shown at once.
 */
import { type Ledger, type LedgerEvent, signingDomain } from '@holdfast/chain'
import {
  amount,
  consentDigest,
  costOf,
  DEAL_CHALLENGES,
  type DealId,
  type DealTerms,
  dealIdOf,
  encodeAnswer,
  HoldfastError,
  hash32,
  LEAF_BYTES,
  type LeafOpening,
  leafIndex,
  leavesFor,
  type Period,
  period,
  periodAt,
  periodDeadline,
  periodStart,
  type SlotPath,
  slotIndex,
  timestamp,
} from '@holdfast/protocol'
import type { Offer } from '../../src/publish/offers.ts'
import type { Act, Day, LifeChain, LifePlan, LifeReport, People } from './life-facts.ts'
import { type Quoting, quotedOffer, termsUnder } from './life-offer.ts'

const HOME: SlotPath = { slot: slotIndex(0n), siblings: [] }

class Life {
  readonly #chain: LifeChain
  readonly #plan: LifePlan
  readonly #people: People
  readonly #events: LedgerEvent[] = []
  readonly #proven: Period[] = []
  readonly #missed: Period[] = []
  readonly #settlements: { after: number; final: Period }[] = []
  readonly #leaf: Uint8Array
  #added = 0n
  #ledgers: { publisher: Ledger; owner: Ledger; operator: Ledger } | undefined
  #signed: { terms: DealTerms; id: DealId } | undefined

  constructor(chain: LifeChain, plan: LifePlan, people: People) {
    this.#chain = chain
    this.#plan = plan
    this.#people = people
    this.#leaf = new Uint8Array(LEAF_BYTES).fill(7, 0, plan.length)
  }

  async run(): Promise<LifeReport> {
    const { publisher, owner, operator } = this.#people
    this.#ledgers = {
      publisher: await this.#chain.ledger(publisher),
      owner: await this.#chain.ledger(owner),
      operator: await this.#chain.ledger(operator),
    }
    const [network, plan, people] = [this.#chain.network, this.#plan, this.#people]
    const quoting = { network, plan, people, now: await this.#chain.time() }
    const offer = await quotedOffer(this.#ledger('owner'), quoting)
    const before = await this.#money()
    const id = await this.#opened(offer, quoting)
    const { terms } = this.#deal
    for (const day of this.#plan.days) await this.#day(day)
    await this.#close(id)
    const after = await this.#money()
    const deal = await this.#ledger('publisher').deal(id)
    if (deal === undefined) throw new Error('a closed deal is still known')
    const gained = {
      publisher: after.publisher - before.publisher,
      ...{ owner: after.owner - before.owner, fees: after.fees - before.fees },
    }
    const facts = {
      ...{ events: this.#events, settlements: this.#settlements },
      ...{ proven: this.#proven, missed: this.#missed },
    }
    return { terms, offer, deal, added: amount(this.#added), ...facts, gained }
  }

  #ledger(who: 'publisher' | 'owner' | 'operator'): Ledger {
    if (this.#ledgers === undefined) throw new Error('the life has not begun')
    return this.#ledgers[who]
  }

  get #deal(): { readonly terms: DealTerms; readonly id: DealId } {
    if (this.#signed === undefined) throw new Error('no deal is open')
    return this.#signed
  }

  get #token() {
    const [token] = this.#chain.network.tokens
    if (token === undefined) throw new Error('a network has a token')
    return token
  }

  async #money() {
    const { publisher, owner } = this.#people
    const ledger = this.#ledger('publisher')
    const { address: token } = this.#token
    return {
      publisher: await ledger.balance(publisher.address, token),
      owner: await ledger.balance(owner.address, token),
      fees: await ledger.feesCollected(token),
    }
  }

  async #opened(offer: Offer, quoting: Quoting): Promise<DealId> {
    const { publisher, operator } = this.#people
    const terms = await termsUnder(offer, quoting, this.#leaf)
    const id = dealIdOf(terms, signingDomain(this.#chain.network))
    this.#signed = { terms, id }
    await this.#take(
      this.#ledger('operator').openDeal({
        ...{ terms, path: HOME },
        clientSignature: await publisher.sign(hash32(id)),
        providerSignature: await operator.sign(hash32(id)),
      }),
    )
    return id
  }

  async #take(write: Promise<{ readonly events: readonly LedgerEvent[] }>): Promise<void> {
    this.#events.push(...(await write).events)
  }

  /** The same, where the rules may refuse: too early, too late, or not in this state. */
  async #try(write: Promise<{ readonly events: readonly LedgerEvent[] }>): Promise<boolean> {
    try {
      await this.#take(write)
      return true
    } catch (refusal) {
      if (HoldfastError.is(refusal, 'DEAL_STATE')) return false
      if (HoldfastError.is(refusal, 'PROVIDER_STATE')) return false
      if (HoldfastError.is(refusal, 'TERMS_INVALID')) return false
      throw refusal
    }
  }

  async #day({ seed, prove, report, settle, act }: Day): Promise<void> {
    const { network } = this.#chain
    const now = period(periodAt(network, await this.#chain.time()) + 1n)
    await this.#chain.enter(timestamp(periodStart(network, now) + 1n))
    if (seed) await this.#chain.postSeed(now)
    const holds = (await this.#ledger('operator').snapshot(this.#people.owner.address, now)).weight
    const did = seed && prove && holds > 0n
    if (did) await this.#prove(now)
    await this.#act(act, seed)
    if (settle) await this.#settle()
    if (!report || did || !seed || holds === 0n) return
    await this.#chain.enter(periodDeadline(network, now))
    const { address } = this.#people.owner
    if (await this.#try(this.#ledger('publisher').reportMissed(address, now))) {
      this.#missed.push(now)
    }
  }

  async #settle(): Promise<void> {
    const ledger = this.#ledger('publisher')
    await this.#take(ledger.settle([this.#deal.id]))
    const { finalBefore: final } = await ledger.standing(this.#people.owner.address)
    this.#settlements.push({ after: this.#events.length, final })
  }

  async #prove(now: Period): Promise<void> {
    const { id, terms } = this.#deal
    const leaf = { deal: id, scheme: 1 as const, root: terms.root, leaves: leavesFor(terms.length) }
    const answer = encodeAnswer({ slot: HOME, leaf, opening: this.#opening })
    const answers = Array.from({ length: this.#chain.network.directChallenges }, () => answer)
    const provider = this.#people.owner.address
    await this.#take(this.#ledger('operator').provePeriod({ provider, period: now, answers }))
    this.#proven.push(now)
  }

  get #opening(): LeafOpening {
    return { index: leafIndex(0n), leaf: this.#leaf, path: new Uint8Array() }
  }

  async #act(act: Act, seed: boolean): Promise<void> {
    const { id } = this.#deal
    const [publisher, operator] = [this.#ledger('publisher'), this.#ledger('operator')]
    switch (act) {
      case 'top-up':
        return this.#topUp()
      case 'fault':
        return void (await this.#try(operator.declareFault(id, HOME)))
      case 'recover': {
        if (!seed) return
        const openings = Array.from({ length: DEAL_CHALLENGES }, () => this.#opening)
        return void (await this.#try(operator.recoverDeal({ deal: id, path: HOME, openings })))
      }
      case 'terminate':
        return void (await this.#try(publisher.terminateDeal(id)))
      case 'resign':
        return void (await this.#try(operator.resignDeal(id)))
      case 'consent':
        return this.#consent()
      case 'none':
    }
  }

  /** A third of what is missing to the whole term, and one unit, so that not all sums are round. */
  async #topUp(): Promise<void> {
    const { id, terms } = this.#deal
    const whole = costOf({ ...terms, period: this.#chain.network.period })
    const value = amount((whole - terms.deposit - this.#added) / 3n + 1n)
    if (await this.#try(this.#ledger('publisher').topUp(id, value))) this.#added += value
  }

  async #consent(): Promise<void> {
    const { id } = this.#deal
    const digest = consentDigest(id, signingDomain(this.#chain.network))
    const signatures = {
      client: await this.#people.publisher.sign(digest),
      operator: await this.#people.operator.sign(digest),
    }
    await this.#try(this.#ledger('owner').closeByConsent(id, signatures))
  }

  /** Everything is final some periods after the end. */
  async #close(id: DealId): Promise<void> {
    const deal = await this.#ledger('publisher').deal(id)
    if (deal === undefined) throw new Error('the deal was opened')
    const { network } = this.#chain
    const over = periodStart(network, period(deal.end + 4n))
    const now = await this.#chain.time()
    if (now < over) await this.#chain.enter(over)
    await this.#take(this.#ledger('owner').closeDeal(id))
  }
}

export const live = (chain: LifeChain, plan: LifePlan, people: People): Promise<LifeReport> =>
  new Life(chain, plan, people).run()
