/**
 * A whole deployment, from a configuration file to a network file: reaches the chain, opens the
 * keystore, creates the contracts, writes the file. Nothing is sent before everything that can be
 * checked is checked.
 */
import { access } from 'node:fs/promises'
import { type Clock, HoldfastError, type Logger } from '@holdfast/protocol'
import { openChain } from '../evm/client.ts'
import { openKeystore, readPassphrase } from '../keys/keystore-file.ts'
import { type NetworkFile, writeNetwork } from '../network-file.ts'
import { readDeployConfig } from './config.ts'
import { deployContracts } from './deploy.ts'

export interface DeployNetworkParameters {
  /** JSON-RPC endpoint of the chain. */
  readonly rpc: string
  /** Path of the configuration. */
  readonly config: string
  /** Path of the network file to write; it must not exist. */
  readonly out: string
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
}

/**
 * Deploys a network.
 * @throws HoldfastError `NETWORK_EXISTS` when the output file is there, `CONFIG_INVALID`,
 *   `PASSPHRASE_WRONG`, `CHAIN_UNSUITABLE`, `FUNDS_INSUFFICIENT`, `LEDGER_UNREACHABLE`.
 */
export const deployNetwork = async (parameters: DeployNetworkParameters): Promise<NetworkFile> => {
  const { rpc, out, clock, logger, signal } = parameters
  if (!URL.canParse(rpc)) {
    throw new HoldfastError({ code: 'USAGE', reason: `--rpc is not a URL: "${rpc}"` })
  }
  const config = await readDeployConfig(parameters.config)
  const isThere = await access(out).then(
    () => true,
    () => false,
  )
  if (isThere) {
    const reason = 'the network file is already there; name another with --out'
    throw new HoldfastError({ code: 'NETWORK_EXISTS', path: out, reason })
  }
  const signer = await openKeystore(config.keystore, await readPassphrase(config.passphraseFile))
  const chain = await openChain({ rpc: [rpc], clock, logger, stop: signal })
  logger.info('deploying', { chain: chain.chainId, account: signer.address })
  const params = await deployContracts(chain, signer, config.parameters)
  const network: NetworkFile = {
    ...params,
    rpc: config.rpc.length > 0 ? config.rpc : [rpc],
    drandUrls: config.drandUrls,
  }
  await writeNetwork(out, network)
  return network
}
