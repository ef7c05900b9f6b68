/**
 * The end of a dataset, on the ledger in memory: each run takes the steps that are due, and what comes
 * back is what the ledger moved.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Deal, systemClock, systemRandom } from '@holdfast/chain'
import {
  finalAt,
  HoldfastError,
  period,
  periodStart,
  periods,
  seconds,
  timestamp,
} from '@holdfast/protocol'
import { openProver, type Prover } from '@holdfast/prover'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { publish } from '../src/publish.ts'
import { planEndings, type Terminated, takeSteps } from '../src/terminate.ts'
import { FakeNetwork } from './publish/fake-network.ts'
import { seeded, temporary } from './support.ts'

let prover: Prover
let source: string
let network: FakeNetwork
let root: Awaited<ReturnType<typeof publish>>['packed']['root']

beforeAll(async () => {
  prover = await openProver({ threads: 1 })
  source = join(await temporary(), 'source')
  await mkdir(source)
  await writeFile(join(source, 'file'), seeded('terminate', 100_000))
})

afterAll(() => prover.close())

const clock = { now: systemClock.now, sleep: async () => undefined }
const TERM = 100

beforeEach(async () => {
  network = await FakeNetwork.create(2)
  const { ledger, publisher: signer, connect, token } = network
  const ambient = { prover, clock, random: systemRandom, home: await temporary() }
  const wishes = { periods: periods(TERM), token, region: '', maxPrice: undefined }
  const request = { path: source, replicas: 2, pack: {}, ...wishes }
  const published = await publish({ ledger, signer, connect, ...ambient }, request)
  root = published.packed.root
})

const deals = (): Promise<readonly Deal[]> => network.ledger.deals({})

const free = (): Promise<bigint> =>
  network.ledger.balance(network.publisher.address, network.token.address)

const run = async (only?: Deal['id'], client = network.publisher.address): Promise<Terminated> => {
  const request = { root, ...(only === undefined ? {} : { deal: only }) }
  const plan = await planEndings(
    network.ledger,
    { client, request },
    { now: timestamp(network.chain.time) },
  )
  return takeSteps(network.ledger, plan)
}

const goTo = (time: bigint): void => {
  network.chain.setTime(timestamp(time))
  network.chain.advance(seconds(0n))
}

test('notice brings the end of every deal nearer, and a second run has nothing to do', async () => {
  const before = await deals()
  const { endings, failures } = await run()
  expect(failures).toEqual([])
  expect(endings.map(({ did, state }) => [did, state])).toEqual([
    ['notice', 'ending'],
    ['notice', 'ending'],
  ])
  const after = await deals()
  for (const [index, { end, terms }] of after.entries()) {
    expect(end).toBeLessThan(before[index]?.end ?? 0n)
    expect(endings.find(({ provider }) => provider === terms.provider)?.endsAt).toBe(
      periodStart(network.chain.network, end),
    )
  }
  const again = await run()
  expect(again.endings.map(({ did, state }) => [did, state])).toEqual([
    ['nothing', 'ending'],
    ['nothing', 'ending'],
  ])
  expect((await deals()).map(({ end }) => end)).toEqual(after.map(({ end }) => end))
})

test('a deal that is over is closed when it is final and not before; what comes back is said', async () => {
  await run()
  const [first] = await deals()
  if (first === undefined) throw new Error('there is no deal')
  const { network: params } = network.chain
  goTo(periodStart(params, first.end))
  const early = await run()
  const final = finalAt(params, period(first.end - 1n))
  expect(early.endings.map(({ state, closesAt }) => [state, closesAt])).toEqual([
    ['settling', final],
    ['settling', final],
  ])
  goTo(final - 1n)
  expect((await run()).endings.map(({ did }) => did)).toEqual(['nothing', 'nothing'])
  goTo(final)
  const had = await free()
  const closed = await run()
  expect(closed.failures).toEqual([])
  const back = closed.endings.map(({ refunded = 0n, compensation = 0n }) => refunded + compensation)
  expect(await free()).toBe(had + back.reduce((sum, part) => sum + part, 0n))
  expect(back.every((part) => part > 0n)).toBe(true)
  expect((await deals()).map(({ state }) => state)).toEqual(['closed', 'closed'])
  const refunds = closed.endings.map(({ refunded }) => refunded)
  expect((await run()).endings.map(({ did, refunded }) => [did, refunded])).toEqual(
    refunds.map((refunded) => ['nothing', refunded]),
  )
})

test('one deal can be ended alone', async () => {
  const [first, second] = await deals()
  if (first === undefined || second === undefined) throw new Error('there are two deals')
  const { endings } = await run(first.id)
  expect(endings.map(({ deal }) => deal)).toEqual([first.id])
  expect((await network.ledger.deal(second.id))?.end).toBe(second.end)
})

test("a stranger has no deals here, and a deal of another dataset is not this one's", async () => {
  const { address } = network.token
  await expect(run(undefined, address)).rejects.toMatchObject({ code: 'DATASET_NOT_FOUND' })
  const other = `0x${'5a'.repeat(32)}` as Deal['id']
  await expect(run(other)).rejects.toThrow(HoldfastError)
})
