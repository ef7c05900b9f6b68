/**
 * The whole life of one deal, told period by period: quoted and signed by the publisher's own code,
 * opened, proven in either mode or not, audited, disputed, topped up, faulty, recovered, ended early or
 * late or with its provider, closed. A payload of one leaf alone in its provider's tree, so every proof
 * is the same answer.
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
  type SlotLeaf,
  type SlotPath,
  slotIndex,
  timestamp,
} from '@holdfast/protocol'
import type { Offer } from '../../src/publish/offers.ts'
import type { Act, Day, LifeChain, LifePlan, LifeReport, People } from './life-facts.ts'
import { historyOf } from './life-history.ts'
import { type Quoting, quotedOffer, termsUnder } from './life-offer.ts'
import { allow, Promises, questionAt } from './life-promises.ts'

const HOME: SlotPath = { slot: slotIndex(0n), siblings: [] }

class Life {
  readonly #chain: LifeChain
  readonly #plan: LifePlan
  readonly #people: People
  readonly #events: LedgerEvent[] = []
  readonly #settlements: { after: number; final: Period }[] = []
  readonly #leaf: Uint8Array
  #added = 0n
  #ledgers: { publisher: Ledger; owner: Ledger; operator: Ledger } | undefined
  #signed: { terms: DealTerms; id: DealId } | undefined
  #promises: Promises | undefined

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
      stake: after.stake - before.stake,
    }
    const [events, settlements] = [this.#events, this.#settlements]
    const facts = { events, settlements, expired: this.#kept.expired }
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
      stake: (await ledger.provider(owner.address))?.stake ?? 0n,
    }
  }

  async #opened(offer: Offer, quoting: Quoting): Promise<DealId> {
    const { publisher, operator } = this.#people
    const terms = await termsUnder(offer, quoting, this.#leaf)
    const id = dealIdOf(terms, signingDomain(this.#chain.network))
    this.#signed = { terms, id }
    this.#promises = new Promises({
      ...{ publisher: this.#ledger('publisher'), operator: this.#ledger('operator') },
      ...{ provider: this.#people.owner.address, home: HOME },
      ...{ leaf: this.#slotLeaf, answer: this.#answer },
      take: (write) => this.#take(write),
      time: () => this.#chain.time(),
    })
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
  #try(write: Promise<{ readonly events: readonly LedgerEvent[] }>): Promise<boolean> {
    return allow(['DEAL_STATE', 'PROVIDER_STATE', 'TERMS_INVALID'], () => this.#take(write))
  }

  async #day({ seed, prove, mode, ask, report, settle, act, ...day }: Day): Promise<void> {
    const { network } = this.#chain
    const promises = this.#kept
    const now = period(periodAt(network, await this.#chain.time()) + 1n)
    await this.#chain.enter(timestamp(periodStart(network, now) + 1n))
    if (seed) await this.#chain.postSeed(now)
    const holds = (await this.#ledger('operator').snapshot(this.#people.owner.address, now)).weight
    await promises.meet(day)
    const did = seed && prove && holds > 0n && !(await promises.blocked(now))
    if (did && mode === 'direct') await this.#prove(now)
    else if (did) await promises.commit(now, mode === 'lie')
    if (ask !== undefined) await promises.ask(questionAt(this.#deal.id, ask))
    await promises.meet({ ...day, slash: false })
    await this.#act(act, seed)
    if (settle) await this.#settle()
    if (!report || did || !seed || holds === 0n || act === 'void') return
    await this.#chain.enter(periodDeadline(network, now))
    const { address } = this.#people.owner
    await this.#try(this.#ledger('publisher').reportMissed(address, now))
  }

  async #settle(): Promise<void> {
    const ledger = this.#ledger('publisher')
    await this.#take(ledger.settle([this.#deal.id]))
    const { finalBefore: final } = await ledger.standing(this.#people.owner.address)
    this.#settlements.push({ after: this.#events.length, final })
  }

  async #prove(now: Period): Promise<void> {
    const { directChallenges } = this.#chain.network
    const answers = Array.from({ length: directChallenges }, () => this.#answer)
    const provider = this.#people.owner.address
    await this.#take(this.#ledger('operator').provePeriod({ provider, period: now, answers }))
  }

  get #slotLeaf(): SlotLeaf {
    const { id, terms } = this.#deal
    return { deal: id, scheme: 1, root: terms.root, leaves: leavesFor(terms.length) }
  }

  get #answer(): Uint8Array {
    return encodeAnswer({ slot: HOME, leaf: this.#slotLeaf, opening: this.#opening })
  }

  get #kept(): Promises {
    if (this.#promises === undefined) throw new Error('no deal is open')
    return this.#promises
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
      case 'declare':
        return void (await this.#declare())
      case 'end':
        return this.#end()
      case 'void': {
        const now = await this.#chain.time()
        return this.#chain.enter(timestamp(now + 31n * this.#chain.network.period))
      }
      case 'none':
    }
  }

  /** By anybody, once a dispute has shown it. */
  async #declare(): Promise<void> {
    const { id } = this.#deal
    await allow(['DEAL_STATE', 'UNAUTHORIZED', 'PROVIDER_STATE'], () =>
      this.#take(this.#ledger('publisher').declareShownLost(id, HOME)),
    )
  }

  /** With the last fourteen misses after the last mark, if there are as many. */
  async #end(): Promise<void> {
    const { address } = this.#people.owner
    const { proven, missed } = historyOf(this.#events)
    const last = [...proven].sort((a, b) => Number(a - b)).at(-1) ?? -1n
    const since = [...missed].filter((of) => of > last).sort((a, b) => Number(a - b))
    if (since.length < 14) return
    const ledger = this.#ledger('publisher')
    await this.#try(ledger.terminateProvider(address, since.slice(0, 14)))
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
    await this.#settleQuestions()
    const now = await this.#chain.time()
    if (now < over) await this.#chain.enter(over)
    await this.#take(this.#ledger('owner').closeDeal(id))
  }

  /** Everything is shown that can be, and everything else is ended: that takes some periods with seeds. */
  async #settleQuestions(): Promise<void> {
    const { network } = this.#chain
    while (!(await this.#kept.quiet())) {
      const next = period(periodAt(network, await this.#chain.time()) + 1n)
      await this.#chain.enter(timestamp(periodStart(network, next) + 1n))
      await this.#chain.postSeed(next)
      await this.#kept.meet({ show: true, slash: true })
    }
  }
}

export const live = (chain: LifeChain, plan: LifePlan, people: People): Promise<LifeReport> =>
  new Life(chain, plan, people).run()
