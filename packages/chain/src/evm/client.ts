/**
 * What every function of the EVM adapter takes first: the RPC client with what belongs to it. And
 * the one way to call it: `reach` adds cancellation, and turns transport failures into
 * `LEDGER_UNREACHABLE`. Reads are retried a bounded number of times by the transport, and move to
 * the next endpoint when one fails.
 */
import { setMaxListeners } from 'node:events'
import { type CallOptions, type Clock, HoldfastError, type Logger } from '@holdfast/protocol'
import {
  BaseError,
  type Client,
  createClient,
  fallback,
  HttpRequestError,
  http,
  TimeoutError,
  type Transport,
} from 'viem'
import { getChainId } from 'viem/actions'
import type { NetworkParams } from '../ledger.ts'

const RETRIES = 3
const RETRY_DELAY_MS = 150
const TIMEOUT_MS = 20_000
/** Calls of one turn of the event loop travel together. */
const BATCH_SIZE = 64

/** A chain, whatever is deployed on it. */
export interface ChainClient {
  readonly rpc: Client<Transport>
  readonly chainId: bigint
  readonly clock: Clock
  readonly logger: Logger
  /** For error messages: the endpoints without user information. */
  readonly endpoint: string
  /** Fires when the ledger closes. */
  readonly stop: AbortSignal
  /** The longest pause between two looks at the chain. */
  readonly pollMs: number
}

/** A chain with a network on it. */
export interface EvmClient extends ChainClient {
  readonly network: NetworkParams
}

const shown = (text: string): string => {
  const url = new URL(text)
  return `${url.protocol}//${url.host}`
}

/** The endpoints as people may see them: without paths, which often hold keys. */
const endpointsShown = (urls: readonly string[]): string => urls.map(shown).join(', ')

/** A client over one or more JSON-RPC endpoints, the first preferred. */
const rpcClient = (urls: readonly string[]): Client<Transport> => {
  const options = {
    batch: { batchSize: BATCH_SIZE, wait: 0 },
    retryDelay: RETRY_DELAY_MS,
    timeout: TIMEOUT_MS,
  }
  const [only, ...others] = urls
  if (others.length === 0) {
    return createClient({
      cacheTime: 0,
      transport: http(only, { ...options, retryCount: RETRIES }),
    })
  }
  // The next endpoint comes before the next try: one that is down costs no waiting.
  const transports = urls.map((url) => http(url, { ...options, retryCount: 0 }))
  const together = { retryCount: RETRIES, retryDelay: RETRY_DELAY_MS, shouldThrow: isAnswer }
  return createClient({ cacheTime: 0, transport: fallback(transports, together) })
}

/** True when the endpoint itself answered, so that asking another one would say the same. */
const isAnswer = (error: Error): boolean => !isTransport(error)

const isTransport = (error: unknown): boolean =>
  error instanceof BaseError &&
  error.walk((cause) => cause instanceof HttpRequestError || cause instanceof TimeoutError) !== null

const shortMessage = (error: unknown): string =>
  error instanceof BaseError
    ? [error.shortMessage, error.details.slice(0, 500)].filter((part) => part !== '').join(' ')
    : String(error)

/** Rejects with `ABORTED` as soon as one of the signals fires; the work itself goes on unheard. */
export const abortable = <T>(work: Promise<T>, signals: readonly AbortSignal[]): Promise<T> => {
  const fired = signals.find((signal) => signal.aborted)
  if (fired !== undefined) {
    work.catch(() => undefined)
    return Promise.reject(new HoldfastError({ code: 'ABORTED' }, { cause: fired.reason }))
  }
  // Calls side by side listen to one signal; that is no leak, they stop when they are answered.
  setMaxListeners(0, ...signals)
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new HoldfastError({ code: 'ABORTED' }))
    for (const signal of signals) signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => {
      for (const signal of signals) signal.removeEventListener('abort', abort)
    })
  })
}

/** The signals that end a call: the caller's and the ledger's own. */
export const signalsOf = (
  client: ChainClient,
  options: CallOptions = {},
): readonly AbortSignal[] =>
  options.signal === undefined ? [client.stop] : [options.signal, client.stop]

/**
 * Calls the chain.
 * @throws HoldfastError `ABORTED`, `LEDGER_UNREACHABLE`; other failures pass as they are, for the
 *   caller to decode.
 */
export const reach = async <T>(
  client: ChainClient,
  call: (rpc: Client<Transport>) => Promise<T>,
  options?: CallOptions,
): Promise<T> => {
  try {
    return await abortable(call(client.rpc), signalsOf(client, options))
  } catch (cause) {
    if (!isTransport(cause)) throw cause
    // Without its cause: that repeats the endpoint with its path, and the whole request.
    const { endpoint } = client
    const reason = shortMessage(cause)
    throw new HoldfastError({ code: 'LEDGER_UNREACHABLE', endpoint, reason })
  }
}

/** Sleeps until the time is over, or a signal fires (`ABORTED`). */
export const pause = async (
  client: ChainClient,
  duration: Parameters<Clock['sleep']>[0],
  options?: CallOptions,
): Promise<void> => {
  await client.clock.sleep(duration, { signal: AbortSignal.any([...signalsOf(client, options)]) })
}

export interface ChainParameters {
  /** JSON-RPC endpoints, the preferred first. */
  readonly rpc: readonly string[]
  readonly clock: Clock
  readonly logger: Logger
  readonly stop: AbortSignal
  /** 100 on endpoints of this machine and 2000 elsewhere unless given. */
  readonly pollMs?: number
}

const LOCAL_POLL_MS = 100
const REMOTE_POLL_MS = 2000

const isLocal = (url: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname)

/**
 * Reaches a chain and asks its id.
 * @throws HoldfastError `LEDGER_UNREACHABLE`.
 */
export const openChain = async (parameters: ChainParameters): Promise<ChainClient> => {
  const { rpc: urls, clock, logger, stop } = parameters
  const pollMs = parameters.pollMs ?? (urls.every(isLocal) ? LOCAL_POLL_MS : REMOTE_POLL_MS)
  const rpc = rpcClient(urls)
  const blank = { rpc, chainId: 0n, clock, logger, endpoint: endpointsShown(urls), stop, pollMs }
  return { ...blank, chainId: BigInt(await reach(blank, getChainId)) }
}
