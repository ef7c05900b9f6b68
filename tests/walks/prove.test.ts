/**
 * The second walk: each period has one seed, the seed names leaves, the provider shows them, the
 * contract checks them. Told from the chain's side: seeds, snapshots, proven periods.
 */
import { mkdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { writeSmallTree } from '../support/corpus.ts'
import { Network } from '../support/network.ts'
import { dealOnChain, type Published, publish, untilProven } from '../support/publishing.ts'

let network: Network
let published: Published

beforeAll(async () => {
  network = await Network.start({ providers: 3 })
  const folder = network.path('dataset')
  mkdirSync(folder)
  writeSmallTree(folder)
  published = await publish(network, folder)
})

afterAll(() => network?.close())

test('both replicas are proven period after period, from the one after the opening', async () => {
  for (const { id } of published.deals) {
    await untilProven(network, id, 2)
    const deal = await dealOnChain(network, id)
    const proven = await network.ledger.proven(deal.terms.provider, deal.start, deal.end)
    expect(proven[0]).toBe(deal.start)
  }
})

test('every proven period has a seed, and was proven against a tree that weighs the payload', async () => {
  for (const { id } of published.deals) {
    const deal = await dealOnChain(network, id)
    const { provider, length } = deal.terms
    for (const period of await network.ledger.proven(provider, deal.start, deal.end)) {
      expect(await network.ledger.seed(period)).toBeDefined()
      const { weight } = await network.ledger.snapshot(provider, period)
      expect(weight).toBe((length + 1023n) / 1024n)
    }
  }
})

test('status and proofs tell what the chain tells', async () => {
  await network.value('status', published.dataset, '--wait', 'proven', '--timeout', '60s')
  const status = await network.value<{
    readonly dataset: string
    readonly replicas: readonly { deal: string; provider: string; provenPeriods: number | string }[]
  }>('status', published.dataset)
  expect(status.dataset).toBe(published.dataset)
  expect(status.replicas.map(({ deal }) => deal).sort()).toEqual(
    published.deals.map(({ id }) => id as string).sort(),
  )
  for (const replica of status.replicas)
    expect(Number(replica.provenPeriods)).toBeGreaterThanOrEqual(1)
  const proofs = await network.holdfast('proofs', published.dataset, '--json')
  expect(proofs.exit).toBe(0)
})

test('every provider shows what it committed to, and it leads to the root on the ledger', async () => {
  const { checks } = await network.value<{
    readonly checks: readonly { deal: string; state: string; period: string }[]
  }>('proofs', published.dataset, '--check')
  expect(checks.map(({ state }) => state)).toEqual(['shown', 'shown'])
  expect(checks.map(({ deal }) => deal).sort()).toEqual(
    published.deals.map(({ id }) => id as string).sort(),
  )
})

test('a provider without deals proves nothing and is owed nothing', async () => {
  const holders = new Set(published.deals.map(({ provider }) => provider))
  const idle = (await network.ledger.providers()).filter(({ provider }) => !holders.has(provider))
  expect(idle).toHaveLength(1)
  const deals = await Promise.all(idle.map(({ provider }) => network.ledger.deals({ provider })))
  expect(deals.flat()).toEqual([])
})
