/** The provider as a whole, on a simulated chain: upload, deal, proofs, money, reads. */

import { providerService } from '@holdfast/protocol'
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
    for (let i = 0; i < 3; i++) {
      const now = network.nextPeriod()
      await until(`period ${now} proven`, () => state.isProven(now))
      await until(`period ${now} settled`, () => (state.deal(deal)?.settledThrough ?? 0n) > now)
    }
    const record = await ledger.deal(deal)
    expect(record?.paid).toBeGreaterThan(0n)
    const seen = await running.client.call(providerService.getDeal, { deal })
    expect(seen).toMatchObject({ state: 'active', provenPeriods: 3n, fault: '' })
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
