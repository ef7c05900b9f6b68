/**
 * The fold over random lives of a provider: deals open, end and come back, periods are committed,
 * audited and disputed, blocks are taken back. Compared with a fold from the start, with one that was
 * loaded from its facts, and with plain lists.
 */
import { amount, ProviderTree, period, slotIndex, timestamp, ZERO_HASH } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ChainState } from '../../src/follow/chain-state.ts'
import {
  hashOf,
  idOf,
  Life,
  leafOf,
  OPTIONS,
  PROVIDER,
  seen,
  step,
  termsOf,
  treeOf,
} from './life.ts'

describe('the chain state', () => {
  test('is what a fold from the start gives, whatever was taken back on the way', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const life = new Life()
        for (const one of steps) life.play(one)
        const anew = new ChainState(OPTIONS)
        for (const { block } of life.folded) anew.apply(block)
        expect(seen(life.state)).toEqual(seen(anew))
        expect(life.state.currentTree().root).toBe(treeOf(life.slots).root)
      }),
      { numRuns: 40 },
    )
  })

  test('loaded from its facts it is the same, and goes back in the same way', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), fc.nat(4), (steps, back) => {
        const life = new Life()
        for (const one of steps) life.play(one)
        const loaded = new ChainState(OPTIONS, life.state.facts, life.state.cursor)
        expect(seen(loaded)).toEqual(seen(life.state))
        for (const { change, parent } of life.folded.slice(-1 - back).reverse()) {
          life.state.revert(change, parent)
          loaded.revert(change, parent)
        }
        expect(seen(loaded)).toEqual(seen(life.state))
      }),
      { numRuns: 40 },
    )
  })

  test('an audit is owed after the first commit, after a fault, and when the next seed says so', () => {
    const life = new Life()
    life.play({ wait: 10, act: 'open', pick: 0 })
    life.play({ wait: 100, act: 'commit', pick: 0 })
    expect(life.state.owedAudit()).toMatchObject({ period: 1n, dueAt: 1300n })
    const { cursor } = life.state
    const answered = { kind: 'audit-answered', provider: PROVIDER, period: period(1) } as const
    const ref = { number: 90n, hash: hashOf(1, 9), timestamp: timestamp(1190) }
    const change = life.state.apply({ ref, events: [answered] })
    expect(life.state.owedAudit()).toBeUndefined()
    life.state.revert(change, cursor)
    expect(life.state.owedAudit()?.period).toBe(1n)
  })

  test('a change among 1,500 deals costs a path, not a tree', () => {
    const state = new ChainState(OPTIONS)
    const COUNT = 1_500
    const slots = Array.from({ length: COUNT }, (_, n) => n)
    const tree = ProviderTree.of(slots.map(leafOf))
    const facts = new Map(state.facts)
    for (const n of slots) {
      const sound = { faultedFrom: undefined, faultySince: undefined, recoveredAt: undefined }
      const span = { start: period(1), end: period(900), settledThrough: period(1) }
      facts.set(`deal/${idOf(n)}`, {
        ...{
          kind: 'deal',
          deal: idOf(n),
          terms: termsOf(n),
          slot: slotIndex(n),
          ...span,
          ...sound,
        },
        ...{ earned: amount(0), inTree: true, closed: false },
      })
      facts.set(`slot/${String(n).padStart(20, '0')}`, {
        kind: 'slot',
        slot: slotIndex(n),
        history: [{ from: period(1), deal: idOf(n) }],
      })
    }
    const cursor = { number: 1n, hash: ZERO_HASH, timestamp: timestamp(1110) }
    const loaded = new ChainState(OPTIONS, facts, cursor)
    expect(loaded.currentTree().root).toBe(tree.root)
    const began = performance.now()
    for (let i = 0; i < 200; i++) {
      const slot = slotIndex((i * 97) % COUNT)
      tree.set(slot, undefined)
      const about = { provider: PROVIDER, slot, deal: undefined }
      const event = {
        kind: 'slot-changed',
        ...about,
        root: tree.root,
        weight: tree.weight,
      } as const
      const ref = { number: BigInt(i + 2), hash: hashOf(i, 8), timestamp: timestamp(1111 + i) }
      loaded.apply({ ref, events: [event] })
    }
    const perChange = (performance.now() - began) / 200
    const whole = performance.now()
    ProviderTree.of(slots.map(leafOf))
    expect(perChange * 20).toBeLessThan(performance.now() - whole)
  })
})
