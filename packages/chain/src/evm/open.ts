/** Joining a network: the way to an `EvmLedger`. */
import { type Clock, HoldfastError, type Logger, type Signer } from '@holdfast/protocol'
import { getCode } from 'viem/actions'
import type { NetworkParams } from '../ledger.ts'
import { type EvmClient, openChain, reach } from './client.ts'
import { EvmLedger } from './evm-ledger.ts'

export interface EvmLedgerParameters {
  readonly network: NetworkParams
  /** JSON-RPC endpoints, the preferred first. */
  readonly rpc: readonly string[]
  /** Needed for `account` and for writing; without it those throw `UNAUTHORIZED`. */
  readonly signer?: Signer
  readonly clock: Clock
  readonly logger: Logger
  /**
   * The longest pause between two looks at the chain, in milliseconds; 100 on an endpoint of this
   * machine and 2000 elsewhere unless given.
   */
  readonly pollMs?: number
}

const checkChain = async (client: EvmClient): Promise<void> => {
  const { network, chainId } = client
  if (chainId !== network.chainId) {
    const reason = `${client.endpoint} is chain ${chainId}, the network is on ${network.chainId}`
    throw new HoldfastError({ code: 'CHAIN_UNSUITABLE', reason })
  }
  await Promise.all(
    Object.entries(network.contracts).map(async ([name, address]) => {
      const code = await reach(client, (rpc) => getCode(rpc, { address }))
      if (code !== undefined && code !== '0x') return
      const reason = `there is no ${name} contract at ${address} on ${client.endpoint}`
      throw new HoldfastError({ code: 'CHAIN_UNSUITABLE', reason })
    }),
  )
}

/**
 * Joins a network: checks that the chain is the right one and that the contracts are there.
 * @throws HoldfastError `LEDGER_UNREACHABLE`, `CHAIN_UNSUITABLE`.
 */
export const openEvmLedger = async (parameters: EvmLedgerParameters): Promise<EvmLedger> => {
  const { network, signer, ...rest } = parameters
  const stop = new AbortController()
  const client = { ...(await openChain({ ...rest, stop: stop.signal })), network }
  await checkChain(client)
  return new EvmLedger(client, stop, signer)
}
