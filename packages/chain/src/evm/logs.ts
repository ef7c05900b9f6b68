/**
 * Logs of our contracts over a range of blocks, asked in bounded pieces: a range that the endpoint
 * finds too large is halved, so that any provider's limit is met without being configured.
 */
import { type CallOptions, HoldfastError } from '@holdfast/protocol'
import type { Log, RpcLog, Address as ViemAddress, Hex as ViemHex } from 'viem'
import { BaseError, formatLog } from 'viem'
import { type ChainClient, reach } from './client.ts'

export type MinedLog = Log<bigint, number, false>

export interface LogQuery {
  readonly from: bigint
  /** Inclusive. */
  readonly to: bigint
  readonly addresses: readonly ViemAddress[]
  readonly topics?: readonly (ViemHex | readonly ViemHex[] | null)[]
}

/** Blocks of the first request of a long range. */
const FIRST_BLOCKS = 2000n
/** No request asks for more. */
const BLOCKS_MAX = 1n << 20n
/** Ranges grow while their answers stay below this. */
const LOGS_FEW = 1000

/**
 * How many blocks to ask for at a time: doubled while answers are small, halved for good when the
 * endpoint refuses. Shared by the requests of one reader.
 */
export class RangeSize {
  #blocks = FIRST_BLOCKS
  #limit = BLOCKS_MAX

  get blocks(): bigint {
    return this.#blocks
  }

  answered(count: number): void {
    if (count > LOGS_FEW || this.#blocks >= this.#limit) return
    this.#blocks = this.#blocks * 2n < this.#limit ? this.#blocks * 2n : this.#limit
  }

  /** @param blocks what was refused; more than one. */
  refused(blocks: bigint): void {
    this.#limit = blocks / 2n
    this.#blocks = this.#limit
  }
}

const ask = async (
  client: ChainClient,
  query: LogQuery,
  options?: CallOptions,
): Promise<readonly MinedLog[]> => {
  const filter = {
    address: [...query.addresses],
    fromBlock: `0x${query.from.toString(16)}`,
    toBlock: `0x${query.to.toString(16)}`,
    ...(query.topics === undefined ? {} : { topics: query.topics }),
  }
  const raw = await reach(
    client,
    (rpc) => rpc.request({ method: 'eth_getLogs', params: [filter] } as never) as Promise<RpcLog[]>,
    options,
  )
  return raw.map((log) => formatLog(log) as MinedLog)
}

/** The logs, or undefined when the endpoint refuses a range that can still be made smaller. */
const askOrShrink = async (
  client: ChainClient,
  query: LogQuery,
  options?: CallOptions,
): Promise<readonly MinedLog[] | undefined> => {
  try {
    return await ask(client, query, options)
  } catch (cause) {
    if (HoldfastError.is(cause) || !(cause instanceof BaseError)) throw cause
    if (query.from === query.to) {
      const reason = `it does not answer eth_getLogs for one block: ${cause.shortMessage}`
      const { endpoint } = client
      throw new HoldfastError({ code: 'LEDGER_UNREACHABLE', endpoint, reason }, { cause })
    }
    return undefined
  }
}

/** All matching logs of a range, oldest first. Memory is that of the answer. */
export const getLogsBetween = async (
  client: ChainClient,
  query: LogQuery,
  options?: CallOptions,
): Promise<readonly MinedLog[]> => {
  const found: MinedLog[] = []
  for await (const part of eachLogRange(client, query, options)) found.push(...part.logs)
  return found
}

export interface LogRange {
  /** Inclusive. */
  readonly to: bigint
  readonly logs: readonly MinedLog[]
}

/**
 * The logs of a range piece by piece, so that the caller decides what to keep. A `size` that is
 * given remembers what the endpoint takes from one call to the next.
 */
export async function* eachLogRange(
  client: ChainClient,
  query: LogQuery,
  options?: CallOptions,
  size: RangeSize = new RangeSize(),
): AsyncGenerator<LogRange> {
  let from = query.from
  while (from <= query.to) {
    const to = from + size.blocks - 1n < query.to ? from + size.blocks - 1n : query.to
    const logs = await askOrShrink(client, { ...query, from, to }, options)
    if (logs === undefined) {
      size.refused(to - from + 1n)
      continue
    }
    size.answered(logs.length)
    yield { to, logs }
    from = to + 1n
  }
}
