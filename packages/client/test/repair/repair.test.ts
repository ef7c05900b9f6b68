/**
 * Repair on a simulated network: the bytes come from a replica that has them, only what has the
 * signed root is sent on, and nothing is bought.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, systemRandom } from '@holdfast/chain'
import { HoldfastError, periods } from '@holdfast/protocol'
import { openProver, type Prover } from '@holdfast/prover'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Published, publish } from '../../src/publish.ts'
import { type Repaired, repair } from '../../src/repair.ts'
import { FakeNetwork } from '../publish/fake-network.ts'
import { seeded, temporary } from '../support.ts'

let prover: Prover
let source: string

beforeAll(async () => {
  prover = await openProver({ threads: 1 })
  source = join(await temporary(), 'source')
  await mkdir(source)
  await writeFile(join(source, 'large'), seeded('repair', 4_500_000))
})

afterAll(() => prover.close())

const clock = { now: systemClock.now, sleep: async () => undefined }

interface Scene {
  readonly network: FakeNetwork
  readonly home: string
  readonly published: Published
}

const scene = async (replicas: number): Promise<Scene> => {
  const network = await FakeNetwork.create(replicas)
  const home = await temporary()
  const { ledger, publisher: signer, connect, token } = network
  const ambient = { prover, clock, random: systemRandom, home }
  const wishes = { periods: periods(100), token, region: '', maxPrice: undefined }
  const request = { path: source, replicas, pack: {}, ...wishes }
  const published = await publish({ ledger, signer, connect, ...ambient }, request)
  return { network, home, published }
}

const repaired = ({ network, home, published }: Scene): Promise<Repaired> => {
  const { ledger, publisher: signer, connect } = network
  const ambient = { prover, clock, random: systemRandom, home }
  const request = { root: published.packed.root, timeoutMs: 0 }
  return repair({ ledger, signer, connect, ...ambient }, request)
}

/** The deal of the provider with this number, and that provider. */
const holder = ({ network, published }: Scene, number: number) => {
  const provider = network.providers[number]
  const deal = published.deals.find(({ terms }) => terms.provider === provider?.provider)
  if (provider === undefined || deal === undefined) throw new Error(`no replica ${number}`)
  return { provider, deal }
}

test('the bytes go from the replica that has them to the one that lost them, under the same deal', async () => {
  const all = await scene(2)
  const { provider, deal } = holder(all, 1)
  const before = await all.network.ledger.balance(
    all.network.publisher.address,
    all.network.token.address,
  )
  await provider.lose(deal)
  provider.received = 0
  const outcome = await repaired(all)
  expect(outcome.failures).toEqual([])
  expect(outcome.repaired).toEqual([
    { deal: deal.id, provider: provider.provider, state: 'stored' },
  ])
  expect(provider.received).toBe(Number(deal.terms.length))
  const after = await all.network.ledger.balance(
    all.network.publisher.address,
    all.network.token.address,
  )
  expect(after).toBe(before)
  expect(await readdir(join(all.home, 'spool'))).toEqual([])
})

test('a replica that gives other bytes is named and left; nothing of it is sent on', async () => {
  const all = await scene(3)
  const lost = holder(all, 2)
  await lost.provider.lose(lost.deal)
  const liar = holder(all, 0)
  liar.provider.spoil(liar.deal.terms.root)
  const outcome = await repaired(all)
  expect(outcome.left.map(({ provider, error }) => [provider, error.code])).toEqual([
    [liar.provider.provider, 'ROOT_MISMATCH'],
  ])
  expect(outcome.repaired).toHaveLength(1)
})

test('without a true replica nothing is sent and every replica asked is named', async () => {
  const all = await scene(2)
  const lost = holder(all, 0)
  await lost.provider.lose(lost.deal)
  lost.provider.received = 0
  holder(all, 1).provider.down = true
  await expect(repaired(all)).rejects.toMatchObject({
    detail: { code: 'REPLICAS_EXHAUSTED', tried: [holder(all, 1).provider.provider] },
  })
  expect(lost.provider.received).toBe(0)
})

test('a provider that is away is a failure of its own deal; the bytes reach the other one', async () => {
  const all = await scene(3)
  const [first, second] = [holder(all, 1), holder(all, 2)]
  await first.provider.lose(first.deal)
  await second.provider.lose(second.deal)
  first.provider.down = true
  const outcome = await repaired(all)
  expect(outcome.repaired.map(({ deal }) => deal)).toEqual([second.deal.id])
  expect(outcome.failures.map(({ deal, error }) => [deal, error.code])).toEqual([
    [first.deal.id, 'PEER_UNREACHABLE'],
  ])
})

test('when no deal is faulty there is nothing to do', async () => {
  const all = await scene(2)
  const failure = await repaired(all).catch((error: unknown) => error)
  expect(HoldfastError.is(failure, 'NOTHING_TO_DO')).toBe(true)
})
