/**
 * What gas costs now, read from the chain: the base fee of the next block, and what transactions of
 * the last blocks tipped. Prices are made of it in `prices.ts`.
 */
import type { CallOptions } from '@holdfast/protocol'
import { getBlock } from 'viem/actions'
import { type ChainClient, reach } from './client.ts'
import { isTransport } from './endpoints.ts'
import type { Market } from './prices.ts'

/** Where nobody suggests a tip and nobody pays one: 0.1 gwei. */
const DEFAULT_TIP = 100_000_000n
/** A tip above this is taken for an error of the endpoint: 100 gwei. */
const TIP_MAX = 100_000_000_000n
/** What blocks tipped counts up to this many times what the endpoint suggests. */
const USUAL_TIP_MAX = 4n
const HISTORY_BLOCKS = '0xa'
const MIDDLE = 50

/** Undefined where the endpoint does not know the method. */
const optional = <T>(
  client: ChainClient,
  call: Parameters<typeof reach<T>>[1],
  options?: CallOptions,
): Promise<T | undefined> =>
  reach(
    client,
    (rpc) =>
      call(rpc).catch((cause: unknown) => {
        if (isTransport(cause)) throw cause
        client.logger.debug('no answer about fees', { reason: cause })
        return undefined
      }),
    options,
  )

/** The middle one of what blocks with transactions tipped at their middle; 0 without any. */
const usualTip = (rewards: readonly (readonly bigint[])[] | undefined): bigint => {
  const tips = (rewards ?? []).flatMap(([tip]) => (tip === undefined || tip === 0n ? [] : tip))
  tips.sort((a, b) => (a < b ? -1 : 1))
  return tips[Math.floor(tips.length / 2)] ?? 0n
}

/** The market for gas, as of the newest block. */
export const readMarket = async (client: ChainClient, options?: CallOptions): Promise<Market> => {
  const [suggested, history] = await Promise.all([
    optional(client, (rpc) => rpc.request({ method: 'eth_maxPriorityFeePerGas' }), options),
    optional(
      client,
      (rpc) =>
        rpc.request({ method: 'eth_feeHistory', params: [HISTORY_BLOCKS, 'latest', [MIDDLE]] }),
      options,
    ),
  ])
  const usual = usualTip(history?.reward?.map((block) => block.map(BigInt)))
  const asked = suggested === undefined ? 0n : BigInt(suggested)
  // What we paid in a hurry is history too: it may not become what we pay in peace.
  const bound = asked === 0n ? TIP_MAX : asked * USUAL_TIP_MAX
  const limited = usual < bound ? usual : bound
  const tip = limited > asked ? limited : asked
  const next = history?.baseFeePerGas.at(-1)
  const base = next === undefined ? await latestBase(client, options) : BigInt(next)
  return { base, tip: tip === 0n ? DEFAULT_TIP : tip > TIP_MAX ? TIP_MAX : tip }
}

const latestBase = async (client: ChainClient, options?: CallOptions): Promise<bigint> => {
  const block = await reach(client, (rpc) => getBlock(rpc, { blockTag: 'latest' }), options)
  return block.baseFeePerGas ?? 0n
}
