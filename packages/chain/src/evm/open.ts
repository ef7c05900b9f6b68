/** Joining a network: the way to an `EvmLedger`. */
import { type Clock, HoldfastError, type Logger, type Signer } from '@holdfast/protocol'
import { getCode } from 'viem/actions'
import type { Alarms } from '../alarms.ts'
import type { NetworkParams } from '../ledger.ts'
import { memoryOutbox, type Outbox } from '../outbox/outbox.ts'
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
  /** Who hears what somebody must act on; nobody unless given. */
  readonly alarms?: Alarms
  /** Where transactions are written down before they are sent; in memory unless given. */
  readonly outbox?: Outbox
}

const checkContracts = async (client: EvmClient): Promise<void> => {
  const { network } = client
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
  const { network, signer, outbox = memoryOutbox(), ...rest } = parameters
  const stop = new AbortController()
  const expected = { expectedChainId: network.chainId, stop: stop.signal }
  const client = { ...(await openChain({ ...rest, ...expected })), network }
  await checkContracts(client)
  return new EvmLedger(client, stop, signer === undefined ? undefined : { signer, outbox })
}
