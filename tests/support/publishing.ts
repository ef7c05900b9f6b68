/**
 * What several walks do first: put money into the vault, publish a folder with two replicas, and
 * look the deals up on chain. The types say what `holdfast publish --json` promises.
 */
import type { Deal } from '@holdfast/chain'
import { type DealId, type ProviderId, period } from '@holdfast/protocol'
import type { Network } from './network.ts'
import { until } from './wait.ts'

export interface PublishedDeal {
  readonly id: DealId
  readonly provider: ProviderId
  readonly rate: string
  readonly start: string
  readonly end: string
}

export interface Published {
  readonly dataset: string
  readonly bytes: number | string
  readonly blocks: number
  readonly payload: {
    readonly scheme: string
    readonly root: string
    readonly length: number | string
  }
  readonly deals: readonly PublishedDeal[]
  readonly cost: { readonly token: string; readonly total: string }
}

/** Funds the publisher and publishes `path` with two replicas. */
export const publish = async (network: Network, path: string): Promise<Published> => {
  await network.value('fund', '1000', '--yes')
  return network.value<Published>('publish', path, '--replicas', '2', '--yes')
}

/** The deal as the contracts hold it. */
export const dealOnChain = async (network: Network, id: DealId): Promise<Deal> => {
  const deal = await network.ledger.deal(id)
  if (deal === undefined) throw new Error(`deal ${id} is not on chain`)
  return deal
}

/** How many of a deal's periods its provider has proven on chain so far. */
export const provenPeriods = async (network: Network, deal: Deal): Promise<number> => {
  const { provider } = deal.terms
  return (await network.ledger.proven(provider, deal.start, deal.end)).length
}

/** Waits until a deal has at least `count` proven periods. */
export const untilProven = async (network: Network, id: DealId, count: number): Promise<void> => {
  const deal = await dealOnChain(network, id)
  await until(`${count} periods of deal ${id} are proven`, async () =>
    (await provenPeriods(network, deal)) >= count ? true : undefined,
  )
}

/** Waits until the chain is `periods` past the given one, seen by the seeds it holds. */
export const untilSeedOf = async (network: Network, index: bigint): Promise<void> => {
  await until(`the seed of period ${index} is posted`, () => network.ledger.seed(period(index)))
}
