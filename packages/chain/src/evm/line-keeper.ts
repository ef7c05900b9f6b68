/**
 * Keeps one account's line of nonces moving: looks at the chain until every nonce that somebody
 * waits for is spent, and does what `plan.ts` says meanwhile. What became of a transaction is known
 * from the chain alone, never from what an endpoint said when it was handed over.
 *
 * Invariants: nothing leaves before it is recorded; an intent is signed for another nonce only after
 * the chain spent its first on something else. It runs while something is open, and ends with the
 * client's signal; `closed` waits for that.
 */
import { type CallOptions, HoldfastError, milliseconds } from '@holdfast/protocol'
import type { BlockRef } from '../ledger.ts'
import type { Intent, Settled, Slot } from '../outbox/nonce-line.ts'
import type { IntentId } from '../outbox/outbox.ts'
import type { OutboxBook } from '../outbox/outbox-book.ts'
import { sharedHead } from './agreement.ts'
import { broadcast } from './broadcast.ts'
import { type ChainClient, pause } from './client.ts'
import { type Counts, readCounts } from './counts.ts'
import { readMarket } from './fees.ts'
import { LineAlarms } from './line-alarms.ts'
import type { LineWriter } from './line-writer.ts'
import { type LineAction, planLine } from './plan.ts'
import type { Mined } from './receipts.ts'
import { type Block, type Doubts, lookBack, stands, type Verdict, verdictOn } from './settling.ts'
import { Waiters } from './waiters.ts'

const LOOK_FIRST_MS = 5
/** The least between two plans. */
const PLAN_MS = 500
const REBROADCAST_MS = 20_000
/** Between two whole looks at the same block. */
const SAME_BLOCK_MS = 5000
const FRESH = { hash: undefined, ms: -Infinity }

export interface KeeperDependencies {
  readonly client: ChainClient
  readonly book: OutboxBook
  readonly writer: LineWriter
  /** Signs an intent for a new nonce; rejects when its call would be refused by now. */
  readonly moveOn: (intent: Intent) => Promise<void>
}

export class LineKeeper {
  readonly #dependencies: KeeperDependencies
  readonly #waiters: Waiters
  readonly #alarms: LineAlarms
  readonly #doubts: Doubts = new Map()
  /** When a nonce was handed over last. */
  readonly #handed = new Map<number, number>()
  /** The block at which a hash was first seen. */
  readonly #since = new Map<string, bigint>()
  /** The highest block that something we know rests on: while it stands, all of that does. */
  #rock: Block | undefined
  #plannedAt = -Infinity
  #lookedAt: { readonly hash: string | undefined; readonly ms: number } = FRESH
  #running: Promise<void> | undefined
  #kick: () => void = () => undefined

  constructor(dependencies: KeeperDependencies) {
    this.#dependencies = dependencies
    this.#waiters = new Waiters(dependencies.client)
    this.#alarms = new LineAlarms(dependencies.client, dependencies.book.account)
  }

  /** Resolves when the intent's own call is in a block, also when it was reverted there. */
  outcome(intent: IntentId, options?: CallOptions): Promise<Mined> {
    const deadline = this.#dependencies.book.line.intent(intent)?.deadline
    const waiting = this.#waiters.add(intent, { ...options, patient: deadline !== undefined })
    this.wake()
    return waiting
  }

  /** Hands over what was signed last for a nonce, at once. */
  async handOver(
    nonce: number,
    options?: CallOptions,
  ): Promise<Awaited<ReturnType<typeof broadcast>>> {
    const { client, book } = this.#dependencies
    this.#handed.set(nonce, client.clock.now())
    const attempts = [...(book.line.slot(nonce)?.attempts ?? [])].reverse()
    let first: Awaited<ReturnType<typeof broadcast>> = { kind: 'unsure' }
    // What a pool refuses may be a dearer form of what it dropped: then the older one will do.
    for (const [i, { raw }] of attempts.entries()) {
      const handed = await broadcast(client, raw, options)
      if (i === 0) first = handed
      if (handed.kind === 'taken') return i === 0 ? handed : first
    }
    return first
  }

  /** Nobody waits for it any more. */
  async abandon(intent: IntentId, error: HoldfastError): Promise<void> {
    const { book } = this.#dependencies
    await book.record({ kind: 'tx-abandoned', intent, reason: error.message })
    this.#waiters.reject(intent, error)
  }

