/**
 * The schedule: half-open periods, deadlines that are themselves too late, the first round that is
 * late enough.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  periodAt,
  periodDeadline,
  periodStart,
  roundFor,
  roundTime,
  type ScheduleParams,
} from '../src/schedule.ts'
import { period, seconds, timestamp } from '../src/units.ts'
import { expectCode } from './support/failures.ts'

const PARAMS: ScheduleParams = {
  genesis: timestamp(1_000),
  period: seconds(20),
  window: seconds(15),
  seedDelay: seconds(1),
  drand: { genesis: timestamp(900), period: seconds(3) },
}

const anyParams = fc.record({
  genesis: fc.bigInt(0n, 1n << 40n).map(timestamp),
  period: fc.bigInt(1n, 100_000n).map(seconds),
  window: fc.bigInt(0n, 100_000n).map(seconds),
  seedDelay: fc.bigInt(0n, 1_000n).map(seconds),
  drand: fc.record({
    genesis: fc.bigInt(0n, 1n << 40n).map(timestamp),
    period: fc.bigInt(1n, 60n).map(seconds),
  }),
})
const anyPeriod = fc.bigInt(0n, 1n << 32n).map(period)

describe('periods', () => {
  test('are half-open: a boundary belongs to the period it starts', () => {
    expect(periodAt(PARAMS, timestamp(1_000))).toBe(0n)
    expect(periodAt(PARAMS, timestamp(1_019))).toBe(0n)
    expect(periodAt(PARAMS, timestamp(1_020))).toBe(1n)
  })

  test('do not exist before genesis', () => {
    expectCode('UNIT_INVALID', () => periodAt(PARAMS, timestamp(999)))
  })

  test('hold their start and not their end', () => {
    fc.assert(
      fc.property(anyParams, anyPeriod, (params, p) => {
        const start = periodStart(params, p)
        expect(periodAt(params, start)).toBe(p)
        expect(periodAt(params, timestamp(start + params.period - 1n))).toBe(p)
        expect(periodAt(params, timestamp(start + params.period))).toBe(p + 1n)
        expect(periodDeadline(params, p)).toBe(start + params.window)
      }),
    )
  })
})

describe('rounds', () => {
  test('are the first that is published late enough', () => {
    // start(0) + delay = 1001; rounds come at 900, 903, ... 999, 1002.
    expect(roundFor(PARAMS, period(0))).toBe(35n)
    expect(roundTime(PARAMS, 35n)).toBe(1_002n)
    const exact = { ...PARAMS, seedDelay: seconds(2) }
    expect(roundTime(exact, roundFor(exact, period(0)))).toBe(1_002n)
  })

  test('start with 1, also where drand starts after the period', () => {
    const late = { ...PARAMS, drand: { genesis: timestamp(5_000), period: seconds(3) } }
    expect(roundFor(late, period(0))).toBe(1n)
    expect(roundTime(late, 1n)).toBe(5_000n)
    expectCode('UNIT_INVALID', () => roundTime(PARAMS, 0n))
  })

  test('have no earlier one that would do', () => {
    fc.assert(
      fc.property(anyParams, anyPeriod, (params, p) => {
        const notBefore = periodStart(params, p) + params.seedDelay
        const round = roundFor(params, p)
        expect(roundTime(params, round) >= notBefore).toBe(true)
        if (round > 1n) expect(roundTime(params, round - 1n) < notBefore).toBe(true)
      }),
    )
  })

  test('differ between periods that are at least a round apart', () => {
    fc.assert(
      fc.property(anyParams, anyPeriod, (params, p) => {
        fc.pre(params.period >= params.drand.period)
        const [one, two] = [roundFor(params, p), roundFor(params, period(p + 1n))]
        expect(two > one || two === 1n).toBe(true)
      }),
    )
  })
})
