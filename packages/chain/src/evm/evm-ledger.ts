/** The EVM adapter, composed of the functions beside it. */
import type { Clock, Logger, Signer } from '@holdfast/protocol'
import { invariant } from '@holdfast/protocol'
import type { Ledger, NetworkParams } from '../ledger.ts'

export interface EvmLedgerParameters {
  readonly network: NetworkParams
  /** JSON-RPC endpoints, the preferred first. */
  readonly rpc: readonly string[]
  /** Needed for `account` and for writing; without it those throw `UNAUTHORIZED`. */
  readonly signer?: Signer
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Joins a network: checks that the chain is the right one and that the contracts are there.
 * @throws HoldfastError `LEDGER_UNREACHABLE`, `CHAIN_UNSUITABLE`.
 */
export const openEvmLedger = async (_parameters: EvmLedgerParameters): Promise<Ledger> => {
  invariant(false, 'the EVM adapter is being written')
}
