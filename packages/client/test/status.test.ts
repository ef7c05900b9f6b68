/** What status says, on a simulated chain: nothing is proven until it is, and waiting ends. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, systemRandom } from '@holdfast/chain'
import { HoldfastError, milliseconds, periods, seconds } from '@holdfast/protocol'
import { openProver, type Prover } from '@holdfast/prover'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { CID } from 'multiformats/cid'
import { listProviders } from '../src/provider-list.ts'
import { type Published, publish } from '../src/publish.ts'
import { datasetStatus, waitForStatus } from '../src/status.ts'
import { FakeNetwork } from './publish/fake-network.ts'
import { temporary } from './support.ts'

let prover: Prover
let network: FakeNetwork
let published: Published

beforeAll(async () => {
  prover = await openProver({ threads: 1 })
  network = await FakeNetwork.create(2)
  const path = join(await temporary(), 'input')
  await writeFile(path, 'looked at')
  const ambient = { clock: systemClock, random: systemRandom, prover, home: await temporary() }
  const wishes = { periods: periods(10), token: network.token, region: '', maxPrice: undefined }
  const parts = { ledger: network.ledger, signer: network.publisher, connect: network.connect }
  published = await publish({ ...parts, ...ambient }, { path, replicas: 2, pack: {}, ...wishes })
})

afterAll(() => prover.close())

/** Wall time that follows the chain, so that periods pass when the test says so. */
const chainClock = {
  now: () => milliseconds(Number(network.chain.time) * 1000),
  sleep: async () => undefined,
}

const request = () => ({ root: published.packed.root, account: network.publisher.address })

test('open deals are stored, not proven; missed periods are counted once their deadline passed', async () => {
  const clock = chainClock
  const fresh = await datasetStatus(network.ledger, request(), { clock })
  expect(
    fresh.replicas.map(({ state, proven, missed }) => [state, proven.length, missed.length]),
  ).toEqual([
    ['active', 0, 0],
    ['active', 0, 0],
  ])
  const stored = await waitForStatus(
    network.ledger,
    { ...request(), goal: 'stored' },
    { clock, timeoutMs: 0 },
  )
  expect(stored.replicas).toHaveLength(2)
  network.chain.advance(seconds(2900))
  const later = await datasetStatus(network.ledger, request(), { clock })
  for (const { missed, runway } of later.replicas) {
    expect(missed.length).toBe(2)
    expect(Number(runway)).toBeGreaterThan(7000)
  }
  const summaries = await listProviders(network.ledger, {})
  expect(summaries.map(({ proven, score }) => [proven, score])).toEqual([
    [0, 0],
    [0, 0],
  ])
  expect(await listProviders(network.ledger, { minScore: 1 })).toEqual([])
})

test('waiting for what does not happen ends as TIMED_OUT', async () => {
  let now = 0
  const clock = {
    now: () => milliseconds(now),
    sleep: async (duration: number) => {
      now += duration
    },
  }
  const waiting = waitForStatus(
    network.ledger,
    { ...request(), goal: 'proven' },
    { clock, timeoutMs: 5000 },
  )
  const failure = await waiting.catch((error: unknown) => error)
  expect(HoldfastError.is(failure, 'TIMED_OUT')).toBe(true)
  expect(now).toBeGreaterThanOrEqual(5000)
})

test('a dataset nobody stores is not found', async () => {
  const root = CID.parse('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
  const failure = await datasetStatus(
    network.ledger,
    { root, account: undefined },
    { clock: chainClock },
  ).catch((error: unknown) => error)
  expect(HoldfastError.is(failure, 'DATASET_NOT_FOUND')).toBe(true)
})
