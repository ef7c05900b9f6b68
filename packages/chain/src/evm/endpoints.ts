/**
 * Several endpoints of one chain, none of them trusted alone. A read goes to the best one and moves
 * on when that one fails or is slow; what money or data depend on is asked of two
 * (`agreement.ts`). An endpoint that was caught lying, lagging or on another chain is set aside for a
 * while, with an alarm.
 *
 * Invariants: the only endpoint is never set aside; an answer of the chain itself (a refusal of a
 * contract) is never asked again elsewhere; every try is bounded, and so is their number.
 */
import { type Clock, HoldfastError, type Logger, milliseconds } from '@holdfast/protocol'
import {
  BaseError,
  type Client,
  createClient,
  custom,
  HttpRequestError,
  type Transport,
} from 'viem'
import type { Alarms } from '../alarms.ts'
import type { RpcCall, RpcRequest } from './json-rpc.ts'

/** Rounds over all endpoints, the first included. */
const ROUNDS = 4
const RETRY_DELAY_MS = 150
/** After this long without an answer the next endpoint is asked as well. */
const HEDGE_MS = 2000
/** One that failed is asked last for this long; doubled by every failure in a row. */
const RESPITE_FIRST_MS = 1000
const RESPITE_MAX_MS = 60_000
/** The chain id of an endpoint is compared this often. */
const CHAIN_CHECK_MS = 30_000
/** One that lied is not asked for this long. */
const SET_ASIDE_MS = 10 * 60_000

export interface EndpointSource {
  /** For people: without its path, which often holds a key. */
  readonly shown: string
  readonly request: RpcRequest
}

export interface Endpoint extends EndpointSource {
  readonly rpc: Client<Transport>
}

export interface EndpointHealth {
  readonly endpoint: string
  readonly asked: number
  readonly failed: number
  readonly failuresInRow: number
  /** Why it is not asked now. */
  readonly setAside: string | undefined
}

interface Tracked extends Endpoint {
  /** When its chain id was compared last. */
  checkedAt: number
  asked: number
  failed: number
  failuresInRow: number
  restUntil: number
  aside: { readonly until: number; readonly reason: string } | undefined
}

export interface EndpointsDependencies {
  readonly clock: Clock
  readonly logger: Logger
  readonly alarms: Alarms
  readonly stop: AbortSignal
}

/** Errors that say: not now; limits of the endpoint, not of the chain. */
const OVERLOADED: ReadonlySet<unknown> = new Set([429, -32005, -32007])

/** Our own error inside what the RPC library made of it. */
export const ownError = (error: unknown): HoldfastError | undefined => {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (HoldfastError.is(cause)) return cause
  }
  return undefined
}

/** True for a failure of the line or the endpoint, after which another one is asked. */
export const isTransport = (error: unknown): boolean =>
  HoldfastError.is(ownError(error), 'CHAIN_UNSUITABLE') ||
  (error instanceof BaseError &&
    error.walk(
      (cause) =>
        cause instanceof HttpRequestError || OVERLOADED.has((cause as { code?: unknown }).code),
    ) !== null)

const clientOver = (request: RpcRequest): Client<Transport> =>
  createClient({ cacheTime: 0, transport: custom({ request }, { retryCount: 0 }) })

export class Endpoints {
  /** Asks the best endpoint, and the others when it fails. */
  readonly rpc: Client<Transport>
  readonly #all: readonly Tracked[]
  readonly #dependencies: EndpointsDependencies
  #chainId: bigint | undefined

