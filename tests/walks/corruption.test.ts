/**
 * What the guarantees are worth when a disk lies: bytes of a stored payload are overwritten behind
 * the node's back. The provider's next answer or read names deal and leaf, that deal is no longer
 * proven or paid while the same provider's other deal is, and `get` never gives out a wrong byte.
 */
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
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
import { filesBelow, spoil } from '../support/spoiling.ts'
import { until } from '../support/wait.ts'

const NAME = 'bytes.bin'

let network: Network
let harmed: Published
let sound: Published
/** The deals of one provider that holds both datasets. */
let harmedDeal: PublishedDeal
let soundDeal: PublishedDeal

const publishNoise = (name: string, length: number, seed: number): Promise<Published> => {
  const folder = network.path(name)
  mkdirSync(folder)
  const file = openSync(join(folder, NAME), 'w')
  writeSync(file, noise(length, seed))
  closeSync(file)
  return publish(network, folder)
}

const dealAt = (published: Published, provider: string): PublishedDeal => {
  const deal = published.deals.find((one) => one.provider === provider)
  if (deal === undefined) throw new Error(`${provider} has no deal for ${published.dataset}`)
  return deal
}

beforeAll(async () => {
  network = await Network.start()
  harmed = await publishNoise('harmed', 1_500_000, 11)
  sound = await publishNoise('sound', 1_400_000, 13)
  const provider = harmed.deals[0]?.provider ?? ''
  harmedDeal = dealAt(harmed, provider)
  soundDeal = dealAt(sound, provider)
  await untilProven(network, harmedDeal.id, 1)
  await untilProven(network, soundDeal.id, 1)
  const { home } = await network.process(harmedDeal.provider)
  expect(spoil(home, noise(1_500_000, 11))).toBeGreaterThan(1000)
})

afterAll(() => network?.close())

test('get gives the true bytes, from the replica that still has them', async () => {
  for (const round of [1, 2, 3]) {
    const copy = network.path(`copy-${round}`)
    const outcome = await network.holdfast('get', harmed.dataset, '--out', copy)
    expect(outcome.exit).toBe(0)
    expect(readTree(copy)).toEqual(readTree(network.path('harmed')))
  }
})

test('the provider names the deal and the leaf, and the deal leaves its tree', async () => {
  const deal = await until('the harmed deal is faulty on chain', async () => {
    const found = await dealOnChain(network, harmedDeal.id)
    return found.state === 'faulty' ? found : undefined
  })
  expect(deal.faultedFrom).toBeDefined()
  const log = await network.log(harmedDeal.provider)
  const lines = log.split('\n').filter((line) => line.includes(harmedDeal.id))
  expect(lines.some((line) => /"leaf":/.test(line))).toBe(true)
})

test('the harmed deal is no longer paid, the other one is', async () => {
  const before = await dealOnChain(network, harmedDeal.id)
  const first = before.faultedFrom ?? period(0n)
  await until('a later period is proven', async () => {
    const sounding = await dealOnChain(network, soundDeal.id)
    const proven = await network.ledger.proven(soundDeal.provider, period(first + 1n), sounding.end)
    return proven.length >= 2 ? true : undefined
  })
  const writer = await network.writer('publisher')
  const paidSound = (await dealOnChain(network, soundDeal.id)).paid
  await writer.settle([harmedDeal.id])
  const paidOnce = (await dealOnChain(network, harmedDeal.id)).paid
  const grown = await until('the sound deal is paid again', async () => {
    await writer.settle([harmedDeal.id, soundDeal.id])
    const { paid } = await dealOnChain(network, soundDeal.id)
    return paid > paidSound ? paid : undefined
  })
  expect(grown).toBeGreaterThan(paidSound)
  expect((await dealOnChain(network, harmedDeal.id)).paid).toBe(paidOnce)
})

test('without any true replica get fails, names what it tried, and writes no wrong byte', async () => {
  const other = harmed.deals.find(({ provider }) => provider !== harmedDeal.provider)
  if (other === undefined) throw new Error('there is no second replica')
  await network.kill(other.provider)
  const copy = network.path('copy-of-nothing')
  const outcome = await network.holdfast('get', harmed.dataset, '--out', copy)
  expect(outcome.exit).not.toBe(0)
  expect(outcome.stderr).toContain(harmedDeal.provider)
  const written = filesBelow(network.path()).filter((path) => path.startsWith(copy))
  const truth = readFileSync(join(network.path('harmed'), NAME))
  for (const path of written) {
    const bytes = readFileSync(path)
    expect(truth.subarray(0, bytes.length).equals(bytes)).toBe(true)
  }
})
