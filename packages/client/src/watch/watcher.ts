/**
 * A watch over an account's deals: follows the chain, and in every period that a provider committed
 * to has it show the deal's entries; disputes what it cannot show, and brings disputes to their end.
 *
 * Every look starts from the ledger's present state and the book, never from what was seen before, so
 * a restart, a gap or a reorganisation needs no care of its own. Invariants: bounded work per look
 * (the last 8 periods of the account's deals, `AT_ONCE` providers side by side); what cannot be
 * reached is said and tried again; it ends only by its signal.
 */
import type { AccountLedger, BlockRef, Deal, LedgerUpdate } from '@holdfast/chain'
import {
  type Amount,
  amount,
  type CallOptions,
  type Clock,
  type DealId,
  type Hash32,
  HoldfastError,
  type Milliseconds,
  milliseconds,
  type Period,
  type ProviderId,
  periodAt,
  type Timestamp,
  period as toPeriod,
} from '@holdfast/protocol'
import type { ConnectPeer } from '../transfer/provider-peer.ts'
import { gasLeft, type WatchBudget } from './budget.ts'
import { DisputeReviewer } from './claims.ts'
import { isWorthDispute, lookEvery } from './decide.ts'
import { Acts, DisputeOpener } from './disputes.ts'
import { type Look, Looks, type WatchCounts } from './looks.ts'
import { Spending } from './spending.ts'
import type { WatchBook } from './watch-book.ts'
import type { Tell } from './watch-events.ts'

export interface WatchDependencies {
  readonly ledger: AccountLedger
  readonly connect: ConnectPeer
  readonly clock: Clock
  readonly book: WatchBook
  readonly tell: Tell
}

export interface WatchRequest {
  readonly budget: WatchBudget
  /** False only looks and tells. */
  readonly disputes: boolean
  /** Only deals of this dataset (its digest); all of the account's unless given. */
  readonly dataset: Hash32 | undefined
  /** Looks at the global entries too: 460 of each provider and period, about a megabyte. */
  readonly globals: boolean
  /** For one provider to show one deal's entries. */
  readonly checkTimeoutMs: Milliseconds
}

const TROUBLE_PAUSE_MS = 5000

export class Watcher {
  readonly #parts: WatchDependencies
  readonly #request: WatchRequest
  readonly #acts: Acts
  readonly #opener: DisputeOpener
  readonly #reviewer: DisputeReviewer
  readonly #looks: Looks
  #deals: ReadonlyMap<DealId, Deal> | undefined
  #dealsOf: Period | undefined