  /** Looks at once, and until nothing is open. */
  wake(): void {
    this.#lookedAt = FRESH
    this.#kick()
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Takes back what a reorganisation took, and forgets what none can take any more. */
  async lookBack(head: BlockRef, counts: Counts, options?: CallOptions): Promise<void> {
    const { client, book } = this.#dependencies
    const rock = this.#rock
    this.#rock = head
    if (head.number % 16n !== 0n && (await stands(client, rock, head, options))) return
    const { undone, moved, final } = await lookBack(client, book.line, head, options)
    for (const { nonce } of undone) {
      client.logger.warn('a reorganisation took a transaction back', { nonce })
      await book.record({ kind: 'tx-reopened', nonce, pooled: counts.pooled > nonce })
    }
    for (const { slot, settled } of moved) await this.#record(slot.nonce, settled)
    await book.record(...final.map(({ nonce }) => ({ kind: 'tx-forgotten', nonce }) as const))
  }

  /** Says so when nonces were spent that this line never signed for. */
  noteJump({ spent }: Counts): void {
    const { highest } = this.#dependencies.book.line
    if (highest !== undefined && spent > highest + 1) this.#alarms.jumped(spent - highest - 1)
  }

  /** Resolves when it has ended, which the client's signal brings about. */
  async closed(): Promise<void> {
    await this.#running
  }

  #isBusy(): boolean {
    const { line } = this.#dependencies.book
    return (
      line.openIntents.length > 0 ||
      line.unspent.some(({ attempts }) => attempts.at(-1)?.cancels === true)
    )
  }

