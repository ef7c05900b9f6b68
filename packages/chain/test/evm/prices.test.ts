/** What is offered for gas: bounds that hold for every market, urgency and budget. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  bumped,
  dearer,
  isAttractive,
  type Offer,
  offerAt,
  replacementFor,
  urgencyAt,
} from '../../src/evm/prices.ts'

const wei = fc.bigInt({ min: 0n, max: 10n ** 13n })
const market = fc.record({ base: wei, tip: fc.bigInt({ min: 1n, max: 10n ** 11n }) })
const urgency = fc.double({ min: 0, max: 1, noNaN: true })
const cap = fc.option(fc.bigInt({ min: 1n, max: 10n ** 15n }), { nil: undefined })

const isWithin = ({ maxFeePerGas, maxPriorityFeePerGas }: Offer, most: bigint | undefined) =>
  maxPriorityFeePerGas <= maxFeePerGas && (most === undefined || maxFeePerGas <= most)

describe('an offer', () => {
  test('never passes its cap, and never tips more than it offers', () => {
    fc.assert(
      fc.property(market, urgency, cap, (m, u, most) => isWithin(offerAt(m, u, most), most)),
    )
  })

  test('covers twice the base fee when there is time', () => {
    fc.assert(
      fc.property(market, (m) => {
        const offer = offerAt(m, 0, undefined)
        expect(offer).toEqual({
          maxFeePerGas: 2n * m.base + m.tip,
          maxPriorityFeePerGas: m.tip,
        })
        expect(isAttractive(offer, m)).toBe(true)
      }),
    )
  })

  test('never falls while urgency rises', () => {
    fc.assert(
      fc.property(market, urgency, urgency, cap, (m, a, b, most) => {
        const [calm, pressed] = [Math.min(a, b), Math.max(a, b)].map((u) => offerAt(m, u, most))
        if (calm === undefined || pressed === undefined) throw new Error('two offers')
        expect(pressed.maxFeePerGas).toBeGreaterThanOrEqual(calm.maxFeePerGas)
        expect(pressed.maxPriorityFeePerGas).toBeGreaterThanOrEqual(calm.maxPriorityFeePerGas)
      }),
    )
  })
})

describe('a replacement', () => {
  test('can still raise the tip of what was offered while the base fee was beyond the cap', () => {
    const most = 400n * 10n ** 9n
    const beyond = { base: 790n * 10n ** 9n, tip: 10n ** 8n }
    const last = offerAt(beyond, 0, most)
    const dear = { base: 250n * 10n ** 9n, tip: 2n * 10n ** 9n }
    const next = replacementFor(last, offerAt(dear, 0, most), dear, most)
    if (next === undefined) throw new Error('it is stuck')
    expect(isAttractive(next, dear)).toBe(true)
  })

  test('tips at once what it may tip at last when no other could follow it', () => {
    const most = 376n * 10n ** 9n
    const then = { base: 310n * 10n ** 9n, tip: 10n ** 8n }
    const first = offerAt(then, 0, most)
    expect(bumped(first.maxFeePerGas)).toBeGreaterThan(most)
    const dear = { base: 210n * 10n ** 9n, tip: 2n * 10n ** 9n }
    expect(replacementFor(first, offerAt(dear, 1, most), dear, most)).toBeUndefined()
    expect(isAttractive(first, dear)).toBe(true)
    const calm = { base: 10n ** 9n, tip: 10n ** 8n }
    const raised = dearer(offerAt(calm, 0, most), first, then, most)
    expect(raised).toEqual(first)
  })

  test('offers an eighth more on both fees, within the cap, or is none', () => {
    fc.assert(
      fc.property(market, market, urgency, cap, (then, now, u, most) => {
        const last = offerAt(then, 0, most)
        const next = dearer(last, offerAt(now, u, most), now, most)
        if (next === undefined) return
        expect(isWithin(next, most)).toBe(true)
        expect(next.maxFeePerGas).toBeGreaterThanOrEqual(bumped(last.maxFeePerGas))
        expect(next.maxPriorityFeePerGas).toBeGreaterThanOrEqual(bumped(last.maxPriorityFeePerGas))
        expect(next.maxFeePerGas * 1000n).toBeGreaterThanOrEqual(last.maxFeePerGas * 1125n)
      }),
    )
  })

  test('is made when the base fee has passed the offer, and not while it is good', () => {
    const calm = { base: 10n ** 9n, tip: 10n ** 8n }
    const offer = offerAt(calm, 0, undefined)
    expect(replacementFor(offer, offerAt(calm, 0, undefined), calm, undefined)).toBeUndefined()
    const spike = { base: 10n ** 10n, tip: 10n ** 8n }
    const next = replacementFor(offer, offerAt(spike, 0, undefined), spike, undefined)
    expect(next?.maxFeePerGas).toBe(2n * spike.base + spike.tip)
  })

  test('is none when the budget does not carry it', () => {
    const calm = { base: 10n ** 9n, tip: 10n ** 8n }
    const most = 22n * 10n ** 8n
    const offer = offerAt(calm, 1, most)
    const spike = { base: 10n ** 10n, tip: 10n ** 8n }
    expect(replacementFor(offer, offerAt(spike, 1, most), spike, most)).toBeUndefined()
  })
})

describe('urgency', () => {
  test('is complete when half of the time is over', () => {
    const at = (now: bigint) => urgencyAt({ since: 100n, now, deadline: 300n }, 50n)
    expect([at(90n), at(100n), at(150n), at(200n), at(300n)]).toEqual([0, 0, 0.5, 1, 1])
  })

  test('without a deadline grows over a fixed time', () => {
    const at = (now: bigint) => urgencyAt({ since: 100n, now, deadline: undefined }, 50n)
    expect([at(100n), at(125n), at(150n)]).toEqual([0, 0.5, 1])
  })

  test('of a deadline that is over already is complete', () => {
    expect(urgencyAt({ since: 100n, now: 100n, deadline: 90n }, 50n)).toBe(1)
  })
})
