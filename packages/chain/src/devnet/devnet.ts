/** The embedded network. */
import type { Address, Clock, Logger, Random, Seconds, Signer } from '@holdfast/protocol'
import { invariant } from '@holdfast/protocol'
import type { NetworkFile } from '../network-file.ts'

export interface DevnetParameters {
  /** Where the chain's state, keys and `network.json` live; made when missing. */
  readonly stateDir: string
  /** Length of a proof period; 20 s unless given. Ignored when the state directory has a network. */
  readonly period?: Seconds
  /** 3/4 of the period unless given. */
  readonly window?: Seconds
  readonly clock: Clock
  readonly logger: Logger
  readonly random?: Random
}

export interface DevnetAccount {
  readonly name: string
  readonly address: Address
  readonly signer: Signer
  /** Web3 keystore v3. */
  readonly keystore: string
  readonly passphraseFile: string
}

export interface Devnet {
  readonly network: NetworkFile
  /** The path of `network.json`. */
  readonly networkFile: string
  /** `publisher`, `provider-1-owner` … `provider-9-operator`, `deployer`, `relayer`. */
  accounts(name: string): DevnetAccount
  /** Settles when the network stops: resolves after `close`, rejects when the chain process dies. */
  readonly stopped: Promise<void>
  /** Writes the state down and stops everything. May be called twice. */
  close(): Promise<void>
}

/**
 * Starts the embedded network, or continues the one in `stateDir`.
 * @throws HoldfastError `NETWORK_EXISTS` when one runs there, `PROCESS_FAILED` without a chain program.
 */
export const startDevnet = async (_parameters: DevnetParameters): Promise<Devnet> => {
  invariant(false, 'the devnet is being written')
}