  async #run(): Promise<void> {
    const { client } = this.#dependencies
    let wait = LOOK_FIRST_MS
    while (this.#isBusy() && !client.stop.aborted) {
      const kicked = await this.#rest(wait)
      wait = kicked ? LOOK_FIRST_MS : Math.min(wait * 2, client.pollMs)
      try {
        await this.#look()
        this.#alarms.reached()
      } catch (error) {
        this.#failed(error)
      }
      this.#waiters.expire()
    }
    if (client.stop.aborted) this.#waiters.rejectAll(new HoldfastError({ code: 'ABORTED' }))
  }

  /** @returns true when it was woken. */
  async #rest(wait: number): Promise<boolean> {
    const { client } = this.#dependencies
    const kick = new AbortController()
    this.#kick = () => kick.abort()
    try {
      await pause(client, milliseconds(wait), { signal: kick.signal })
    } catch (error) {
      if (!HoldfastError.is(error, 'ABORTED')) throw error
    }
    return kick.signal.aborted
  }

  #failed(error: unknown): void {
    const { client } = this.#dependencies
    if (client.stop.aborted) return
    const isLine = HoldfastError.is(error, 'LEDGER_UNREACHABLE')
    if (isLine) this.#waiters.unreachable(this.#alarms.unreachable(error), error)
    else {
      client.logger.error('transactions cannot be followed', { reason: String(error) })
      this.#waiters.rejectAll(error)
    }
  }

  async #look(): Promise<void> {
    const { client, book } = this.#dependencies
    const head = await sharedHead(client)
    if (this.#isOldNews(head)) return
    const counts = await readCounts(client, book.account)
    await this.lookBack(head, counts)
    const state = { counts, head, doubts: this.#doubts }
    const verdicts = await Promise.all(
      book.line.unspent.map((slot) => verdictOn(client, slot, state)),
    )
    for (const verdict of verdicts) if (verdict !== undefined) await this.#settle(verdict)
    await this.#moveOn()
    const now = client.clock.now()
    if (!this.#isBusy() || now - this.#plannedAt < Math.max(PLAN_MS, client.pollMs / 2)) return
    this.#plannedAt = now
    await this.#plan(counts, head)
  }

  /** Without a new block little changes: then the looks are rare. */
  #isOldNews({ hash }: BlockRef): boolean {
    const now = this.#dependencies.client.clock.now()
    const isOld = hash === this.#lookedAt.hash && now < this.#lookedAt.ms + SAME_BLOCK_MS
    if (isOld && this.#doubts.size === 0) return true
    this.#lookedAt = { hash, ms: now }
    return false
  }

  async #settle({ slot, settled, by }: Verdict): Promise<void> {
    const { book, client } = this.#dependencies
    const { nonce } = slot
    await this.#record(nonce, settled)
    this.#handed.delete(nonce)
    for (const { hash } of slot.attempts) this.#since.delete(hash)
    if (settled.outcome === 'foreign') this.#alarms.foreign(nonce, settled.blockNumber)
    if (by === undefined || by.attempt.cancels) return
    const name = book.line.intent(by.attempt.intent)?.name
    if (name !== undefined) this.#alarms.settled(name)
    client.logger.debug('transaction mined', { nonce, hash: settled.hash })
    this.#waiters.resolve(by.attempt.intent, by.mined)
  }

  /** It may be in a block above the head that this look began with. */
  async #record(nonce: number, settled: Settled): Promise<void> {
    await this.#dependencies.book.record({ kind: 'tx-settled', nonce, ...settled })
    const { blockNumber: number, blockHash: hash } = settled
    if (this.#rock !== undefined && number > this.#rock.number) this.#rock = { number, hash }
  }

  /** What lost its nonce to something else gets the next one. */
  async #moveOn(): Promise<void> {
    const { book, moveOn } = this.#dependencies
    for (const intent of book.line.openIntents) {
      if (book.line.slotOf(intent.intent) !== undefined) continue
      try {
        await moveOn(intent)
        const slot = book.line.slotOf(intent.intent)
        if (slot !== undefined) await this.handOver(slot.nonce)
      } catch (error) {
        if (HoldfastError.is(error, 'LEDGER_UNREACHABLE') || !HoldfastError.is(error)) throw error
        await this.abandon(intent.intent, error)
      }
    }
  }

  async #plan(counts: Counts, head: BlockRef): Promise<void> {
    const { client, book, writer } = this.#dependencies
    const market = await readMarket(client)
    for (const { attempts } of book.line.unspent) {
      for (const { hash } of attempts) {
        if (!this.#since.has(hash)) this.#since.set(hash, head.number)
      }
    }
    const look = {
      ...{ ...counts, market, blockNumber: head.number, now: head.timestamp },
      sinceBlock: ({ hash }: { readonly hash: string }) => this.#since.get(hash) ?? head.number,
    }
    this.#alarms.begin()
    const actions = await writer.inTurn(async () => {
      const planned = planLine(book.line, look)
      for (const action of planned) await this.#write(action, head)
      return planned
    })
    this.#alarms.end()
    for (const action of actions) await this.#hand(action, counts)
  }

  /** Signs and records what an action needs. */
  async #write(action: LineAction, head: BlockRef): Promise<void> {
    const { book, writer } = this.#dependencies
    const slot: Slot | undefined = 'nonce' in action ? book.line.slot(action.nonce) : undefined
    if (action.kind === 'replace' && slot !== undefined) await writer.replace(slot, action.offer)
    if (action.kind === 'cancel' && slot !== undefined) await writer.cancel(slot, action.offer)
    if (action.kind === 'fill') await writer.fill(action.nonce, action.offer, head.timestamp)
    if (action.kind === 'short') this.#alarms.short(action.intent, action.needed)
    if (action.kind === 'stuck') this.#alarms.stuck(action.intent, action.blocks)
    if (action.kind === 'expire') {
      const what = `${action.intent.name} to be mined before its deadline`
      const afterMs = Number(head.timestamp - action.intent.since) * 1000
      const { intent } = action.intent
      await this.abandon(intent, new HoldfastError({ code: 'TIMED_OUT', what, afterMs }))
    }
  }

  async #hand(action: LineAction, counts: Counts): Promise<void> {
    const { client } = this.#dependencies
    if (!('nonce' in action)) return
    const { nonce } = action
    const since = client.clock.now() - (this.#handed.get(nonce) ?? -Infinity)
    const needed = nonce >= counts.pooled || since > REBROADCAST_MS
    if (action.kind === 'rebroadcast' && !needed) return
    if (action.kind !== 'rebroadcast') {
      client.logger.info('transaction replaced', { nonce, how: action.kind })
    }
    const handed = await this.handOver(nonce)
    if (handed.kind === 'refused') {
      client.logger.warn('a pool refuses a transaction', { nonce, reason: handed.cause })
    }
  }
}
