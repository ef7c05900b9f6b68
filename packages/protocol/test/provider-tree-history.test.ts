/** Trees of past periods against a plain list of every change, and the way back. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { dealId, root } from '../src/ids.ts'
import { ProviderTree } from '../src/provider-tree.ts'
import { ProviderTreeHistory } from '../src/provider-tree-history.ts'
import type { SlotLeaf } from '../src/sum-node.ts'
import { leaves, period, slotIndex } from '../src/units.ts'

const leafOf = (label: number): SlotLeaf => ({
  deal: dealId(`0x${label.toString(16).padStart(64, '0')}`),
  scheme: 1,
  root: root(`0x${(label + 7).toString(16).padStart(64, '0')}`),
  leaves: leaves(1 + (label % 50)),
})

/** Periods that pass before it, the slot (reduced to what is possible), and what goes in; 0 frees it. */
const change = fc.record({
  wait: fc.integer({ min: 0, max: 3 }),
  pick: fc.nat(20),
  label: fc.nat(9),
})

const expectSame = (tree: ProviderTree, slots: readonly (SlotLeaf | undefined)[]): void => {
  const expected = ProviderTree.of(slots)
  expect([tree.root, tree.weight, tree.depth]).toEqual([
    expected.root,
    expected.weight,
    expected.depth,
  ])
}

test('each kept period has the tree of its start, and a mark brings every one of them back', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), fc.nat(29), (changes, markAt) => {
      const KEPT = 8
      const history = new ProviderTreeHistory(BigInt(KEPT))
      const slots: (SlotLeaf | undefined)[] = []
      const starts = new Map<number, readonly (SlotLeaf | undefined)[]>([[0, []]])
      let now = 0
      let marked: { mark: ReturnType<typeof history.mark>; root: string } | undefined
      for (const [i, { wait, pick, label }] of changes.entries()) {
        for (let passed = 0; passed < wait; passed++) starts.set(++now, [...slots])
        const slot = pick % (slots.length + 1)
        const leaf = label === 0 && slot < slots.length ? undefined : leafOf(label + 1)
        slots[slot] = leaf
        history.change(period(now), slotIndex(slot), leaf)
        if (i === markAt) marked = { mark: history.mark(), root: history.current().root }
        for (let p = Math.max(0, now - KEPT); p <= now; p++) {
          expectSame(history.at(period(p)), starts.get(p) ?? [])
        }
        expectSame(history.at(period(now + 1)), slots)
        expectSame(history.current(), slots)
      }
      if (marked === undefined) return
      history.restore(marked.mark)
      expect(history.current().root).toBe(marked.root)
    }),
    { numRuns: 60 },
  )
})
