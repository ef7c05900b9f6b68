/**
 * The fifth walk: a provider dies without a word. The dataset is read from the other one, the dead
 * one's periods stay unproven on chain, and nobody pays for them.
 */
import { mkdirSync } from 'node:fs'
import type { Deal } from '@holdfast/chain'
import { costOf, type Period, period, periods } from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readTree, writeSmallTree } from '../support/corpus.ts'
import { Network } from '../support/network.ts'
import {
  dealOnChain,
  type Published,
  type PublishedDeal,
  publish,
  untilProven,
  untilSeedOf,
} from '../support/publishing.ts'
import { until } from '../support/wait.ts'

let network: Network
let folder: string
let published: Published
let lost: PublishedDeal
let kept: PublishedDeal
/** The first period that began after the provider was dead. */
let dead: Period

/** The newest period that has a seed. */
const newestPeriod = async (): Promise<Period> => {
  const { genesis, period: length } = network.ledger.network
  const { timestamp } = await network.ledger.tip()
  return period((timestamp - genesis) / length)
}

beforeAll(async () => {
  network = await Network.start()
  folder = network.path('dataset')
  mkdirSync(folder)
  writeSmallTree(folder)
  published = await publish(network, folder)
  const [first, second] = published.deals
  if (first === undefined || second === undefined) throw new Error('there are no two deals')
  lost = first
  kept = second
  await untilProven(network, lost.id, 1)
  await untilProven(network, kept.id, 1)
  await network.kill(lost.provider)
  dead = period((await newestPeriod()) + 1n)
})

afterAll(() => network?.close())

test('the dataset comes back from the provider that is left', async () => {
  const copy = network.path('copy')
  const outcome = await network.holdfast('get', published.dataset, '--out', copy)
  expect(outcome.exit).toBe(0)
  expect(readTree(copy)).toEqual(readTree(folder))
})

test('the dead provider misses its periods while the other one proves them', async () => {
  await untilSeedOf(network, dead + 3n)
  const through = period(dead + 2n)
  const missed = await network.ledger.proven(lost.provider, dead, through)
  expect(missed).toEqual([])
  const proven = await network.ledger.proven(kept.provider, dead, through)
  expect(proven).toHaveLength(2)
})

test('nobody pays for a missed period, whoever settles', async () => {
  const before = await dealOnChain(network, lost.id)
  const writer = await network.writer('publisher')
  const after = await until('the dead provider is settled past its death', async () => {
    await writer.settle([lost.id, kept.id])
    const deal = await dealOnChain(network, lost.id)
    return deal.settledThrough >= dead + 2n ? deal : undefined
  })
  const owed = async (deal: Deal): Promise<bigint> => {
    const { provider, rate } = deal.terms
    const proven = await network.ledger.proven(provider, deal.start, deal.settledThrough)
    const { period: length } = network.ledger.network
    return costOf({ rate, period: length, periods: periods(proven.length) })
  }
  expect(after.paid).toBe(await owed(after))
  expect(after.paid).toBeGreaterThanOrEqual(before.paid)
  const other = await dealOnChain(network, kept.id)
  expect(other.paid).toBe(await owed(other))
  expect(other.paid).toBeGreaterThan(after.paid)
})

test('status tells the replicas apart', async () => {
  const status = await network.value<{
    readonly replicas: readonly { deal: string; provenPeriods: number | string }[]
  }>('status', published.dataset)
  const count = (id: string): number =>
    Number(status.replicas.find(({ deal }) => deal === id)?.provenPeriods)
  expect(count(kept.id)).toBeGreaterThan(count(lost.id))
})
