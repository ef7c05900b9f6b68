/**
 * The money of a deal: conserved, independent of when it is settled, never above the deposit.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  chargeSplit,
  closeSplit,
  countedPeriods,
  type DealFigures,
  dealSpan,
  depositSuffices,
  endAfterNotice,
  endAfterTopUp,
  paidTotal,
  payable,
} from '../../src/deal/accounting.ts'
import { costOf } from '../../src/pricing.ts'
import { amount, period, periods, rate, seconds, smaller } from '../../src/units.ts'
import { expectCode } from '../support/failures.ts'

const anyDeal = fc
  .record({
    rate: fc.bigInt(0n, 1n << 80n).map(rate),
    periods: fc.bigInt(1n, 400n).map(periods),
    share: fc.bigInt(0n, 120n),
    collateral: fc.bigInt(0n, 1n << 70n).map(amount),
    period: fc.constantFrom(20n, 86_400n).map(seconds),
    feeBps: fc.integer({ min: 0, max: 10_000 }),
  })
  .map(({ share, ...deal }): DealFigures => {
    const full = costOf({ rate: deal.rate, period: deal.period, periods: deal.periods })
    return { ...deal, deposit: amount((full * share) / 100n) }
  })

const cutAt = (deal: DealFigures, per: number): bigint =>
  (countedPeriods(deal) * BigInt(per)) / 100n

describe('settling', () => {
  test('pays the same whether settled once or often, fee included', () => {
    const marks = fc.array(fc.nat(100), { maxLength: 10 })
    fc.assert(
      fc.property(anyDeal, marks, (deal, cuts) => {
        const at = [...cuts, 100].sort((a, b) => a - b).map((per) => cutAt(deal, per))
        let settled = 0n
        let [paid, fee, toProvider] = [0n, 0n, 0n]
        for (const proven of at) {
          const step = payable(deal, { proven: periods(proven), settled: periods(settled) })
          expect(step.fee + step.toProvider).toBe(step.paid)
          paid += step.paid
          fee += step.fee
          toProvider += step.toProvider
          settled = proven
        }
        expect({ paid, fee, toProvider }).toEqual(paidTotal(deal, countedPeriods(deal)))
      }),
    )
  })

  test('conserves: what was paid and what closing gives back are deposit and collateral', () => {
    fc.assert(
      fc.property(anyDeal, fc.nat(100), fc.nat(100), (deal, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a]
        const settled = periods(cutAt(deal, low))
        const proven = periods(cutAt(deal, high))
        const before = paidTotal(deal, settled)
        const split = closeSplit(deal, { proven, settled })
        expect(before.paid + split.payout.paid + split.refund).toBe(deal.deposit)
        expect(split.returned).toBe(deal.collateral)
      }),
    )
  })

  test('charges collateral: nothing is lost, and a client never gets more than half or the cost', () => {
    const units = fc.bigInt(0n, 600n).map(periods)
    const cost = fc.bigInt(0n, 1n << 70n).map(amount)
    fc.assert(
      fc.property(anyDeal, units, fc.boolean(), cost, (deal, of, lost, replacementCost) => {
        const split = chargeSplit(deal, { units: of, lost, replacementCost })
        expect(split.compensation + split.returned + split.forfeited).toBe(deal.collateral)
        expect(split.compensation <= replacementCost).toBe(true)
        const charge = costOf({ ...deal, periods: of })
        const seized = lost || charge > deal.collateral ? deal.collateral : charge
        expect(split.returned).toBe(deal.collateral - seized)
        if (!lost) expect(2n * split.compensation <= seized).toBe(true)
        if (lost) expect(split.compensation).toBe(smaller(deal.collateral, replacementCost))
      }),
    )
  })

  test('refuses to have settled more than is proven', () => {
    const deal = fc.sample(anyDeal, { numRuns: 1, seed: 1 })[0]
    if (deal === undefined) throw new Error('no sample')
    expectCode('INVARIANT', () => payable(deal, { proven: periods(1), settled: periods(2) }))
  })
})

describe('spans', () => {
  test('start in the period after the opening and last for the funded term', () => {
    fc.assert(
      fc.property(anyDeal, fc.bigInt(0n, 1_000n), (deal, opened) => {
        const { start, end } = dealSpan(deal, period(opened))
        expect(start).toBe(opened + 1n)
        expect(end - start).toBe(countedPeriods(deal))
        expect(end - start <= deal.periods).toBe(true)
        const cost = costOf({ ...deal, periods: countedPeriods(deal) })
        expect(cost <= deal.deposit).toBe(true)
      }),
    )
  })

  test('end after the notice, and never later than before', () => {
    const span = { start: period(11), end: period(41) }
    const after = (now: number, notice: number): bigint =>
      endAfterNotice(span, { now: period(now), notice: periods(notice) })
    expect(after(15, 5)).toBe(21n)
    expect(after(15, 0)).toBe(16n)
    expect(after(35, 30)).toBe(41n)
  })

  test('end later after a top-up, as if all had been deposited at once, unless notice was given', () => {
    fc.assert(
      fc.property(anyDeal, fc.bigInt(0n, 1n << 70n), (deal, added) => {
        const span = dealSpan(deal, period(10))
        const deposit = amount(deal.deposit + added)
        const end = endAfterTopUp(deal, { span, deposit, noticeGiven: false })
        expect(end).toBe(dealSpan({ ...deal, deposit }, period(10)).end)
        expect(end >= span.end).toBe(true)
        expect(endAfterTopUp(deal, { span, deposit, noticeGiven: true })).toBe(span.end)
      }),
    )
  })

  test('want a deposit for the notice or the term, and for one period at least', () => {
    const deal = { rate: rate(10n ** 12n), period: seconds(20), periods: periods(100) }
    const enough = (deposit: number, notice: number): boolean =>
      depositSuffices({ ...deal, deposit: amount(deposit), notice: periods(notice) })
    expect([enough(599, 30), enough(600, 30)]).toEqual([false, true])
    expect([enough(1_999, 200), enough(2_000, 200)]).toEqual([false, true])
    expect([enough(19, 0), enough(20, 0)]).toEqual([false, true])
  })
})
