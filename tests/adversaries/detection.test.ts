/**
 * The rate at which a loss is noticed, measured over thousands of seeded periods with the challenges
 * that the contracts draw, against the formula 1 - (1 - f)^k. A loss of 1 % is noticed within a day
 * with 99.0 %; five leaves per data set and day, as elsewhere today, notice it with 4.9 %.
 */
import { DEAL_CHALLENGES, GLOBAL_CHALLENGES, leaves } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { chanceOf, countNoticed, interval, type Loss } from '../support/detection.ts'

/** A tebibyte. */
const WEIGHT = leaves(1n << 30n)

/** The first of every so many positions, scattered. */
const oneIn = (share: bigint): Loss => ({ weight: WEIGHT, isLost: (at) => at % share === 0n })
/** The end of the weight, in one piece. */
const lastPart = (share: bigint): Loss => ({
  weight: WEIGHT,
  isLost: (at) => at >= WEIGHT - WEIGHT / share,
})

const between = (count: number, [low, high]: readonly [number, number]): void => {
  expect(count).toBeGreaterThanOrEqual(low)
  expect(count).toBeLessThanOrEqual(high)
}

test('the figures: 99.0 % within a day for a loss of 1 %, where five leaves give 4.9 %', () => {
  expect(chanceOf(0.01, GLOBAL_CHALLENGES)).toBeCloseTo(0.9902, 4)
  expect(chanceOf(0.01, DEAL_CHALLENGES)).toBeCloseTo(0.049, 4)
})

test('1 % lost: 460 leaves of the whole weight notice it at the rate of the formula', () => {
  const seeds = 300
  const p = chanceOf(0.01, GLOBAL_CHALLENGES)
  between(countNoticed('global', oneIn(100n), { run: 1, seeds }), interval(p, seeds))
  between(countNoticed('global', lastPart(100n), { run: 2, seeds }), interval(p, seeds))
})

test('0.1 % lost: a day notices it with 37 %', () => {
  const seeds = 100
  const p = chanceOf(0.001, GLOBAL_CHALLENGES)
  between(countNoticed('global', oneIn(1000n), { run: 3, seeds }), interval(p, seeds))
})

test('1 % of one deal: its five leaves notice it at the rate of the formula', () => {
  const seeds = 3000
  const p = chanceOf(0.01, DEAL_CHALLENGES)
  between(countNoticed('deal', oneIn(100n), { run: 4, seeds }), interval(p, seeds))
})

test('nothing lost: nothing is noticed', () => {
  const loss: Loss = { weight: WEIGHT, isLost: () => false }
  expect(countNoticed('global', loss, { run: 5, seeds: 5 })).toBe(0)
})
