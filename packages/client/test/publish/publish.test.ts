/**
 * Publishing on a simulated network: two replicas, the exact bill, failures of providers, and above
 * all that a run may be cut off at any call, before or after its effect, and the next one finishes
 * without buying anything twice.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, systemRandom } from '@holdfast/chain'
import { amount, costOf, HoldfastError, milliseconds, periods } from '@holdfast/protocol'
import { openProver, type Prover } from '@holdfast/prover'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { makePlan } from '../../src/plan.ts'
import { type Published, type PublishRequest, publish } from '../../src/publish.ts'
import { openNode, readFile } from '../../src/retrieve/unixfs-reader.ts'
import { openDataset } from '../../src/retrieve.ts'
import { seeded, temporary } from '../support.ts'
import { FakeNetwork } from './fake-network.ts'

let prover: Prover
let source: string

beforeAll(async () => {
  prover = await openProver({ threads: 1 })
  source = join(await temporary(), 'source')
  await mkdir(source)
  await writeFile(join(source, 'large'), seeded('publish', 700_000))
  await writeFile(join(source, 'small'), 'small')
})

afterAll(() => prover.close())

/** Time passes at once. */
const clock = { now: systemClock.now, sleep: async () => undefined }

const wishes = (network: FakeNetwork, more: Partial<PublishRequest> = {}): PublishRequest => ({
  path: source,
  replicas: 2,
  pack: {},
  periods: periods(100),
  token: network.token,
  region: '',
  maxPrice: undefined,
  ...more,
})

const run = (network: FakeNetwork, home: string, more = {}): Promise<Published> =>
  publish(
    {
      ledger: network.ledger,
      signer: network.publisher,
      prover,
      connect: network.connect,
      clock,
      random: systemRandom,
      home,
    },
    wishes(network, more),
  )

const deals = (network: FakeNetwork) => network.ledger.deals({ client: network.publisher.address })

test('two replicas at the two cheapest providers; the bill is the deposit, to the unit', async () => {
  const network = await FakeNetwork.create(3)
  const before = await network.ledger.balance(network.publisher.address, network.token.address)
  const published = await run(network, await temporary())
  expect(published.unchanged).toBe(false)
  expect(published.deals.map(({ terms }) => terms.provider).sort()).toEqual(
    network.providers
      .slice(0, 2)
      .map(({ provider }) => provider)
      .sort(),
  )
  const { period } = network.chain.network
  const bill = published.deals.reduce(
    (sum, { terms }) => sum + costOf({ rate: terms.rate, period, periods: terms.periods }),
    0n,
  )
  expect(published.total).toBe(bill)
  const after = await network.ledger.balance(network.publisher.address, network.token.address)
  expect(before - after).toBe(bill)
  // The publisher's own key signs no voucher.
  expect(network.providers.map(({ granted }) => granted)).toEqual([1, 1, 0])
})

test('what was published is read back through the ledger, with one provider down', async () => {
  const network = await FakeNetwork.create(2)
  const { packed } = await run(network, await temporary())
  const [first] = network.providers
  if (first !== undefined) first.down = true
  const dataset = await openDataset(
    { ledger: network.ledger, connect: network.connect, clock: systemClock },
    packed.root,
  )
  const node = await dataset.resolve(['large'])
  if (node.kind !== 'file') throw new Error(node.kind)
  const pieces: Uint8Array[] = []
  for await (const piece of readFile(dataset.blocks, node, { start: 0n, end: node.size })) {
    pieces.push(Uint8Array.from(piece))
  }
  expect(Buffer.concat(pieces).equals(seeded('publish', 700_000))).toBe(true)
  expect((await openNode(dataset.blocks, packed.root)).kind).toBe('directory')
  await dataset.close()
})

test('publishing again buys nothing; from another home too', async () => {
  const network = await FakeNetwork.create(3)
  const home = await temporary()
  await run(network, home)
  for (const place of [home, await temporary()]) {
    const again = await run(network, place)
    expect(again.unchanged).toBe(true)
    expect(again.deals).toHaveLength(2)
  }
  expect(await deals(network)).toHaveLength(2)
  const third = await run(network, home, { replicas: 3 })
  expect(third.deals).toHaveLength(3)
  expect(await deals(network)).toHaveLength(3)
})

