/** What is due at each moment of a story told in hand-made blocks; no disk, no network, no clock. */
import type { AppliedBlock, LedgerEvent } from '@holdfast/chain'
import {
  amount,
  hash32,
  leafIndex,
  period,
  slotIndex,
  timestamp,
  ZERO_HASH,
} from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import type { DutyPolicy } from '../../src/duties/duties.ts'
import { sendOptionsFor } from '../../src/duties/duty.ts'
import { Promises } from '../../src/journal/promises.ts'
import { idOf, POLICY, PROVIDER, rootOf, Story } from '../support/story.ts'

describe('duties', () => {
  test('prove: from the seed to the deadline, and not when it is proven', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    expect(story.kinds()).toEqual([])
    story.seed(1015, 0)
    expect(story.kinds()).toEqual([])
    story.block(1100)
    expect(story.kinds()).toEqual([])
    story.seed(1102, 1)
    expect(story.duties()).toMatchObject([{ kind: 'prove', period: 1n, deadline: 1175n }])
    story.block(1174)
    expect(story.kinds()).toEqual(['prove'])
    story.block(1175)
    expect(story.kinds()).toEqual([])
    story.block(1200)
    story.seed(1201, 2)
    expect(story.kinds()).toEqual(['prove'])
    story.proven(1205, 2)
    expect(story.kinds()).toEqual([])
  })

  test('prove: the tree of a period is the one at its start', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    story.block(1100)
    story.open(1110, 2, 1)
    expect(story.state.treeAt(period(1)).weight).toBe(10n)
    expect(story.state.treeAt(period(2)).weight).toBe(20n)
    story.block(1120, story.slotChanged(0, undefined))
    expect(story.state.treeAt(period(1)).weight).toBe(10n)
    expect(story.state.treeAt(period(2)).weight).toBe(10n)
    expect(story.state.treeAt(period(2)).slots).toBe(2)
  })

  test('a fault is declared before the period is proven, then directly, by what is left', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    story.open(1020, 2, 1)
    story.seed(1102, 1)
    const promises = Promises.of([
      { kind: 'damage-found', root: rootOf(2), leaf: leafIndex(3), what: 'rot' },
    ])
    expect(story.duties()).toMatchObject([{ kind: 'prove', mode: 'commit' }])
    expect(story.duties(promises)).toEqual([
      { kind: 'declare-fault', deal: idOf(2), deadline: 1175n },
    ])
    story.block(1160)
    expect(story.kinds(promises)).toEqual(['declare-fault', 'prove'])
    const faulted = { kind: 'deal-faulted', deal: idOf(2), period: period(1) } as const
    story.block(1161, faulted, story.slotChanged(1, undefined))
    expect(story.duties(promises)).toMatchObject([{ kind: 'prove', mode: 'direct' }])
    story.seed(1201, 2)
    expect(story.duties(promises)).toMatchObject([{ kind: 'prove', mode: 'commit', period: 2n }])
  })

  test('a deal whose bytes are back takes a slot again, with the current seed', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    const faulted = { kind: 'deal-faulted', deal: idOf(1), period: period(1) } as const
    story.block(1110, faulted, story.slotChanged(0, undefined))
    const damage = { root: rootOf(1), leaf: leafIndex(3), what: 'rot' }
    const lost = Promises.of([{ kind: 'damage-found', ...damage }])
    story.seed(1120, 1)
    expect(story.kinds(lost)).toEqual([])
    expect(story.duties()).toMatchObject([
      { kind: 'prove', mode: 'commit' },
      { kind: 'recover', deal: idOf(1), deadline: 1200n },
    ])
    story.block(
      1130,
      { kind: 'deal-recovered', deal: idOf(1), slot: slotIndex(0), period: period(2) },
      story.slotChanged(0, 1),
    )
    expect(story.kinds()).toEqual(['prove'])
    expect(story.state.deal(idOf(1))).toMatchObject({ faultySince: undefined, recoveredAt: 2n })
  })

  test('an audit comes before everything, and nothing is proven while it is owed', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    story.seed(1102, 1)
    story.committed(1110, 1)
    expect(story.duties()).toEqual([{ kind: 'answer-audit', period: 1n, deadline: 1300n }])
    story.seed(1201, 2)
    expect(story.kinds()).toEqual(['answer-audit'])
    story.block(1205, { kind: 'audit-answered', provider: PROVIDER, period: period(1) })
    expect(story.kinds()).toEqual(['prove'])
  })

  test('disputes and the proof go by their deadlines', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    story.seed(1102, 1)
    story.committed(1110, 1)
    story.block(1120, { kind: 'audit-answered', provider: PROVIDER, period: period(1) })
    story.disputed(1150, 1, 7)
    expect(story.duties()).toMatchObject([{ kind: 'answer-dispute', deadline: 1250n }])
    story.seed(1201, 2)
    story.disputed(1202, 1, 8)
    expect(story.duties()).toMatchObject([
      { kind: 'answer-dispute', entry: { question: { i: 7 } }, deadline: 1250n },
      { kind: 'prove', deadline: 1275n },
      { kind: 'answer-dispute', entry: { question: { i: 8 } }, deadline: 1302n },
    ])
    story.block(1450)
    expect(story.state.finalBefore()).toBe(1n)
  })

  test('every duty is sent with its deadline and the budget of its lane', () => {
    const { gasBudgets } = POLICY
    const prove = { kind: 'prove', mode: 'commit', period: period(1), seed: ZERO_HASH } as const
    expect(sendOptionsFor({ ...prove, deadline: timestamp(7) }, gasBudgets)).toEqual({
      lane: 'proofs',
      gasBudget: 2n,
      deadline: 7n,
    })
    const settle = { kind: 'settle', deals: [] } as const
    expect(sendOptionsFor(settle, gasBudgets)).toEqual({ lane: 'ledger', gasBudget: 1n })
  })

  test('settle: when enough proven periods wait, in batches, and not for what is unpaid', () => {
    const story = new Story()
    for (const n of [1, 2, 3]) story.open(1010 + n, n, n - 1)
    story.proven(1110, 1)
    story.proven(1210, 2)
    story.block(1399)
    expect(story.kinds()).toEqual([])
    story.block(1400)
    expect(story.duties()).toEqual([
      { kind: 'settle', deals: [idOf(1), idOf(2)] },
      { kind: 'settle', deals: [idOf(3)] },
    ])
    const settled = { through: period(3), paid: amount(10), fee: amount(1) }
    story.block(1420, { kind: 'deal-settled', deal: idOf(1), ...settled })
    story.block(1421, { kind: 'deal-faulted', deal: idOf(2), period: period(2) })
    expect(story.duties()).toMatchObject([{ kind: 'settle', deals: [idOf(3)] }])
    expect(story.state.deal(idOf(1))?.earned).toBe(9n)
  })

  test('settle: not before the pay is worth the gas', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    story.proven(1110, 1)
    story.proven(1210, 2)
    story.block(1400)
    const worth = (gasPrice: bigint | undefined): DutyPolicy => ({
      ...POLICY,
      gasWorth: {
        ...{ gasPrice: () => gasPrice, percentMax: 1 },
        ...{ weiPerToken: 10n ** 24n, tokenUnit: 10n ** 6n },
      },
    })
    expect(story.duties(undefined, worth(1n))).toEqual([])
    expect(story.duties(undefined, worth(0n))).toMatchObject([{ kind: 'settle' }])
    expect(story.duties(undefined, worth(undefined))).toMatchObject([{ kind: 'settle' }])
  })

  test('release and close: after the end, each once', () => {
    const story = new Story()
    story.open(1010, 1, 0, 3n)
    story.block(1299)
    expect(story.kinds()).toEqual([])
    story.block(1300)
    expect(story.kinds()).toEqual(['release'])
    story.block(1301, story.slotChanged(0, undefined))
    expect(story.kinds()).toEqual([])
    story.block(1400)
    expect(story.kinds()).toEqual(['close'])
    story.block(1402, {
      kind: 'deal-closed',
      deal: idOf(1),
      ...{ refunded: amount(0), returned: amount(1) },
      ...{ compensation: amount(0), forfeited: amount(0) },
    })
    expect(story.kinds()).toEqual([])
  })

  test('are the same before and after a block that was taken back', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    story.seed(1102, 1)
    const facts = new Map(story.state.facts)
    const { cursor } = story.state
    const block = (events: readonly LedgerEvent[]): AppliedBlock => ({
      ref: { number: 99n, hash: hash32(`0x${'99'.repeat(32)}`), timestamp: timestamp(1110) },
      events,
    })
    const change = story.state.apply(
      block([
        { kind: 'period-proven', provider: PROVIDER, period: period(1) },
        { kind: 'deal-faulted', deal: idOf(1), period: period(2) },
        story.slotChanged(0, undefined),
      ]),
    )
    expect(story.kinds()).toEqual(['recover'])
    story.state.revert(change, cursor)
    expect(new Map(story.state.facts)).toEqual(facts)
    expect(story.kinds()).toEqual(['prove'])
  })

  test('a root that is not the one on the ledger stops the fold', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    const wrong = { ...story.slotChanged(1, 2), root: ZERO_HASH }
    expect(() => story.block(1020, wrong)).toThrow(/was never opened|the tree is/)
  })
})
