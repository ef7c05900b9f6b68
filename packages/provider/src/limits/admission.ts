/**
 * Who is let in: requests by address, calls by address and by account, bulk transfers by number and by
 * the memory that is left. Control never waits for bulk: it has budgets of its own.
 */
import { type Address, type Clock, HoldfastError } from '@holdfast/protocol'
import type { Limits } from './limits.ts'
import { TokenBuckets } from './token-buckets.ts'

/** A bucket holds this many seconds' worth. */
const BURST_SECONDS = 5
/** This many transfers always run, also while memory is short: it is only given back by work. */
const ALWAYS = 4
const MIB = 2 ** 20

export type Refusal = 'requests' | 'calls' | 'account' | 'reads' | 'memory'

/** What to tell whoever is refused. */
export interface Refused {
  readonly error: HoldfastError
  /** Whole seconds, at least 1. */
  readonly retryAfter: number
}

export interface AdmissionDependencies {
  readonly limits: () => Limits
  readonly clock: Clock
  /** Resident memory of this process, in bytes. */
  readonly residentMemory: () => number
}

export class Admission {
  readonly #dependencies: AdmissionDependencies
  readonly #requests: TokenBuckets
  readonly #calls: TokenBuckets
  readonly #accounts: TokenBuckets
  readonly #refused: Record<Refusal, number> = {
    requests: 0,
    calls: 0,
    account: 0,
    reads: 0,
    memory: 0,
  }
  #reads = 0

  constructor(dependencies: AdmissionDependencies) {
    this.#dependencies = dependencies
    const buckets = (perSecond: (limits: Limits) => number): TokenBuckets => {
      const rule = (): { perSecond: number; burst: number } => {
        const rate = perSecond(dependencies.limits())
        return { perSecond: rate, burst: Math.max(1, rate * BURST_SECONDS) }
      }
      return new TokenBuckets(rule, dependencies.clock)
    }
    this.#requests = buckets((limits) => limits.requestsPerSecond)
    this.#calls = buckets((limits) => limits.callsPerSecond)
    this.#accounts = buckets((limits) => limits.accountCallsPerMinute / 60)
  }

  /** How often each limit refused somebody. */
  get refused(): Readonly<Record<Refusal, number>> {
    return this.#refused
  }

  /** Reads that run now. */
  get reads(): number {
    return this.#reads
  }

  /** An HTTPS request; undefined when it may go on. */
  request(remote: string): Refused | undefined {
    return this.#rate('requests', this.#requests.take(remote), `requests from ${remote}`)
  }

  /** A gRPC call; undefined when it may go on. */
  call(remote: string): Refused | undefined {
    return this.#rate('calls', this.#calls.take(remote), `calls from ${remote}`)
  }

  /**
   * A call whose signature by `account` was checked.
   * @throws HoldfastError `RATE_LIMITED`.
   */
  account(account: Address): void {
    const wait = this.#accounts.take(account)
    const refused = this.#rate('account', wait, `calls signed by ${account}`)
    if (refused !== undefined) throw refused.error
  }

  /** Room for one part of an upload. @throws HoldfastError `QUEUE_FULL`. */
  part(running: number): void {
    this.#checkMemory(running)
  }

  /** Counts a read until the returned function is called. @throws HoldfastError `QUEUE_FULL`. */
  read(): () => void {
    const { readsMax } = this.#dependencies.limits()
    if (this.#reads >= readsMax) {
      this.#refused.reads++
      throw new HoldfastError({ code: 'QUEUE_FULL', limit: readsMax })
    }
    this.#checkMemory(this.#reads)
    this.#reads++
    let isOver = false
    return () => {
      if (!isOver) this.#reads--
      isOver = true
    }
  }

  #checkMemory(running: number): void {
    const { limits, residentMemory } = this.#dependencies
    if (running < ALWAYS || residentMemory() <= limits().memoryMiB * MIB) return
    this.#refused.memory++
    throw new HoldfastError({ code: 'QUEUE_FULL', limit: running })
  }

  #rate(limit: Refusal, waitSeconds: number, what: string): Refused | undefined {
    if (waitSeconds === 0) return undefined
    this.#refused[limit]++
    const retryAfter = Math.max(1, Math.ceil(waitSeconds))
    const reason = `too many ${what}; again in ${retryAfter} s`
    return { error: new HoldfastError({ code: 'RATE_LIMITED', reason }), retryAfter }
  }
}