describe('cut off at any call', () => {
  const calls = ['describe', 'quote', 'openUpload', 'putPart', 'commitUpload', 'proposeDeal']
  const cases = calls.flatMap((call) =>
    (['before', 'after'] as const).flatMap((moment) =>
      [1, 2].map((count) => ({ call, moment, count })),
    ),
  )

  test.each(cases)('$moment the effect of $call number $count', async ({ call, moment, count }) => {
    const network = await FakeNetwork.create(3)
    const home = await temporary()
    let seen = 0
    let cut = false
    network.gate = (name, when) => {
      if (name === call && when === moment) seen += 1
      // From the cut on nothing works any more, as after a kill.
      if (cut || (name === call && when === moment && seen === count)) {
        cut = true
        throw new HoldfastError({ code: 'ABORTED' })
      }
    }
    await run(network, home).catch(() => undefined)
    expect(cut).toBe(true)
    network.gate = () => undefined
    const published = await run(network, home)
    expect(published.deals).toHaveLength(2)
    expect(new Set(published.deals.map(({ terms }) => terms.provider)).size).toBe(2)
    expect(await deals(network)).toHaveLength(2)
    const sent = network.providers.reduce((sum, { received }) => sum + received, 0)
    // Parts in flight at the cut may come twice, nothing else does.
    expect(sent).toBeLessThanOrEqual(2 * Number(published.packed.length) + 16 * 2 ** 18)
  })
})

test('two runs at once do not both buy: one is told to wait', async () => {
  const network = await FakeNetwork.create(3)
  const home = await temporary()
  const results = await Promise.allSettled([run(network, home), run(network, home)])
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  for (const reason of refused) expect(HoldfastError.is(reason, 'HOME_IN_USE')).toBe(true)
  expect(refused.length).toBeLessThan(2)
  expect(await deals(network)).toHaveLength(2)
})

test('a provider that fails in the upload is replaced by the next one', async () => {
  const network = await FakeNetwork.create(3)
  network.gate = (name, _moment, provider) => {
    if (provider !== 0 || name !== 'putPart') return
    throw new HoldfastError({ code: 'DISK_FULL', needed: 1n, available: 0n })
  }
  const published = await run(network, await temporary())
  expect(published.deals.map(({ terms }) => terms.provider).sort()).toEqual(
    network.providers
      .slice(1)
      .map(({ provider }) => provider)
      .sort(),
  )
  expect(published.failures.map(({ error }) => error.code)).toEqual(['DISK_FULL'])
})

test('a proposal that got no answer is not replaced while it may still be opened', async () => {
  const network = await FakeNetwork.create(3)
  const home = await temporary()
  network.gate = (name, moment, provider) => {
    if (provider !== 0 || name !== 'proposeDeal' || moment !== 'after') return
    throw new HoldfastError({ code: 'PEER_UNREACHABLE', peer: 'test', reason: 'cut' })
  }
  const published = await run(network, home)
  expect(published.deals).toHaveLength(1)
  expect(published.failures.map(({ error }) => error.code)).toEqual(['PEER_UNREACHABLE'])
  expect(await deals(network)).toHaveLength(2)
  network.gate = () => undefined
  expect((await run(network, home)).deals).toHaveLength(2)
  expect(await deals(network)).toHaveLength(2)
})

test('too little money is said before anything is sent', async () => {
  const network = await FakeNetwork.create(2)
  const { address } = network.token
  const all = await network.ledger.balance(network.publisher.address, address)
  await network.ledger.withdraw(address, amount(all - 1n))
  const failure = await run(network, await temporary()).catch((error: unknown) => error)
  if (!HoldfastError.is(failure, 'FUNDS_INSUFFICIENT')) throw failure
  expect(failure.detail).toMatchObject({ available: 1n })
  expect(network.providers.every(({ received }) => received === 0)).toBe(true)
})

test('too few providers is said before anything is sent', async () => {
  const network = await FakeNetwork.create(3)
  for (const more of [{ replicas: 4 }, { region: 'odd' }, { maxPrice: amount(2_000_000) }]) {
    const failure = await run(network, await temporary(), more).catch((error: unknown) => error)
    if (!HoldfastError.is(failure, 'PARTIAL')) throw failure
  }
  expect(network.providers.every(({ received }) => received === 0)).toBe(true)
})

test('a plan charges exactly its bill; changed content and declined bills stop it', async () => {
  const network = await FakeNetwork.create(3)
  const { ledger, connect } = network
  const request = wishes(network)
  const plan = await makePlan({ ledger, connect, clock: systemClock }, request)
  const expected = plan.packed.root
  const from = { offers: plan.offers, expected }
  const declined = await run(network, await temporary(), {
    ...from,
    approve: async () => false,
  }).catch((error: unknown) => error)
  expect(HoldfastError.is(declined, 'DECLINED')).toBe(true)
  const published = await run(network, await temporary(), from)
  expect(published.total).toBe(plan.total)
  const other = join(await temporary(), 'other')
  await mkdir(other)
  const changed = await run(network, await temporary(), { ...from, path: other }).catch(
    (error: unknown) => error,
  )
  expect(HoldfastError.is(changed, 'CID_MISMATCH')).toBe(true)
  expect(milliseconds(1)).toBe(1)
})
