/** Bytes overwritten behind the node's back: noticed, named, declared; other deals go on. */

import { rm } from 'node:fs/promises'
import { type Commitment, type DealId, providerService } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { codeOf } from './support/http-client.ts'
import { type RunningProvider, TestNetwork, until } from './support/network.ts'
import { commitmentOf, payloadOf } from './support/payloads.ts'
import { flipByte, NOW } from './support/store.ts'

describe('damage', () => {
  let network: TestNetwork
  let running: RunningProvider

  beforeEach(async () => {
    network = await TestNetwork.create()
    running = await network.start()
  })
  afterEach(async () => {
    await network.close()
  })

  const damage = async ({ root }: Commitment, at: number): Promise<void> => {
    const place = running.provider.parts.store.find(root)?.payload
    await flipByte(place?.path ?? '', Number(place?.offset ?? 0n) + at)
  }

  const faulted = (deal: DealId): boolean =>
    running.provider.parts.follower.state.deal(deal)?.faultedFrom !== undefined

  const errors = (): readonly unknown[] =>
    network.log.filter(({ level }) => level === 'error').map(({ fields }) => fields)

  test('found by a read: no wrong byte leaves, the fault is declared, the other deal is proven', async () => {
    const sick = payloadOf(400_000, 1)
    const well = payloadOf(300_000, 2)
    const first = await running.client.deal(sick)
    const second = await running.client.deal(well)
    const before = await running.client.get(commitmentOf(sick).root)
    expect(Buffer.from(before.body).equals(sick)).toBe(true)
    await damage(commitmentOf(sick), 200_000)
    const read = await running.client.get(commitmentOf(sick).root)
    expect(Buffer.from(sick).subarray(0, read.body.length).equals(read.body)).toBe(
      read.status < 300,
    )
    expect(read.status >= 300 || !read.complete).toBe(true)
    await until('the fault is declared', () => faulted(first.deal))
    expect(errors()).toContainEqual(
      expect.objectContaining({ deals: [first.deal], leaf: 192n, root: commitmentOf(sick).root }),
    )
    const again = await running.client.get(commitmentOf(sick).root)
    expect([again.status, codeOf(again)]).toEqual([500, 'PAYLOAD_CORRUPT'])
    const seen = await running.client.call(providerService.getDeal, { deal: first.deal })
    expect(seen.state).toBe('faulty')
    expect(seen.fault).toMatch(/^leaf 192: /)

    network.nextPeriod()
    const now = network.nextPeriod()
    const { state } = running.provider.parts.follower
    await until('the next period is proven', () => state.isProven(now))
    const ledger = network.ledger(network.publisher)
    // It is final, and paid, when nobody can dispute it any more.
    for (let i = 0; i < 3; i++) network.nextPeriod()
    await until('settled', () => (state.deal(second.deal)?.settledThrough ?? 0n) > now)
    expect((await ledger.deal(first.deal))?.paid).toBe(0n)
    expect((await ledger.deal(second.deal))?.paid).toBeGreaterThan(0n)
    const metrics = await running.client.http({ method: 'GET', path: '/metrics' })
    expect(Buffer.from(metrics.body).toString()).toMatch(/^holdfast_payloads_damaged 1$/m)
  })

  test('between the seal and the receipt: the upload is over, and another voucher brings it', async () => {
    const payload = payloadOf(400_000, 4)
    const commitment = commitmentOf(payload)
    const { client } = running
    const { store } = running.provider.parts
    for (const known of [false, true]) {
      const voucher = client.voucher(commitment)
      const session = await client.open(voucher)
      await client.put(session, payload, { start: 0, end: payload.length })
      // The process could have ended here: sealed, and nobody was told.
      await store.seal(session.session, NOW)
      await damage(commitment, 1000)
      if (known) await client.get(commitment.root)
      await expect(client.commit(session)).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' })
      await expect(client.open(voucher)).rejects.toMatchObject({ code: 'VOUCHER_REPLAYED' })
    }
    await client.upload(payload)
    const read = await client.get(commitment.root)
    expect(Buffer.from(read.body).equals(payload)).toBe(true)
  })

  test('found by an answer: every leaf is damaged, so the first challenge meets it', async () => {
    const payload = payloadOf(20_000, 3)
    const { deal } = await running.client.deal(payload)
    for (let at = 0; at < payload.length; at += 512) await damage(commitmentOf(payload), at)
    network.nextPeriod()
    await until('the fault is declared', () => faulted(deal))
    await expect(
      running.client.call(providerService.getAnswers, { deal, period: network.now }),
    ).rejects.toMatchObject({ detail: { code: 'PAYLOAD_CORRUPT' } })
    expect(errors()).toContainEqual(expect.objectContaining({ deals: [deal] }))
  })

  test('found by verification before a second receipt: the client has to send the bytes', async () => {
    const payload = payloadOf(90_000, 4)
    await running.client.upload(payload)
    await damage(commitmentOf(payload), 5)
    const session = await running.client.open(running.client.voucher(commitmentOf(payload)))
    await expect(running.client.commit(session)).rejects.toMatchObject({
      detail: { code: 'UPLOAD_INCOMPLETE' },
    })
    await running.client.put(session, payload, { start: 0, end: payload.length })
    await running.client.commit(session)
    const read = await running.client.get(commitmentOf(payload).root)
    expect(Buffer.from(read.body).equals(payload)).toBe(true)
  })

  test('found at the start: a sector that is gone takes its deal out of the tree', async () => {
    const { deal } = await running.client.deal(payloadOf(1_500_000, 5))
    const path = running.provider.parts.store.find(commitmentOf(payloadOf(1_500_000, 5)).root)
      ?.payload.path
    await running.stop()
    await rm(path ?? '')
    running = await network.start()
    await until('the fault is declared', () => faulted(deal))
    const answer = await running.client.call(providerService.getDeal, { deal })
    expect(answer.fault).toBe('leaf 0: the payload is not in the store')
  })
})
