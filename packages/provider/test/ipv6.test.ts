/** A provider that listens on IPv6 and nothing else: upload, deal, proof and read, over real sockets. */
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type RunningProvider, TestNetwork, until } from './support/network.ts'
import { commitmentOf, payloadOf } from './support/payloads.ts'

const HOST = '::1'
const isHere = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === HOST),
)
const trial = isHere ? test : test.skip

describe('a provider on IPv6 alone', () => {
  let network: TestNetwork
  let running: RunningProvider

  beforeAll(async () => {
    network = await TestNetwork.create({ host: isHere ? HOST : '127.0.0.1' })
    running = await network.start()
  })
  afterAll(async () => {
    await network.close()
  })

  trial(`stores, proves and is read${isHere ? '' : ` (not here: no ${HOST})`}`, async () => {
    const { grpc, http } = running.endpoints
    expect([grpc, http]).toEqual([
      expect.stringMatching(/^\[::1\]:\d+$/),
      expect.stringMatching(/^https:\/\/\[::1\]:\d+$/),
    ])
    const payload = payloadOf(300_000)
    await running.client.deal(payload)
    const now = network.nextPeriod()
    const { state } = running.provider.parts.follower
    await until(`period ${now} proven`, () => state.isProven(now))
    const { body } = await running.client.get(commitmentOf(payload).root)
    expect(Buffer.from(body).equals(payload)).toBe(true)
  })
})
