/** Nobody is promised a deal that the ledger would not open; a ledger that does not answer refuses nothing. */
import type { ProviderRecord } from '@holdfast/chain'
import { systemClock } from '@holdfast/chain'
import { HoldfastError, milliseconds, periods, providerService } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Door } from '../../src/deals/door.ts'
import { ACCOUNTS, type RunningProvider, TestNetwork } from '../support/network.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'

const PROVIDER = ACCOUNTS.owner.address

/** A clock that stands until it is moved, a ledger that says what it is told to. */
const scene = () => {
  const seen = {
    nowMs: 0,
    asked: 0,
    stopped: false,
    record: undefined as ProviderRecord | undefined,
  }
  const door = new Door({
    provider: PROVIDER,
    clock: { ...systemClock, now: () => milliseconds(seen.nowMs) },
    standing: () => ({ stopped: seen.stopped, terminatedAt: undefined }),
    ledger: {
      provider: async () => {
        seen.asked++
        if (seen.record === undefined)
          throw new HoldfastError({ code: 'TIMED_OUT', what: 'x', afterMs: 1 })
        return seen.record
      },
    },
  })
  return { seen, door }
}

const record = (accepting: boolean): ProviderRecord => ({ accepting }) as ProviderRecord
const refusal = (reason: string) => ({ detail: { code: 'PROVIDER_STATE', reason } })

describe('the door for deals', () => {
  test('is shut by a slash at once, without asking anybody', async () => {
    const { seen, door } = scene()
    seen.stopped = true
    await expect(door.check()).rejects.toMatchObject(
      refusal('a slash left it with less than the minimum stake'),
    )
    expect(seen.asked).toBe(0)
  })

  test('is shut by notice of the owner, asked for at most every ten seconds', async () => {
    const { seen, door } = scene()
    seen.record = record(true)
    await door.check()
    seen.record = record(false)
    seen.nowMs = 9_999
    await door.check()
    seen.nowMs = 10_000
    await expect(door.check()).rejects.toMatchObject(refusal('its owner takes no new deals'))
    expect(seen.asked).toBe(2)
  })

  test('stays as it was while the ledger does not answer', async () => {
    const { seen, door } = scene()
    await door.check()
    seen.record = record(false)
    seen.nowMs = 10_000
    await expect(door.check()).rejects.toMatchObject(refusal('its owner takes no new deals'))
    seen.record = undefined
    seen.nowMs = 20_000
    await expect(door.check()).rejects.toMatchObject(refusal('its owner takes no new deals'))
  })
})

describe('after notice', () => {
  let network: TestNetwork
  let running: RunningProvider

  beforeAll(async () => {
    network = await TestNetwork.create()
    const owner = network.ledger(network.owner)
    const found = await owner.provider(PROVIDER)
    if (found === undefined) throw new Error('the network has a provider')
    const { provider: _id, stake: _stake, ...settings } = found
    await owner.updateProvider(PROVIDER, { ...settings, accepting: false })
    running = await network.start()
  })
  afterAll(async () => {
    await network.close()
  })

  test('no quote is given and no proposal taken; uploads, which repairs need, go on', async () => {
    const payload = payloadOf(2000, 3)
    const { client } = running
    const { token } = network.config
    const { length } = commitmentOf(payload)
    const asked = { length, periods: periods(3), token }
    await expect(client.call(providerService.quote, asked)).rejects.toMatchObject({
      detail: { code: 'PROVIDER_STATE' },
    })
    const { receipt } = await client.upload(payload)
    expect(receipt.length).toBe(length)
  })
})
