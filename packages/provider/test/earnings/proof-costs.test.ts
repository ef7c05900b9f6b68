/** Sharing the gas of proofs: exact to a wei per deal and period, and never more than was spent. */
import { type Leaves, leaves, period } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ProofCosts } from '../../src/earnings/proof-costs.ts'

const costs = fc.array(
  fc.record({
    period: fc.integer({ min: 0, max: 30 }),
    wei: fc.bigInt({ min: 0n, max: 10n ** 18n }),
    weights: fc.array(fc.bigInt({ min: 1n, max: 10n ** 12n }), { minLength: 1, maxLength: 5 }),
  }),
  { maxLength: 20 },
)

describe('the cost of proofs', () => {
  test('is shared by weight, and all shares together stay within it', () => {
    fc.assert(
      fc.property(costs, (proofs) => {
        const shared = new ProofCosts()
        for (const { period: of, wei, weights } of proofs) {
          const weight = leaves(weights.reduce((sum, one) => sum + one, 0n))
          shared.add({ period: period(of), weight }, wei)
        }
        for (const { period: of, weights } of proofs) {
          const same = proofs.filter((other) => other.period === of)
          if (same.length > 1) continue
          const [proof] = same
          const parts = weights.map((w) => shared.share(leaves(w), period(of), period(of + 1)))
          const sum = parts.reduce((all, one) => all + one, 0n)
          const wei = proof?.wei ?? 0n
          expect(sum <= wei).toBe(true)
          expect(wei - sum <= BigInt(weights.length)).toBe(true)
        }
      }),
    )
  })

  test('over many periods is the sum over each of them, in whatever order they came', () => {
    fc.assert(
      fc.property(costs, fc.integer({ min: 0, max: 30 }), (proofs, cut) => {
        const shared = new ProofCosts()
        for (const { period: of, wei } of proofs) {
          shared.add({ period: period(of), weight: leaves(1n << 20n) }, wei)
        }
        const all: Leaves = leaves(1n << 20n)
        const whole = shared.share(all, period(0), period(31))
        const parts =
          shared.share(all, period(0), period(cut)) + shared.share(all, period(cut), period(31))
        expect(whole - parts === 0n || whole - parts === 1n).toBe(true)
        expect(whole).toBe(proofs.reduce((sum, { wei }) => sum + wei, 0n))
      }),
    )
  })

  test('of no period is nothing', () => {
    const shared = new ProofCosts()
    shared.add({ period: period(4), weight: leaves(2) }, 10n)
    expect(shared.share(leaves(2), period(5), period(3))).toBe(0n)
    expect(shared.share(leaves(2), period(0), period(4))).toBe(0n)
    expect(shared.share(leaves(2), period(4), period(5))).toBe(10n)
  })
})
