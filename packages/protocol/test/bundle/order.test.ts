/**
 * Places in a bundle: index and entry are inverse to each other and equal to a plain walk over the
 * slots, with holes anywhere.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { bundleCount, bundleEntryAt, bundleIndexOf, bundleOrder } from '../../src/bundle/order.ts'
import { root } from '../../src/ids.ts'
import { ProviderTree } from '../../src/provider-tree.ts'
import { leaves, slotIndex } from '../../src/units.ts'
import { questions } from '../reference/bundle.ts'
import { dealNumber, questionOf } from '../support/bundles.ts'
import { expectCode } from '../support/failures.ts'

const orderOf = (taken: readonly boolean[]) =>
  bundleOrder(
    ProviderTree.of(
      taken.map((held, n) =>
        held
          ? {
              deal: dealNumber(n),
              scheme: 1,
              root: root(`0x${'11'.repeat(32)}`),
              leaves: leaves(n + 1),
            }
          : undefined,
      ),
    ),
  )

describe('the order of a bundle', () => {
  test('is that of a walk over the slots', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 40 }), (taken) => {
        const order = orderOf(taken)
        const plain = questions(taken.map((held, n) => (held ? dealNumber(n) : undefined)))
        expect(bundleCount(order)).toBe(BigInt(plain.length))
        plain.forEach((question, index) => {
          const place = bundleEntryAt(order, BigInt(index))
          expect(place).toMatchObject(questionOf(question))
          expect(bundleIndexOf(order, place)).toBe(BigInt(index))
        })
      }),
      { numRuns: 25 },
    )
  })

  test('names slot and deal', () => {
    const order = orderOf([true, false, true])
    expect(bundleEntryAt(order, 467n)).toEqual({
      class: 'deal',
      slot: 2n,
      deal: dealNumber(2),
      i: 2,
    })
  })

  test('knows nothing outside', () => {
    const order = orderOf([true, false, true])
    for (const index of [-1n, 470n, 1n << 40n]) {
      expectCode('INVARIANT', () => bundleEntryAt(order, index))
    }
    for (const i of [-1, 460, 0.5, Number.NaN]) {
      expectCode('INVARIANT', () => bundleIndexOf(order, { class: 'global', i }))
    }
    for (const i of [-1, 5, 0.5]) {
      expectCode('INVARIANT', () => bundleIndexOf(order, { class: 'deal', slot: slotIndex(0), i }))
    }
    for (const slot of [1, 3, 99]) {
      const at = { class: 'deal', slot: slotIndex(slot), i: 0 } as const
      expectCode('INVARIANT', () => bundleIndexOf(order, at))
    }
  })
})
