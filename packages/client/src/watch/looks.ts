/**
 * The looking of a watch: which committed periods have not been seen, and asking providers to show
 * them. What was seen goes into the book and is said once; what follows from it is for others.
 *
 * Invariant: a provider that is silent or slow costs bounded time per look, and keeps no other waiting
 * longer than that.
 */
import type { Deal, LedgerReader } from '@holdfast/chain'
import {
  type CallOptions,
  type Clock,
  type Hash32,
  type Milliseconds,
  milliseconds,
  type ProviderId,
  type Timestamp,
} from '@holdfast/protocol'
import type { DealCheck } from '../audit/check-deal.ts'
import {
  type CheckBounds,
  checkAtProvider,
  checkGlobalsAtProvider,
  type Silent,
} from '../audit/check-replicas.ts'
import type { ConnectPeer } from '../transfer/provider-peer.ts'
import { afterLook, needsLook, periodsToCheck } from './decide.ts'
import type { WatchBook } from './watch-book.ts'
import type { Subject, Tell } from './watch-events.ts'
import { MISSING_KEPT } from './watch-limits.ts'

export interface LookDependencies {
  readonly ledger: LedgerReader
  readonly connect: ConnectPeer
  readonly clock: Clock
  readonly book: WatchBook
  readonly tell: Tell
}

export interface LookRequest {
  readonly globals: boolean
  readonly checkTimeoutMs: Milliseconds
}

/** What a watch has seen since it started. */
export interface WatchCounts {
  readonly shown: number
  readonly wrong: number
  readonly silent: number
}

/** One thing to look at: a deal's entries of a period, or all global ones. */
export interface Look extends Subject {
  readonly root: Hash32
  /** Undefined: the global entries. */
  readonly of: Deal | undefined
}

/** Providers looked at side by side. */
const AT_ONCE = 8
/** All global entries are fifteen requests: they get this many times the time of one deal. */
const GLOBAL_TIMEOUTS = 3
/** A slow provider gets this many times the time of one check, per look. */
const QUEUE_TIMEOUTS = 3

export class Looks {
  readonly counts: { shown: number; wrong: number; silent: number } = {
    ...{ shown: 0, wrong: 0, silent: 0 },
  }
  readonly #parts: LookDependencies
  readonly #request: LookRequest

  constructor(parts: LookDependencies, request: LookRequest) {
    this.#parts = parts
    this.#request = request
  }

  /** Committed periods of our deals whose entries we have not seen. */
  async due(
    deals: readonly Deal[],
    now: Timestamp,
    options: CallOptions,
  ): Promise<readonly Look[]> {
    const { ledger, book } = this.#parts
    const roots = new Map<string, Promise<Hash32 | undefined>>()
    const looks: Look[] = []
    const globals = new Map<string, Look>()
    for (const deal of deals) {
      const { provider } = deal.terms
      for (const period of periodsToCheck(ledger.network, deal, now)) {
        const key = `${provider}:${period}`
        const asked = roots.get(key) ?? ledger.committed(provider, period, options)
        roots.set(key, asked)
        const root = await asked
        if (root === undefined) continue
        const own = { deal: deal.id, provider, period }
        if (needsLook(book.check(own), root)) looks.push({ ...own, root, of: deal })
        const all = { deal: null, provider, period }
        if (!this.#request.globals || globals.has(key) || !needsLook(book.check(all), root))
          continue
        globals.set(key, { ...all, root, of: undefined })
      }
    }
    return [...looks, ...globals.values()]
  }

  /** Asks the providers, a few side by side. */
  async take(looks: readonly Look[], options: CallOptions): Promise<void> {
    const queues = [...byProvider(looks).values()]
    for (let at = 0; at < queues.length; at += AT_ONCE) {
      const some = queues.slice(at, at + AT_ONCE)
      await Promise.all(some.map((queue) => this.#checkQueue(queue, options)))
    }
  }

  /** One provider's: one after the other, and the rest later when it keeps us waiting. */
  async #checkQueue(queue: readonly Look[], options: CallOptions): Promise<void> {
    const { clock } = this.#parts
    const timeoutMs = this.#request.checkTimeoutMs
    const until = clock.now() + QUEUE_TIMEOUTS * timeoutMs
    let silent: Silent | undefined
    for (const look of queue) {
      const { period } = look
      // Who did not answer for one deal is not waited for again in this look.
      const seen: DealCheck | Silent =
        silent !== undefined
          ? { ...silent, period }
          : await this.#ask(look, { ...options, timeoutMs })
      if (seen.state === 'silent') silent = seen
      this.#note(look, seen)
      if (clock.now() >= until && silent === undefined) return
    }
  }

  #ask({ of, provider, period }: Look, bounds: CheckBounds): Promise<DealCheck | Silent> {
    if (of !== undefined) return checkAtProvider(this.#parts, of, period, bounds)
    const timeoutMs = milliseconds(GLOBAL_TIMEOUTS * bounds.timeoutMs)
    return checkGlobalsAtProvider(this.#parts, { provider, period }, { ...bounds, timeoutMs })
  }

  #note({ deal, provider, period, root }: Look, seen: DealCheck | Silent): void {
    const { book, tell } = this.#parts
    if (seen.state === 'not-committed') return
    const missing = seen.state === 'wrong' ? seen.missing.slice(0, MISSING_KEPT) : []
    const subject = { deal, provider, period }
    const { state } = seen
    const entry = afterLook(book.check(subject), { ...subject, root, state, missing })
    book.note(entry)
    if (entry.looks > 1) return
    this.counts[state] += 1
    tell({ event: 'checked', ...subject, ...seen })
  }
}

const byProvider = (looks: readonly Look[]): ReadonlyMap<ProviderId, readonly Look[]> => {
  const queues = new Map<ProviderId, Look[]>()
  for (const look of looks) {
    const { provider } = look
    const queue = queues.get(provider) ?? []
    queue.push(look)
    queues.set(provider, queue)
  }
  return queues
}