  constructor(parts: WatchDependencies, request: WatchRequest) {
    this.#parts = parts
    this.#request = request
    this.#acts = new Acts(parts.tell)
    this.#looks = new Looks(parts, request)
    const { ledger, book, tell } = parts
    const { budget } = request
    const spending = new Spending(ledger, book, budget)
    const shared = { ledger, book, budget, spending, acts: this.#acts, tell }
    this.#opener = new DisputeOpener(shared)
    this.#reviewer = new DisputeReviewer(shared)
  }

  /** Looks once, and waits for the transactions that follow from it. */
  async once(options: CallOptions = {}): Promise<WatchCounts> {
    const tip = await this.#parts.ledger.tip(options)
    await this.#begin(tip, options)
    await this.#look(tip, options)
    await this.#acts.idle()
    return this.#looks.counts
  }

  /** Runs until the signal fires; then what is under way is let go of, and the book is whole. */
  async run(signal: AbortSignal): Promise<WatchCounts> {
    const { clock, tell } = this.#parts
    let begun = false
    while (!signal.aborted) {
      try {
        const tip = await this.#parts.ledger.tip({ signal })
        if (!begun) await this.#begin(tip, { signal })
        begun = true
        await this.#follow(tip, { signal })
      } catch (error) {
        if (signal.aborted) break
        if (!HoldfastError.is(error) || !PASSING.has(error.code)) throw error
        tell({ event: 'trouble', code: error.code, reason: error.message })
        await clock.sleep(milliseconds(TROUBLE_PAUSE_MS), { signal }).catch(() => undefined)
      }
    }
    await this.#acts.idle()
    await this.#parts.book.save()
    return this.#looks.counts
  }

  /** Wei that count in the block of the newest period seen, and bonds at stake. */
  get spent(): { readonly gas: bigint; readonly bonds: Amount } {
    const { book } = this.#parts
    const { budget } = this.#request
    const now = this.#dealsOf ?? toPeriod(0n)
    const open = book.bonds.filter(({ state }) => state === 'open')
    return {
      gas: budget.gas - gasLeft(budget, book.notes.gas.values(), now),
      bonds: amount(open.reduce((sum, { bond }) => sum + bond, 0n)),
    }
  }

  async #begin(tip: BlockRef, options: CallOptions): Promise<void> {
    const { ledger, tell } = this.#parts
    const { budget, disputes } = this.#request
    const period = periodAt(ledger.network, tip.timestamp)
    const deals = (await this.#refreshDeals(period, options)).size
    const { account } = ledger
    const budgets = { gasBudget: budget.gas, bondBudget: budget.bonds }
    tell({ event: 'watching', account, deals, period, ...budgets, disputes })
  }

  async #follow(tip: BlockRef, options: CallOptions): Promise<void> {
    const { ledger } = this.#parts
    await this.#look(tip, options)
    let looked = tip.timestamp
    for await (const update of ledger.follow(tip, options)) {
      const newest = update.applied.at(-1)?.ref
      if (this.#changesDeals(update)) this.#deals = undefined
      if (newest === undefined) continue
      const isDue = newest.timestamp >= looked + lookEvery(ledger.network)
      if (!isDue && !this.#concerns(update)) continue
      await this.#look(newest, options)
      looked = newest.timestamp
    }
  }

  /** Something happened that a look would see. */
  #concerns({ applied }: LedgerUpdate): boolean {
    const providers = new Set<ProviderId>()
    for (const { terms } of this.#deals?.values() ?? []) providers.add(terms.provider)
    return applied.some(({ events }) =>
      events.some(
        (event) =>
          WORTH_A_LOOK.has(event.kind) && 'provider' in event && providers.has(event.provider),
      ),
    )
  }

  #changesDeals({ applied, reverted }: LedgerUpdate): boolean {
    return (
      reverted.length > 0 ||
      applied.some(({ events }) => events.some(({ kind }) => kind.startsWith('deal-')))
    )
  }

  async #refreshDeals(period: Period, options: CallOptions): Promise<ReadonlyMap<DealId, Deal>> {
    if (this.#deals !== undefined && this.#dealsOf === period) return this.#deals
    const { ledger } = this.#parts
    const { dataset } = this.#request
    const filter = { client: ledger.account, ...(dataset === undefined ? {} : { dataset }) }
    const deals = await ledger.deals(filter, options)
    this.#deals = new Map(deals.map((deal) => [deal.id, deal]))
    this.#dealsOf = period
    return this.#deals
  }

  async #look({ timestamp: now }: BlockRef, options: CallOptions): Promise<void> {
    const { ledger, book } = this.#parts
    const period = periodAt(ledger.network, now)
    const deals = await this.#refreshDeals(period, options)
    const looks = await this.#looks.due([...deals.values()], now, options)
    await this.#looks.take(looks, options)
    if (this.#request.disputes) {
      await this.#reviewer.review(deals, now, options)
      for (const look of looks) await this.#considerDispute(look, now, options)
    }
    book.prune(period)
    if (looks.length > 0) await book.save()
  }

  async #considerDispute(look: Look, now: Timestamp, options: CallOptions): Promise<void> {
    const { ledger, book } = this.#parts
    const seen = book.check(look)
    if (seen === undefined || !isWorthDispute(ledger.network, seen, now)) return
    await this.#opener.consider(seen, now, options)
  }
}

/** Trouble of the line, which passes. */
const PASSING: ReadonlySet<string> = new Set([
  'LEDGER_UNREACHABLE',
  'TIMED_OUT',
  'RATE_LIMITED',
  'CHAIN_UNSUITABLE',
])

const WORTH_A_LOOK: ReadonlySet<string> = new Set([
  'period-committed',
  'period-unmarked',
  'dispute-answered',
  'dispute-lost',
  'dispute-expired',
])
