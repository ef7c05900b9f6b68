/** What outbox entries add up to: who waits for which nonce, through crashes and reorganisations. */
import { hash32 } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { NonceLine } from '../../src/outbox/nonce-line.ts'
import type { OutboxEntry, Outcome } from '../../src/outbox/outbox.ts'
import { ACCOUNT, GWEI, TestLine } from '../support/signed-line.ts'

const BLOCK = hash32(`0x${'0b'.repeat(32)}`)

const settled = (
  nonce: number,
  outcome: Outcome,
  hash: ReturnType<typeof hash32> | undefined,
): OutboxEntry => ({
  ...{ kind: 'tx-settled', account: ACCOUNT, nonce, outcome, hash },
  ...{ blockNumber: 7n, blockHash: BLOCK },
})

const DEAR = { maxFeePerGas: 9n * GWEI, maxPriorityFeePerGas: 2n * GWEI }

describe('a line of nonces', () => {
  test('knows what waits, by name and nonce', async () => {
    const t = new TestLine()
    const prove = await t.begin({ name: 'prove 1', nonce: 5, lane: 'proofs' })
    expect(t.line.openNamed('prove 1')?.intent).toBe(prove)
    expect(t.line.slotOf(prove)?.nonce).toBe(5)
    expect(t.line.nextNonce({ spent: 5, pooled: 5 })).toBe(6)
    expect(t.line.nextNonce({ spent: 5, pooled: 8 })).toBe(8)
  })

  test('ends an intent with whichever of its attempts was mined', async () => {
    const t = new TestLine()
    const intent = await t.begin({ name: 'settle', nonce: 5 })
    await t.again(intent, { name: 'settle', nonce: 5, offer: DEAR })
    t.add(settled(5, 'mined', intent))
    expect(t.line.openIntents).toEqual([])
    expect(t.line.unspent).toEqual([])
  })

  test('keeps an intent open whose nonce was cancelled or taken by somebody else', async () => {
    for (const outcome of ['displaced', 'foreign'] as const) {
      const t = new TestLine()
      const intent = await t.begin({ name: 'settle', nonce: 5 })
      const cancelled = await t.again(intent, { name: 'settle', nonce: 5, offer: DEAR }, true)
      t.add(settled(5, outcome, outcome === 'displaced' ? cancelled.hash : undefined))
      expect(t.line.openNamed('settle')?.intent).toBe(intent)
      expect(t.line.slotOf(intent)).toBeUndefined()
      await t.again(intent, { name: 'settle', nonce: 6 })
      expect(t.line.slotOf(intent)?.nonce).toBe(6)
    }
  })

  test('uses the nonce of what nobody waits for again', async () => {
    const t = new TestLine()
    const intent = await t.begin({ name: 'settle', nonce: 5 })
    t.add({ kind: 'tx-abandoned', account: ACCOUNT, intent, reason: 'refused' })
    expect(t.line.openIntents).toEqual([])
    expect(t.line.nextNonce({ spent: 5, pooled: 5 })).toBe(5)
  })

  test('gives a nonce back when a reorganisation does', async () => {
    for (const pooled of [true, false]) {
      const t = new TestLine()
      const intent = await t.begin({ name: 'open', nonce: 5 })
      t.add(settled(5, 'mined', intent))
      t.add({ kind: 'tx-reopened', account: ACCOUNT, nonce: 5, pooled })
      expect(t.line.unspent.map(({ nonce }) => nonce)).toEqual([5])
      expect(t.line.openIntents.length).toBe(pooled ? 1 : 0)
    }
  })

  test('is the same after it was written down and read again', async () => {
    const t = new TestLine()
    const first = await t.begin({ name: 'open', nonce: 5, deadline: 2000n, gasBudget: 10n ** 25n })
    await t.again(first, { name: 'open', nonce: 5, offer: DEAR })
    const second = await t.begin({ name: 'settle', nonce: 6 })
    t.add(settled(5, 'mined', first))
    t.add({ kind: 'tx-abandoned', account: ACCOUNT, intent: second, reason: 'refused' })
    await t.begin({ name: 'prove 2', nonce: 7, lane: 'proofs' })
    const again = NonceLine.of(t.line.entries(ACCOUNT))
    expect(again.slots).toEqual(t.line.slots)
    expect(again.openIntents).toEqual(t.line.openIntents)
    expect(again.intent(second)?.state).toBe('abandoned')
  })

  test('forgets what is final, and still knows how far it has signed', async () => {
    const t = new TestLine()
    const intent = await t.begin({ name: 'open', nonce: 5 })
    t.add(settled(5, 'mined', intent))
    t.add({ kind: 'tx-forgotten', account: ACCOUNT, nonce: 5 })
    expect(t.line.slots).toEqual([])
    expect(t.line.intent(intent)).toBeUndefined()
    expect(NonceLine.of(t.line.entries(ACCOUNT)).highest).toBe(5)
  })
})
