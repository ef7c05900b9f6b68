/**
 * The third walk: proven time becomes money. What is paid is recomputed here from the signed rate,
 * with the protocol's pure functions, and must equal what the contracts moved, to the unit.
 */
import { mkdirSync } from 'node:fs'
import type { Deal } from '@holdfast/chain'
import { costOf, EXIT_CODES, feeOf, periods } from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { writeSmallTree } from '../support/corpus.ts'
import { Network } from '../support/network.ts'
import { dealOnChain, type Published, publish } from '../support/publishing.ts'
import { until } from '../support/wait.ts'

let network: Network
let published: Published
let settled: readonly Deal[]

/** The deal once at least two of its periods are settled. */
const untilSettled = (id: Published['deals'][number]['id']): Promise<Deal> =>
  until(`two periods of deal ${id} are settled`, async () => {
    const deal = await dealOnChain(network, id)
    return deal.settledThrough >= deal.start + 2n && deal.paid > 0n ? deal : undefined
  })

beforeAll(async () => {
  network = await Network.start()
  const folder = network.path('dataset')
  mkdirSync(folder)
  writeSmallTree(folder)
  published = await publish(network, folder)
  settled = await Promise.all(published.deals.map(({ id }) => untilSettled(id)))
})

afterAll(() => network?.close())

test('a deal has paid for its proven periods and for nothing else', async () => {
  for (const deal of settled) {
    const { provider, rate } = deal.terms
    const proven = await network.ledger.proven(provider, deal.start, deal.settledThrough)
    const { period } = network.ledger.network
    expect(deal.paid).toBe(costOf({ rate, period, periods: periods(proven.length) }))
  }
})

test('what left the escrow was paid, what was not paid is still there', () => {
  for (const deal of settled) expect(deal.escrow + deal.paid).toBe(deal.terms.deposit)
})

test('the fee account has its part of every payout, rounded down', async () => {
  const [first] = settled
  if (first === undefined) throw new Error('there is no deal')
  const { token } = first.terms
  const { feeBps } = network.ledger.network
  const fees = await until('the fees of a quiet moment', async () => {
    const before = await Promise.all(published.deals.map(({ id }) => dealOnChain(network, id)))
    const collected = await network.ledger.feesCollected(token)
    const after = await Promise.all(published.deals.map(({ id }) => dealOnChain(network, id)))
    const still = before.every((deal, index) => deal.paid === after[index]?.paid)
    return still ? { collected, deals: after } : undefined
  })
  const owed = fees.deals.reduce((sum, { paid }) => sum + feeOf(paid, feeBps), 0n)
  expect(fees.collected).toBe(owed)
})

test('settling again for the same periods moves nothing more', async () => {
  for (const { id } of published.deals) {
    const now = await dealOnChain(network, id)
    const later = await dealOnChain(network, id)
    const grown = later.settledThrough > now.settledThrough
    expect(grown || later.paid === now.paid).toBe(true)
  }
})

test('a publisher who gives notice sees the deals end after it, and has nothing to do twice', async () => {
  type Said = { readonly deals: readonly { readonly did: string; readonly endsAt: number }[] }
  const before = await Promise.all(published.deals.map(({ id }) => dealOnChain(network, id)))
  const { deals } = await network.value<Said>('terminate', published.dataset, '--yes')
  const { genesis, period: length } = network.ledger.network
  for (const deal of before) {
    const { end } = await dealOnChain(network, deal.id)
    expect(end).toBeLessThan(deal.end)
    expect(deals).toContainEqual(
      expect.objectContaining({
        ...{ deal: deal.id, did: 'notice' },
        endsAt: Number(genesis + end * length),
      }),
    )
  }
  const again = await network.holdfast('terminate', published.dataset, '--yes', '--json')
  expect(again.exit).toBe(EXIT_CODES.nothingToDo)
})
