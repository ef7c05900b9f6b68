/**
 * What every function of the EVM adapter takes first: the RPC client with what belongs to it. And
 * the one way to call it: `reach` adds cancellation, and turns transport failures into
 * `LEDGER_UNREACHABLE`. Reads are retried a bounded number of times, and move to the next endpoint
 * when one fails (`endpoints.ts`).
 */
import { setMaxListeners } from 'node:events'
import { type CallOptions, type Clock, HoldfastError, type Logger } from '@holdfast/protocol'
import { BaseError, type Client, type Transport } from 'viem'
import { getChainId } from 'viem/actions'
import { type Alarms, silentAlarms } from '../alarms.ts'
import type { NetworkParams } from '../ledger.ts'
import { type EndpointSource, Endpoints, isTransport, ownError } from './endpoints.ts'
import { jsonRpc } from './json-rpc.ts'

/** A chain, whatever is deployed on it. */
export interface ChainClient {
  /** Asks the best endpoint, and the others when it fails. */
  readonly rpc: Client<Transport>
  readonly endpoints: Endpoints
  readonly alarms: Alarms
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

/** The endpoints as people may see them: without paths, which often hold keys, and told apart. */
const sourcesOf = (urls: readonly string[]): readonly EndpointSource[] => {
  const names = urls.map(shown)
  return urls.map((url, i) => {
    const name = names[i] ?? ''
    const before = names.slice(0, i).filter((other) => other === name).length
    return { shown: before === 0 ? name : `${name} (${before + 1})`, request: jsonRpc(url) }
  })
}

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
    const own = ownError(cause)
    if (own !== undefined) throw own
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

interface ChainAmbient {
  readonly clock: Clock
  readonly logger: Logger
  readonly stop: AbortSignal
  /** Who hears what somebody must act on; nobody unless given. */
  readonly alarms?: Alarms
  /** 100 on endpoints of this machine and 2000 elsewhere unless given. */
  readonly pollMs?: number
  /** Endpoints of another chain are passed over. */
  readonly expectedChainId?: bigint
}

export interface ChainParameters extends ChainAmbient {
  /** JSON-RPC endpoints, the preferred first. */
  readonly rpc: readonly string[]
}

const LOCAL_POLL_MS = 100
const REMOTE_POLL_MS = 2000

const isLocal = (url: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname)

/**
 * Reaches a chain and asks its id.
 * @throws HoldfastError `LEDGER_UNREACHABLE`, `CHAIN_UNSUITABLE`.
 */
export const openChain = (parameters: ChainParameters): Promise<ChainClient> => {
  const { rpc: urls, ...ambient } = parameters
  const pollMs = parameters.pollMs ?? (urls.every(isLocal) ? LOCAL_POLL_MS : REMOTE_POLL_MS)
  return openChainOver(sourcesOf(urls), { ...ambient, pollMs })
}

/** The same over endpoints of any make; simulations have their own. */
export const openChainOver = async (
  sources: readonly EndpointSource[],
  { alarms = silentAlarms, pollMs = REMOTE_POLL_MS, expectedChainId, ...ambient }: ChainAmbient,
): Promise<ChainClient> => {
  const endpoints = new Endpoints(sources, { ...ambient, alarms })
  if (expectedChainId !== undefined) endpoints.expect(expectedChainId)
  const endpoint = sources.map(({ shown: name }) => name).join(', ')
  const { rpc } = endpoints
  const blank = { ...ambient, rpc, endpoints, alarms, chainId: 0n, endpoint, pollMs }
  const chainId = BigInt(await reach(blank, getChainId))
  endpoints.expect(chainId)
  return { ...blank, chainId }
}
