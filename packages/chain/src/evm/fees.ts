/**
 * EIP-1559 fees: the tip the endpoint suggests, and twice the current base fee on top, which covers
 * six full blocks in a row (12.5 % each). The unused part is never charged.
 */
import type { CallOptions } from '@holdfast/protocol'
import { getBlock } from 'viem/actions'
import { type ChainClient, reach } from './client.ts'

export interface Fees {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** Where the endpoint does not suggest a tip: 0.1 gwei. */
const DEFAULT_TIP = 100_000_000n
/** A suggestion above this is taken for an error of the endpoint: 100 gwei. */
const TIP_MAX = 100_000_000_000n

const suggestedTip = async (client: ChainClient, options?: CallOptions): Promise<bigint> => {
  const answer = await reach(
    client,
    (rpc) =>
      rpc.request({ method: 'eth_maxPriorityFeePerGas' }).then(
        (tip) => BigInt(tip),
        (cause: unknown) => {
          client.logger.debug('no tip suggested', { reason: cause })
          return DEFAULT_TIP
        },
      ),
    options,
  )
  return answer > TIP_MAX ? TIP_MAX : answer
}

/** Fees for a transaction that should be mined soon. */
export const currentFees = async (client: ChainClient, options?: CallOptions): Promise<Fees> => {
  const [tip, block] = await Promise.all([
    suggestedTip(client, options),
    reach(client, (rpc) => getBlock(rpc, { blockTag: 'latest' }), options),
  ])
  const base = block.baseFeePerGas ?? 0n
  return { maxFeePerGas: 2n * base + tip, maxPriorityFeePerGas: tip }
}
