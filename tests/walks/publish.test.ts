/**
 * The first walk: a folder becomes blocks, a payload, stored bytes and two deals on chain. What the
 * command prints is compared with what can be computed offline and with what the contracts hold. The
 * session key that signed for it can be taken back.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { writeSmallTree } from '../support/corpus.ts'
import { Network } from '../support/network.ts'
import { dealOnChain, type Published, publish } from '../support/publishing.ts'
import { stolenKey } from '../support/stolen-key.ts'

let network: Network
let folder: string
let published: Published

beforeAll(async () => {
  network = await Network.start({ providers: 3 })
  folder = network.path('dataset')
  mkdirSync(folder)
  writeSmallTree(folder)
  published = await publish(network, folder)
})

afterAll(() => network?.close())

test('the dataset has the root CID that can be computed offline', async () => {
  const { cid } = await network.value<{ cid: string }>('cid', folder)
  expect(published.dataset).toBe(cid)
})

test('the payload is the CAR that pack writes, under the commitment of commit', async () => {
  const car = network.path('payload.car')
  await network.value('pack', folder, '--out', car)
  const commitment = await network.value<{ root: string; length: number | string }>('commit', car)
  expect(published.payload.root).toBe(commitment.root)
  expect(String(published.payload.length)).toBe(String(commitment.length))
})

test('two different providers hold it under deals that both sides signed', async () => {
  expect(published.deals).toHaveLength(2)
  expect(new Set(published.deals.map(({ provider }) => provider)).size).toBe(2)
  for (const { id, provider, rate, start, end } of published.deals) {
    const deal = await dealOnChain(network, id)
    expect(deal.state).toBe('active')
    expect(deal.terms.provider).toBe(provider)
    expect(deal.terms.root).toBe(published.payload.root)
    expect(String(deal.terms.length)).toBe(String(published.payload.length))
    expect([deal.terms.rate, deal.start, deal.end].map(String)).toEqual([rate, start, end])
  }
})

test('the money for both deals left the free balance and is in escrow, to the unit', async () => {
  const deals = await Promise.all(published.deals.map(({ id }) => dealOnChain(network, id)))
  const deposits = deals.reduce((sum, { terms }) => sum + terms.deposit, 0n)
  for (const deal of deals) expect(deal.escrow + deal.paid).toBe(deal.terms.deposit)
  const [first] = deals
  if (first === undefined) throw new Error('there is no deal')
  const { client, token } = first.terms
  expect(await network.ledger.balance(client, token)).toBe(1_000_000_000n - deposits)
})

interface Grants {
  readonly grants: readonly { readonly key: string; readonly told: readonly string[] }[]
}

test('the key that signed its vouchers, and one that somebody else has, can be taken back', async () => {
  const [deal] = published.deals
  if (deal === undefined) throw new Error('there is a deal')
  const stolen = await stolenKey(network, deal.provider)
  await stolen.open()
  const { nonce, expiry } = stolen.grant
  const flags = ['--nonce', nonce, '--expiry', String(expiry)]
  expect(await network.value('grant', 'revoke', ...flags)).toMatchObject({
    grants: [{ key: null, nonce, failures: [] }],
  })
  await expect(stolen.open()).rejects.toMatchObject({ code: 'VOUCHER_INVALID' })
  stolen.close()
  const { grants } = await network.value<Grants>('grant', 'revoke', '--all')
  expect(grants.map(({ told }) => told.length)).toEqual([3])
})

test('publishing the same folder again does nothing and says so', async () => {
  const again = await network.holdfast('publish', folder, '--replicas', '2', '--yes', '--json')
  expect(again.exit).toBe(9)
  const deals = await network.ledger.deals({})
  expect(deals).toHaveLength(2)
})

test('a path that is not there is named, and no deal comes of it', async () => {
  const outcome = await network.holdfast('publish', network.path('not-there'), '--yes')
  expect(outcome.exit).toBe(3)
  expect(outcome.stderr).toMatch(/not-there/)
})

test('more replicas than there are providers are refused before money moves', async () => {
  const other = network.path('other')
  mkdirSync(other)
  writeSmallTree(other)
  writeFileSync(join(other, 'more.txt'), 'makes it another dataset\n')
  const before = await network.ledger.deals({})
  const outcome = await network.holdfast('publish', other, '--replicas', '4', '--yes')
  expect(outcome.exit).toBe(4)
  expect(await network.ledger.deals({})).toHaveLength(before.length)
})
