/** What follows from a provider's configuration and its network, purely. */
import { resolve } from 'node:path'
import type { NetworkParams } from '@holdfast/chain'
import { signingDomain } from '@holdfast/chain'
import { HoldfastError, type Signer } from '@holdfast/protocol'
import type { ProviderConfig } from './config.ts'
import type { QuotePolicy } from './deals/quotes.ts'
import type { HomePaths } from './home.ts'
import type { VolumePlan } from './store/volume-list.ts'

/** @throws HoldfastError `CONFIG_INVALID` for a token that the network does not take. */
export const checkToken = ({ token }: ProviderConfig, network: NetworkParams): void => {
  if (!network.tokens.some(({ address }) => address === token)) {
    const reason = `the network takes no token ${token}`
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: 'token', reason })
  }
}

/** What is asked for storage, from the configuration. */
export const quotePolicy = (
  config: ProviderConfig,
  operator: Signer,
  network: NetworkParams,
): QuotePolicy => {
  const { provider, token, pricePerTibMonth, provingFeeMonth, egressPerTib, region } = config
  return {
    provider,
    operator: operator.address,
    domain: signingDomain(network),
    period: network.period,
    payloadBytesMax: config.payloadBytesMax,
    token,
    pricePerTibMonth,
    provingFeeMonth,
    egressPerTib,
    region,
  }
}

/** The volumes of a configuration: those it names, else the one that `init` made. */
export const volumesOf = (
  { volumes, capacity }: ProviderConfig,
  { home, volume }: Pick<HomePaths, 'home' | 'volume'>,
): readonly VolumePlan[] =>
  volumes === undefined
    ? [{ directory: volume, capacity }]
    : volumes.map((plan) => ({ ...plan, directory: resolve(home, plan.directory) }))
