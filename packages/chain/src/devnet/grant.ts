/**
 * Play money on a running embedded network, for commands of other processes: whoever can read the
 * devnet's key folder can give coin for gas and test tokens to any account.
 */
import { join } from 'node:path'
import { type Address, type Clock, HoldfastError, silentLogger } from '@holdfast/protocol'
import { openChain } from '../evm/client.ts'
import { Transactor } from '../evm/transactor.ts'
import { openKeystore, readPassphrase } from '../keys/keystore-file.ts'
import type { NetworkFile } from '../network-file.ts'
import { chainControl } from './chain-rpc.ts'
import { mintData } from './populate.ts'

/** 100 coins: gas for as long as an embedded network lives. */
const GAS = 100n * 10n ** 18n

/**
 * Gives `owner` gas, and `units` base units of the network's first token.
 * @throws HoldfastError `CONFIG_INVALID` when the network is no embedded one.
 */
export const grantDevnetFunds = async (
  network: NetworkFile,
  to: { readonly owner: Address; readonly units: bigint },
  clock: Clock,
): Promise<void> => {
  const [url] = network.rpc
  const [token] = network.tokens
  if (network.devnet === undefined || url === undefined || token === undefined) {
    const reason = 'only an embedded network gives money away'
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: 'network', reason })
  }
  const { keys } = network.devnet
  const passphrase = await readPassphrase(join(keys, 'deployer.pass'))
  const signer = await openKeystore(join(keys, 'deployer.json'), passphrase)
  await chainControl(url).give(to.owner, GAS)
  const stop = new AbortController()
  try {
    const chain = await openChain({
      ...{ rpc: network.rpc, clock, logger: silentLogger },
      stop: stop.signal,
    })
    const transactor = new Transactor(chain, signer)
    await transactor.send({ to: token.address, data: mintData(to.owner, to.units) })
  } finally {
    stop.abort()
  }
}
