/**
 * Opens the disputes of a watch. The ledger is asked first, so that what was done before a crash, by
 * somebody else, or is still under way is not done again.
 *
 * Invariants: one dispute per provider and period, and never two about one entry; bond and gas, that
 * of the claim too, are set aside durably before the transaction is sent.
 */
import type { AccountLedger } from '@holdfast/chain'
import {
  type CallOptions,
  disputeIdOf,
  disputesUntil,
  HoldfastError,
  type Period,
  periodAt,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import { toHoldfastError } from '../ui/json.ts'
import { bondsLeft, cannotAfford, type WatchBudget } from './budget.ts'
import { lookEvery } from './decide.ts'
import { findInTree } from './provider-tree.ts'
import type { Spending } from './spending.ts'
import type { WatchBook } from './watch-book.ts'
import type { Subject, Tell } from './watch-events.ts'
import {
  type CheckEntry,
  type DisputeEntry,
  entryOf,
  questionOf,
  subjectOf,
} from './watch-notes.ts'

export interface DisputeDependencies {
  readonly ledger: AccountLedger
  readonly book: WatchBook
  readonly budget: WatchBudget
  readonly spending: Spending
  readonly acts: Acts
  readonly tell: Tell
}

/** What is kept for a claim, in costs of its opening. */
const CLAIM_TIMES = 4n

/** Transactions under way, one per provider and period: passes do not wait for them. */
export class Acts {
  readonly #tell: Tell
  readonly #running = new Map<string, Promise<void>>()

  constructor(tell: Tell) {
    this.#tell = tell
  }

  isRunning({ provider, period }: Subject): boolean {
    return this.#running.has(`${provider}:${period}`)
  }

  /** Its failure is said, and does not end the watch. */
  start(subject: Subject, action: string, work: () => Promise<void>): void {
    const key = `${subject.provider}:${subject.period}`
    const done = work()
      .catch((cause: unknown) => {
        if (HoldfastError.is(cause, 'ABORTED')) return
        const error = toHoldfastError(cause)
        const { code, message: reason } = error
        this.#tell({ event: 'failed', ...subject, action, code, reason })
      })
      .finally(() => this.#running.delete(key))
    this.#running.set(key, done)
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values())
  }
}

export class DisputeOpener {
  readonly #parts: DisputeDependencies
  /** Said already, and would be said at every look. */
  readonly #heldBack = new Set<string>()

  constructor(parts: DisputeDependencies) {
    this.#parts = parts
  }

  /** Opens a dispute about what a provider could not show, unless one is there or money is not. */
  async consider(seen: CheckEntry, now: Timestamp, options: CallOptions): Promise<void> {
    const { ledger, book, spending, acts } = this.#parts
    const { deal, provider, period } = seen
    const subject = { deal, provider, period }
    if (acts.isRunning(subject) || this.#isAsked(subject, now)) return
    const challenge = await this.#unasked(seen, options)
    if (challenge === undefined) return
    const current = periodAt(ledger.network, now)
    const { bond } = await ledger.standing(provider, options)
    const reason = await this.#cannotPay(bond, current, options)
    if (reason !== undefined) return this.#holdBack(subject, reason)
    const dispute = disputeIdOf({ provider, period, question: questionOf(deal, challenge) })
    const entry: DisputeEntry = {
      ...subject,
      ...{ dispute, challenge, bond },
      ...{ since: now, state: 'opening', declared: false },
    }
    await book.setDispute(entry)
    await spending.reserve(openName(entry), current)
    await spending.reserve(claimName(entry), current)
    acts.start(subject, 'open a dispute', () => this.#open(entry, current, options))
  }

  async #cannotPay(
    bond: DisputeEntry['bond'],
    current: Period,
    options: CallOptions,
  ): Promise<string | undefined> {
    const { ledger, book, budget, spending } = this.#parts
    const left = { gas: spending.left(current), bonds: bondsLeft(budget, book.bonds, current) }
    const reason = cannotAfford(budget, left, bond)
    const [token] = ledger.network.tokens
    if (reason !== undefined || token === undefined) return reason
    const free = await ledger.balance(ledger.account, token.address, options)
    if (free >= bond) return undefined
    return `the vault has ${free} free and the bond is ${bond}; "holdfast fund" puts more in`
  }

  #holdBack(subject: Subject, reason: string): void {
    const key = `${subject.provider}:${subject.period}`
    if (this.#heldBack.has(key)) return
    this.#heldBack.add(key)
    this.#parts.tell({ event: 'held-back', ...subject, reason })
  }

  /** We asked this provider about this period, or are about to. */
  #isAsked({ provider, period }: Subject, now: Timestamp): boolean {
    const retry = 3n * lookEvery(this.#parts.ledger.network)
    for (const entry of this.#parts.book.notes.disputes.values()) {
      if (entry.provider !== provider || entry.period !== period) continue
      if (entry.state === 'dropped') continue
      // What a crash left half done, and the chain does not know, may be tried once more.
      if (entry.state === 'opening' && now > entry.since + retry) continue
      return true
    }
    return false
  }

  /**
   * The first missing challenge that nobody has asked on chain. None while one of them is open or
   * lost: then somebody has done it. One that was answered there says nothing about the others.
   */
  async #unasked(
    { deal, provider, period, missing }: CheckEntry,
    options: CallOptions,
  ): Promise<number | undefined> {
    // A silent provider is asked for the first one: it may as well have any.
    for (const i of missing.length === 0 ? [0] : missing) {
      const entry = { provider, period, question: questionOf(deal, i) }
      const dispute = await this.#parts.ledger.dispute(entry, options)
      if (dispute === undefined) return i
      if (dispute.state === 'open' || dispute.state === 'lost') return undefined
    }
    return undefined
  }

  async #open(entry: DisputeEntry, current: Period, options: CallOptions): Promise<void> {
    const { ledger, book, spending, tell } = this.#parts
    const { dispute, challenge } = entry
    try {
      const { deal, provider, period } = entry
      const membership =
        deal === null ? undefined : await findInTree(ledger, { deal, provider }, period, options)
      const deadline = timestamp(disputesUntil(ledger.network, period) + 1n)
      const receipt = await spending.pay(openName(entry), current, options, (send) =>
        ledger.openDispute({ ...entryOf(entry), membership }, { ...send, deadline }),
      )
      const opened = receipt.events.find((event) => event.kind === 'dispute-opened')
      const bond = opened?.bond ?? entry.bond
      await book.setDispute({ ...entry, bond, state: 'open' })
      const gas = receipt.gasUsed * receipt.gasPrice
      // A claim costs less gas than an opening; its price may have risen by then.
      await spending.reserve(claimName(entry), current, CLAIM_TIMES * gas)
      tell({ event: 'disputed', ...subjectOf(entry), dispute, challenge, bond, gas })
    } catch (error) {
      // Stopped by us: the transaction may still be mined, and the ledger will know.
      if (HoldfastError.is(error, 'ABORTED')) throw error
      await book.setDispute({ ...entry, state: 'dropped' })
      await spending.release(claimName(entry))
      throw error
    }
  }
}

const openName = ({ dispute, since }: DisputeEntry): string => `open:${dispute}:${since}`

/** Gas for the claim, set aside when the dispute is opened: what is begun can be ended. */
export const claimName = ({ dispute }: DisputeEntry): string => `claim:${dispute}`
