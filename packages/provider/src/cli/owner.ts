/**
 * What the owner's commands share: the ledger opened with the owner's key, whose home this is, and how
 * money is said. The key is used for this command and nothing else.
 */
import { resolve } from 'node:path'
import { openEvmLedger, type ProviderLedger, readNetwork, systemClock } from '@holdfast/chain'
import { type Address, HoldfastError, type ProviderId, silentLogger } from '@holdfast/protocol'
import { readConfig } from '../config.ts'
import { homePaths } from '../home.ts'
import { formatTokens } from '../quantity.ts'
import { openKey } from './init.ts'

export interface OwnerFlags {
  readonly home: string
  readonly network?: string
  readonly ownerKeystore: string
  readonly ownerPassphraseFile: string
}

/** The owner at work. */
export interface Owner {
  readonly ledger: ProviderLedger
  readonly provider: ProviderId
  readonly token: Address
  readonly decimals: number
  readonly lock: string
  /** An amount as text with the token's symbol. */
  readonly say: (value: bigint) => string
}

/** Opens, works, closes. @throws HoldfastError `UNAUTHORIZED` when the key is not the owner's. */
export const asOwner = async <T>(
  flags: OwnerFlags,
  work: (owner: Owner) => Promise<T>,
): Promise<T> => {
  const paths = homePaths(resolve(flags.home))
  const config = await readConfig(paths.config)
  const network = await readNetwork(flags.network ?? config.network)
  const signer = await openKey(flags.ownerKeystore, flags.ownerPassphraseFile)
  const { provider, token } = config
  if (signer.address !== provider) {
    const reason = `${signer.address} is not the owner of provider ${provider}`
    throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
  }
  const info = network.tokens.find(({ address }) => address === token)
  const decimals = info?.decimals ?? 0
  const say = (value: bigint): string => `${formatTokens(value, decimals)} ${info?.symbol ?? token}`
  const rpc = config.rpcs ?? network.rpc
  const ledger = await openEvmLedger({
    network,
    rpc,
    signer,
    clock: systemClock,
    logger: silentLogger,
  })
  try {
    return await work({ ledger, provider, token, decimals, lock: paths.lock, say })
  } finally {
    await ledger.close()
  }
}
