/** The provider as a whole, on a simulated chain: upload, deal, proofs, money, reads. */

import { type DealId, providerService, toHex, verifyBundleEntry } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type RunningProvider, TestNetwork, until } from './support/network.ts'
import { commitmentOf, payloadOf } from './support/payloads.ts'

describe('a provider', () => {
  let network: TestNetwork
  let running: RunningProvider

  beforeAll(async () => {
    network = await TestNetwork.create()
    running = await network.start()
  })
  afterAll(async () => {
    await network.close()
  })

  test('describes itself', async () => {
    const answer = await running.client.call(providerService.describe, {})
    expect(answer.provider).toBe(network.owner.address)
    expect(answer.operator).toBe(network.operator.address)
    expect(answer.freeBytes).toBeGreaterThan(0n)
  })

  test('stores, opens a deal, proves periods and is paid to the unit', async () => {
    const payload = payloadOf(300_000)
    const { deal } = await running.client.deal(payload)
    const { state } = running.provider.parts.follower
    expect(state.deal(deal)?.inTree).toBe(true)
    const ledger = network.ledger(network.publisher)
    for (let i = 0; i < 5; i++) {
      const now = network.nextPeriod()
      await until(`period ${now} proven`, () => state.isProven(now))
      await until('no audit is owed', () => state.owedAudit() === undefined)
    }
    await until('a period settled', () => (state.deal(deal)?.settledThrough ?? 0n) > 1n)
    const record = await ledger.deal(deal)
    expect(record?.paid).toBeGreaterThan(0n)
    const seen = await running.client.call(providerService.getDeal, { deal })
    expect(seen).toMatchObject({ state: 'active', provenPeriods: 5n, fault: '' })
    await checkBundles(network, running, deal)
    const { root } = commitmentOf(payload)
    const whole = await running.client.get(root)
    expect(Buffer.from(whole.body).equals(payload)).toBe(true)
    const answers = await running.client.call(providerService.getAnswers, {
      deal,
      period: network.now,
    })
    expect(answers.answers).toHaveLength(5)
  })
})

/** The newest period was committed; what is served of it leads to what the ledger has. */
const checkBundles = async (
  network: TestNetwork,
  { client }: RunningProvider,
  deal: DealId,
): Promise<void> => {
  const { now } = network
  const ledger = network.ledger(network.publisher)
  const provider = network.owner.address
  const root = await ledger.committed(provider, now)
  const seed = await ledger.seed(now)
  if (root === undefined || seed === undefined) throw new Error(`period ${now} is not committed`)
  const told = await client.call(providerService.getBundle, { period: now })
  expect(told).toEqual({ period: now, root, count: 465n, absent: 0n })
  const { chainId, contracts } = ledger.network
  const context = { chainId, proofs: contracts.proofs, provider, period: now, seed }
  const committed = { root, context, tree: await ledger.snapshot(provider, now) }
  const request = { period: now, deal }
  const { entries } = await client.call(providerService.getBundleEntries, request)
  expect(entries).toHaveLength(5)
  for (const [i, entry] of entries.entries()) {
    verifyBundleEntry(committed, { class: 'deal', deal, i }, entry)
  }
  const path = `/v1/bundles/${now}/entries/${459}`
  const answer = await client.http({ method: 'GET', path })
  const json = JSON.parse(Buffer.from(answer.body).toString()) as { entries: { answer: string }[] }
  const last = await client.call(providerService.getBundleEntries, { period: now, indices: [459n] })
  expect(json.entries[0]?.answer).toBe(toHex(last.entries[0]?.answer ?? new Uint8Array(0)))
  const gone = await client.http({ method: 'GET', path: `/v1/bundles/${now + 1n}` })
  expect(gone.status).toBe(404)
}
