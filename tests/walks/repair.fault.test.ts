/**
 * The way back after a loss: a provider's files are overwritten, it says so on chain, and `holdfast
 * repair` brings the bytes from the other replica through the client's own retrieval. The old deal
 * goes on: the provider shows on chain that it has the bytes, is proven and paid again, nothing is bought.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { period } from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { noise, readTree } from '../support/corpus.ts'
import { Network } from '../support/network.ts'
import {
  dealOnChain,
  type Published,
  type PublishedDeal,
  publish,
  untilProven,
} from '../support/publishing.ts'
import { spoil } from '../support/spoiling.ts'
import { until } from '../support/wait.ts'

const CONTENT = noise(1_500_000, 17)

let network: Network
let published: Published
let harmed: PublishedDeal
let sound: PublishedDeal

beforeAll(async () => {
  network = await Network.start()
  mkdirSync(network.path('dataset'))
  writeFileSync(join(network.path('dataset'), 'bytes.bin'), CONTENT)
  published = await publish(network, network.path('dataset'))
  const [first, second] = published.deals
  if (first === undefined || second === undefined) throw new Error('there are two replicas')
  harmed = first
  sound = second
  for (const { id } of published.deals) await untilProven(network, id, 1)
  const { home } = await network.process(harmed.provider)
  expect(spoil(home, CONTENT)).toBeGreaterThan(1000)
  await until('the harmed deal is faulty on chain', async () =>
    (await dealOnChain(network, harmed.id)).state === 'faulty' ? true : undefined,
  )
})

afterAll(() => network?.close())

test('repair brings the bytes back, and the same deal is active again', async () => {
  const before = await dealOnChain(network, sound.id)
  const told = await network.value<{
    readonly repaired: readonly { deal: string; provider: string; state: string }[]
    readonly failures: readonly unknown[]
  }>('repair', published.dataset, '--timeout', '3m')
  expect(told.failures).toEqual([])
  expect(told.repaired).toMatchObject([
    { deal: harmed.id, provider: harmed.provider, state: 'active' },
  ])
  const deal = await dealOnChain(network, harmed.id)
  expect(deal.state).toBe('active')
  expect(deal.recoveredAt).toBeDefined()
  expect((await dealOnChain(network, sound.id)).deposit).toBe(before.deposit)
})

test('it is proven again from the period that it came back in, and shows its entries', async () => {
  const { recoveredAt, end } = await dealOnChain(network, harmed.id)
  const from = recoveredAt ?? period(0n)
  await until('two periods after the recovery are proven', async () => {
    const proven = await network.ledger.proven(harmed.provider, from, end)
    return proven.length >= 2 ? true : undefined
  })
  await until('the provider shows a committed period of the repaired deal', async () => {
    const { checks } = await network.value<{
      readonly checks: readonly { deal: string; state: string }[]
    }>('proofs', published.dataset)
    const state = checks.find(({ deal }) => deal === harmed.id)?.state
    return state === 'shown' ? true : undefined
  })
})

test('with the other replica gone, the dataset comes back whole from the repaired one', async () => {
  await network.kill(sound.provider)
  const copy = network.path('copy')
  expect((await network.holdfast('get', published.dataset, '--out', copy)).exit).toBe(0)
  expect(readTree(copy)).toEqual(readTree(network.path('dataset')))
})

test('repair has nothing more to do, and says so', async () => {
  expect((await network.holdfast('repair', published.dataset)).exit).toBe(9)
})
