/** What is done about nonces that wait: prices, ways cleared for proofs, gaps, deadlines, alarms. */
import { timestamp } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { CANCEL_GAS, type ChainLook, planLine } from '../../src/evm/plan.ts'
import type { Attempt } from '../../src/outbox/nonce-line.ts'
import { ACCOUNT, GWEI, TestLine } from '../support/signed-line.ts'

const lookAt = (changes: Partial<ChainLook> = {}): ChainLook => ({
  blockNumber: 100n,
  now: timestamp(1000n),
  market: { base: GWEI, tip: GWEI },
  spent: 5,
  pooled: 6,
  sinceBlock: () => 100n,
  ...changes,
})

const kindsOf = (t: TestLine, look: ChainLook): readonly string[] =>
  planLine(t.line, look).map((action) =>
    'nonce' in action ? `${action.kind} ${action.nonce}` : action.kind,
  )

const SPIKE = { base: 10n * GWEI, tip: GWEI }

describe('a plan', () => {
  test('leaves alone what is offered well', async () => {
    const t = new TestLine()
    await t.begin({ name: 'settle', nonce: 5 })
    expect(kindsOf(t, lookAt())).toEqual(['rebroadcast 5'])
  })

  test('raises the price when the base fee rises', async () => {
    const t = new TestLine()
    await t.begin({ name: 'settle', nonce: 5 })
    expect(kindsOf(t, lookAt({ market: SPIKE }))).toEqual(['replace 5'])
  })

  test('raises the price while the window runs out, and never passes the budget', async () => {
    const gasBudget = 100_000n * 40n * GWEI
    for (let now = 1000n; now < 1099n; now += 7n) {
      const t = new TestLine()
      await t.begin({ name: 'prove', nonce: 5, lane: 'proofs', deadline: 1100n, gasBudget })
      for (const action of planLine(t.line, lookAt({ now: timestamp(now) }))) {
        if (action.kind !== 'replace') continue
        expect(action.offer.maxFeePerGas * 100_000n).toBeLessThanOrEqual(gasBudget)
      }
      const kinds = kindsOf(t, lookAt({ now: timestamp(now) }))
      expect(kinds).toEqual([now < 1002n ? 'rebroadcast 5' : 'replace 5'])
    }
  })

  test('says when the budget does not carry what the chain asks', async () => {
    const t = new TestLine()
    const gasBudget = 100_000n * 4n * GWEI
    await t.begin({ name: 'prove', nonce: 5, lane: 'proofs', deadline: 1100n, gasBudget })
    const short = planLine(t.line, lookAt({ market: SPIKE })).find(({ kind }) => kind === 'short')
    expect(short).toMatchObject({ needed: 11n * GWEI * 100_000n })
  })

  test('keeps its room while no price within the budget is taken', async () => {
    const t = new TestLine()
    const gasBudget = 100_000n * 8n * GWEI
    await t.begin({ name: 'prove', nonce: 5, lane: 'proofs', deadline: 1100n, gasBudget })
    // The base fee is beyond the budget: another eighth now would be one less when it has fallen.
    const late = { now: timestamp(1060n) }
    expect(kindsOf(t, lookAt({ ...late, market: SPIKE }))).toEqual(['rebroadcast 5', 'short'])
    const dearTips = { base: GWEI, tip: 3n * GWEI }
    expect(kindsOf(t, lookAt({ ...late, market: dearTips }))).toEqual(['replace 5'])
  })

  test('lets nothing stand in the way of a proof', async () => {
    const t = new TestLine()
    await t.begin({ name: 'settle', nonce: 5 })
    await t.begin({ name: 'prove', nonce: 6, lane: 'proofs', deadline: 1100n })
    // Half of the window is over: what stands before the proof offers what the proof offers.
    const actions = planLine(t.line, lookAt({ now: timestamp(1050n), pooled: 7 }))
    expect(actions.map(({ kind }) => kind)).toEqual(['replace', 'replace'])
    const [front, proof] = actions
    if (front?.kind !== 'replace' || proof?.kind !== 'replace') throw new Error('two prices')
    expect(front.offer.maxPriorityFeePerGas).toBe(proof.offer.maxPriorityFeePerGas)
  })

  test('cancels what its own budget does not carry out of a proof s way, at the proof s cost', async () => {
    const t = new TestLine()
    await t.begin({ name: 'settle', nonce: 5, gas: 1_000_000n, gasBudget: 4n * 10n ** 6n * GWEI })
    const gasBudget = 100_000n * 60n * GWEI
    await t.begin({ name: 'prove', nonce: 6, lane: 'proofs', deadline: 1100n, gasBudget })
    const look = lookAt({ market: SPIKE, now: timestamp(1050n), pooled: 7 })
    const actions = planLine(t.line, look)
    const cancel = actions.find(({ kind }) => kind === 'cancel')
    const proof = actions.find(({ kind }) => kind === 'replace')
    if (cancel?.kind !== 'cancel' || proof?.kind !== 'replace') throw new Error('a cancel')
    expect(cancel.nonce).toBe(5)
    const cost = cancel.offer.maxFeePerGas * CANCEL_GAS + proof.offer.maxFeePerGas * 100_000n
    expect(cost).toBeLessThanOrEqual(gasBudget)
  })

  test('cancels what stands before a proof and is not mined although it is paid', async () => {
    const t = new TestLine()
    await t.begin({ name: 'settle', nonce: 5 })
    await t.begin({ name: 'prove', nonce: 6, lane: 'proofs', deadline: 100_000n })
    const stuck = { sinceBlock: ({ raw }: Attempt) => (raw === '0x' ? 0n : 97n), pooled: 7 }
    expect(kindsOf(t, lookAt(stuck))[0]).toBe('cancel 5')
  })

  test('clears the way at the price of the proof, which pays, not of what it clears away', async () => {
    const t = new TestLine()
    await t.begin({ name: 'settle', nonce: 5 })
    const gasBudget = 121_000n * 8n * GWEI
    await t.begin({ name: 'prove', nonce: 6, lane: 'proofs', deadline: 100_000n, gasBudget })
    const market = { base: 2n * GWEI, tip: GWEI }
    const look = lookAt({ market, sinceBlock: () => 90n, pooled: 7 })
    const [cancel] = planLine(t.line, look)
    if (cancel?.kind !== 'cancel') throw new Error('a cancel')
    // The settlement, without a budget, would offer twice the base fee: all that the proof may pay.
    expect(cancel.offer.maxFeePerGas).toBe(4n * GWEI)
  })

  test('lets a settlement wait for another one', async () => {
    const t = new TestLine()
    await t.begin({ name: 'settle a', nonce: 5 })
    await t.begin({ name: 'settle b', nonce: 6 })
    const stuck = { sinceBlock: () => 96n, pooled: 7 }
    expect(kindsOf(t, lookAt(stuck))).toEqual(['rebroadcast 5', 'rebroadcast 6'])
  })

  test('says when what is paid well is not mined', async () => {
    const t = new TestLine()
    await t.begin({ name: 'settle', nonce: 5 })
    expect(kindsOf(t, lookAt({ sinceBlock: () => 80n }))).toContain('stuck')
  })

  test('spends an abandoned nonce when something waits behind it or a pool holds it', async () => {
    const t = new TestLine()
    const intent = await t.begin({ name: 'settle', nonce: 5 })
    t.add({ kind: 'tx-abandoned', account: ACCOUNT, intent, reason: 'refused' })
    expect(kindsOf(t, lookAt({ pooled: 5 }))).toEqual([])
    expect(kindsOf(t, lookAt({ pooled: 6 }))).toEqual(['cancel 5'])
    await t.begin({ name: 'open', nonce: 6 })
    expect(kindsOf(t, lookAt({ pooled: 5 }))).toEqual(['cancel 5', 'rebroadcast 6'])
  })

  test('fills a gap that no pool fills', async () => {
    const t = new TestLine()
    await t.begin({ name: 'open', nonce: 8 })
    expect(kindsOf(t, lookAt({ pooled: 6 }))).toEqual(['fill 6', 'fill 7', 'rebroadcast 8'])
    expect(kindsOf(t, lookAt({ pooled: 9 }))).toEqual(['rebroadcast 8'])
  })

  test('gives up what is past its deadline', async () => {
    const t = new TestLine()
    await t.begin({ name: 'prove', nonce: 5, lane: 'proofs', deadline: 1100n })
    expect(kindsOf(t, lookAt({ now: timestamp(1100n) }))).toEqual(['expire', 'cancel 5'])
    expect(kindsOf(t, lookAt({ now: timestamp(1100n), pooled: 5 }))).toEqual(['expire'])
    expect(kindsOf(t, lookAt({ now: timestamp(1099n) }))).not.toContain('expire')
  })
})