  /** @param sources the preferred first, at least one. */
  constructor(sources: readonly EndpointSource[], dependencies: EndpointsDependencies) {
    const counts = { asked: 0, failed: 0, failuresInRow: 0 }
    const fresh = { ...counts, restUntil: 0, aside: undefined, checkedAt: -Infinity }
    this.#dependencies = dependencies
    this.#all = sources.map((source) => ({
      ...source,
      ...fresh,
      rpc: clientOver((call) => this.#ask(this.#tracked(source.shown), call)),
    }))
    this.rpc = clientOver((call) => this.#request(call))
  }

  /** Those that may be asked now, the best first; all of them when none may. */
  usable(): readonly Endpoint[] {
    return this.#ordered()
  }

  /** From now on an endpoint of another chain is found out when it is asked. */
  expect(chainId: bigint): void {
    this.#chainId = chainId
  }

  /** How many there are, set aside or not. */
  get count(): number {
    return this.#all.length
  }

  health(): readonly EndpointHealth[] {
    const now = this.#dependencies.clock.now()
    return this.#all.map(({ shown, asked, failed, failuresInRow, aside }) => {
      const setAside = aside !== undefined && aside.until > now ? aside.reason : undefined
      return { endpoint: shown, asked, failed, failuresInRow, setAside }
    })
  }

  /** Stops asking one that was caught, unless it is the only one. */
  setAside({ shown }: Pick<Endpoint, 'shown'>, reason: string): void {
    const { clock, logger, alarms } = this.#dependencies
    if (this.#all.length === 1) return
    const endpoint = this.#tracked(shown)
    if (endpoint.aside === undefined) {
      logger.error('endpoint set aside', { endpoint: shown, reason })
      alarms.raise('endpoint-set-aside', shown, `${shown} is not asked for a while: ${reason}`)
    }
    endpoint.aside = { until: clock.now() + SET_ASIDE_MS, reason }
  }

  #tracked(shown: string): Tracked {
    const found = this.#all.find((endpoint) => endpoint.shown === shown)
    if (found !== undefined) return found
    throw new HoldfastError({ code: 'INVARIANT', sentence: `no endpoint ${shown}` })
  }

  #ordered(): readonly Tracked[] {
    const now = this.#dependencies.clock.now()
    for (const endpoint of this.#all) {
      if (endpoint.aside === undefined || endpoint.aside.until > now) continue
      endpoint.aside = undefined
      this.#dependencies.alarms.clear('endpoint-set-aside', endpoint.shown)
    }
    const trusted = this.#all.filter(({ aside }) => aside === undefined)
    const tired = (endpoint: Tracked): number => (endpoint.restUntil > now ? endpoint.restUntil : 0)
    return (trusted.length === 0 ? [...this.#all] : trusted).sort((a, b) => tired(a) - tired(b))
  }

  async #ask(endpoint: Tracked, call: RpcCall): Promise<unknown> {
    endpoint.asked += 1
    try {
      // Both travel in one request.
      const [answer] = await Promise.all([endpoint.request(call), this.#checkChain(endpoint)])
      endpoint.failuresInRow = 0
      endpoint.restUntil = 0
      return answer
    } catch (error) {
      if (!isTransport(error)) throw error
      endpoint.failed += 1
      this.#tire(endpoint)
      throw error
    }
  }

  /** It failed or is slow: the others come first for a while. */
  #tire(endpoint: Tracked): void {
    endpoint.failuresInRow += 1
    const rest = Math.min(RESPITE_MAX_MS, RESPITE_FIRST_MS * 2 ** (endpoint.failuresInRow - 1))
    endpoint.restUntil = this.#dependencies.clock.now() + rest
  }

  async #checkChain(endpoint: Tracked): Promise<void> {
    const now = this.#dependencies.clock.now()
    const expected = this.#chainId
    if (expected === undefined || now - endpoint.checkedAt < CHAIN_CHECK_MS) return
    const answer = await endpoint.request({ method: 'eth_chainId' })
    const actual = typeof answer === 'string' && /^0x[0-9a-f]{1,16}$/i.test(answer) ? answer : '0x0'
    if (BigInt(actual) === expected) {
      endpoint.checkedAt = now
      return
    }
    this.setAside(endpoint, `it is chain ${BigInt(actual)}, not ${expected}`)
    const reason = `${endpoint.shown} is chain ${BigInt(actual)}, the network is on ${expected}`
    throw new HoldfastError({ code: 'CHAIN_UNSUITABLE', reason })
  }

  async #request(call: RpcCall): Promise<unknown> {
    const { clock, stop } = this.#dependencies
    for (let round = 1; ; round++) {
      try {
        return await this.#firstAnswer(this.#ordered(), call)
      } catch (error) {
        if (!isTransport(error) || round === ROUNDS || stop.aborted) throw error
      }
      await clock.sleep(milliseconds(RETRY_DELAY_MS * 2 ** (round - 1)), { signal: stop })
    }
  }

  /** One after the other, the next one also when the one before keeps silent. */
  #firstAnswer(endpoints: readonly Tracked[], call: RpcCall): Promise<unknown> {
    const { clock, stop } = this.#dependencies
    return new Promise((resolve, reject) => {
      const done = new AbortController()
      const signal = AbortSignal.any([stop, done.signal])
      let [next, running] = [0, 0]
      const start = (): void => {
        const endpoint = endpoints[next++]
        if (endpoint === undefined) return
        running += 1
        this.#ask(endpoint, call).then(
          (answer) => {
            done.abort()
            resolve(answer)
          },
          (error: unknown) => {
            running -= 1
            if (!isTransport(error)) {
              done.abort()
              reject(error)
            } else if (next < endpoints.length) start()
            else if (running === 0) {
              done.abort()
              reject(error)
            }
          },
        )
        if (next < endpoints.length) {
          clock.sleep(milliseconds(HEDGE_MS), { signal }).then(
            () => {
              this.#tire(endpoint)
              start()
            },
            () => undefined,
          )
        }
      }
      start()
    })
  }
}
