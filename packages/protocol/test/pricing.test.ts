/**
 * Pricing laws: rounding down favours the payer, nothing is lost by splitting, funding is the exact
 * inverse of cost.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  costOf,
  defaultCollateral,
  feeOf,
  fundedPeriods,
  MONTH_SECONDS,
  PERIODS_MAX,
  RATE_SCALE,
  rateFor,
  TIB,
} from '../src/pricing.ts'
import { amount, bytes, periods, rate, seconds } from '../src/units.ts'
import * as reference from './reference/money.ts'

const anyRate = fc.bigInt(0n, 1n << 90n).map(rate)
const anyPeriod = fc.constantFrom(1n, 20n, 86_400n).map(seconds)
const anyCount = fc.bigInt(0n, 5_000n).map(periods)
const anyAmount = fc.bigInt(0n, 1n << 110n).map(amount)

describe('rates', () => {
  test('of one TiB for a month cost the price, less than a base unit rounded away', () => {
    const quoted = amount(2_500_000)
    const perSecond = rateFor({
      length: bytes(TIB),
      pricePerTibMonth: quoted,
      provingFeeMonth: amount(0),
    })
    const month = costOf({ rate: perSecond, period: seconds(86_400), periods: periods(30) })
    expect(month).toBe(2_499_999n)
    expect(perSecond).toBe((2_500_000n * RATE_SCALE) / MONTH_SECONDS)
  })

  test('never charge more than the quote, for any length and term', () => {
    const prices = fc.bigInt(0n, 1n << 64n)
    fc.assert(
      fc.property(fc.bigInt(1n, 1n << 50n), prices, prices, anyCount, (length, price, fee, n) => {
        const perSecond = rateFor({
          length: bytes(length),
          pricePerTibMonth: amount(price),
          provingFeeMonth: amount(fee),
        })
        expect(perSecond).toBe(reference.rate(length, price, fee))
        const charged = costOf({ rate: perSecond, period: seconds(86_400), periods: n })
        const exact = (price * length + fee * TIB) * n * 86_400n
        expect(charged * TIB * MONTH_SECONDS <= exact).toBe(true)
      }),
    )
  })
})

describe('cost', () => {
  test('agrees with the reference and rounds down', () => {
    fc.assert(
      fc.property(anyRate, anyPeriod, anyCount, (perSecond, period, n) => {
        const cost = costOf({ rate: perSecond, period, periods: n })
        expect(cost).toBe(reference.cost(perSecond, period, n))
        expect(cost * RATE_SCALE <= perSecond * period * n).toBe(true)
      }),
    )
  })

  test('is additive but for less than one unit, in favour of whoever pays in parts', () => {
    fc.assert(
      fc.property(anyRate, anyPeriod, anyCount, anyCount, (perSecond, period, a, b) => {
        const of = (n: bigint): bigint => costOf({ rate: perSecond, period, periods: periods(n) })
        const lost = of(a + b) - of(a) - of(b)
        expect(lost === 0n || lost === 1n).toBe(true)
      }),
    )
  })
})

describe('funding', () => {
  test('is the most periods whose cost the deposit covers', () => {
    fc.assert(
      fc.property(anyAmount, anyRate, anyPeriod, (deposit, perSecond, period) => {
        const funded = fundedPeriods({ deposit, rate: perSecond, period })
        expect(funded).toBe(reference.funded(deposit, perSecond, period))
      }),
    )
  })

  test('of exactly the cost of n periods is n, although that cost was rounded down', () => {
    fc.assert(
      fc.property(fc.bigInt(RATE_SCALE, 1n << 90n), anyPeriod, anyCount, (value, period, n) => {
        const deposit = costOf({ rate: rate(value), period, periods: n })
        expect(fundedPeriods({ deposit, rate: rate(value), period })).toBe(n)
      }),
    )
  })

  test('of a free deal, or beyond 32 bits, is 2^32 - 1', () => {
    const free = { deposit: amount(0), rate: rate(0), period: seconds(20) }
    expect(fundedPeriods(free)).toBe(PERIODS_MAX)
    expect(fundedPeriods({ ...free, deposit: amount(1n << 120n), rate: rate(1) })).toBe(PERIODS_MAX)
  })
})

describe('fees and collateral', () => {
  test('fees round down and never exceed what is paid', () => {
    fc.assert(
      fc.property(anyAmount, fc.integer({ min: 0, max: 10_000 }), (paid, bps) => {
        const fee = feeOf(paid, bps)
        expect(fee).toBe(reference.fee(paid, BigInt(bps)))
        expect(fee <= paid).toBe(true)
      }),
    )
    expect(feeOf(amount(19), 500)).toBe(0n)
    expect(feeOf(amount(20), 500)).toBe(1n)
  })

  test('collateral is ninety periods of pay', () => {
    const cost = costOf({ rate: rate(12_345_678_901n), period: seconds(20), periods: periods(90) })
    expect(defaultCollateral(rate(12_345_678_901n), seconds(20))).toBe(cost)
  })
})
