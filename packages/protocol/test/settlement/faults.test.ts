/** Units of missed periods against their definition; one interval of fault against a set of periods. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type DealFaults,
  dealEnd,
  faultyPeriods,
  foldFaults,
  isFaulty,
  missUnits,
  missUnitsBetween,
  NO_FAULTS,
  withFault,
  withRecovery,
} from '../../src/settlement/faults.ts'
import { type Period, period } from '../../src/units.ts'
import { expectCode } from '../support/failures.ts'

const anyPeriod = fc.bigInt(0n, 130n).map(period)

describe('missed periods', () => {
  test('are free twice in each block of thirty, and cost three units from then on', () => {
    const missed = [1n, 5n, 29n, 30n, 31n, 45n, 59n].map(period)
    const before = (p: bigint): bigint => missUnits(missed, period(p))
    expect([0n, 6n, 29n, 30n, 32n, 46n, 60n, 999n].map(before)).toEqual([
      ...[0n, 0n, 0n, 3n, 3n, 6n, 9n, 9n],
    ])
  })

  test('cost what walking through them one by one gives', () => {
    fc.assert(
      fc.property(fc.array(anyPeriod), anyPeriod, anyPeriod, (missed, a, b) => {
        const [start, end] = a < b ? [a, b] : [b, a]
        let units = 0n
        const inBlock = new Map<bigint, number>()
        for (const p of [...new Set(missed)].sort((x, y) => Number(x - y))) {
          const count = (inBlock.get(p / 30n) ?? 0) + 1
          inBlock.set(p / 30n, count)
          if (count > 2 && p >= start && p < end) units += 3n
        }
        expect(missUnitsBetween(missed, { start, end })).toBe(units)
      }),
    )
  })
})

/** A fault at `at` for `length` periods, or one that stays, settled or not before the next. */
const anyStep = fc.record({
  wait: fc.bigInt(1n, 6n),
  length: fc.bigInt(1n, 13n),
  settles: fc.boolean(),
})

describe('faults of a deal', () => {
  test('count every faulty period once; what is widened is widened for the payer', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 8 }), (steps) => {
        let faults: DealFaults = NO_FAULTS
        let now = 10n
        let settled = period(10n)
        const faulty = new Set<Period>()
        let sureOf = 0
        for (const { wait, length, settles } of steps) {
          const from = period(now + wait)
          faults = withFault(foldFaults(faults, settled), from)
          expect(isFaulty(faults)).toBe(true)
          now = from + length
          faults = withRecovery(faults, period(now))
          for (let p = from; p < now; p++) faulty.add(period(p))
          if (settles) settled = period(now)
          sureOf = faulty.size
        }
        const counted = faultyPeriods(faults, period(1_000n))
        expect(counted >= BigInt(sureOf)).toBe(true)
        if (steps.every(({ settles }) => settles)) expect(counted).toBe(BigInt(sureOf))
      }),
    )
  })

  test('fold away once they are settled through, and change no count', () => {
    const faults = withRecovery(withFault(NO_FAULTS, period(5)), period(9))
    expect(foldFaults(faults, period(8))).toBe(faults)
    const folded = foldFaults(faults, period(9))
    expect(folded).toEqual({ ...NO_FAULTS, counted: 4n })
    expect(faultyPeriods(folded, period(20))).toBe(faultyPeriods(faults, period(20)))
  })

  test('leave nothing when they are recovered before they begin, nor widen what was there', () => {
    const never = withRecovery(withFault(NO_FAULTS, period(5)), period(5))
    expect(never).toEqual(NO_FAULTS)
    const first = withRecovery(withFault(NO_FAULTS, period(5)), period(9))
    expect(withRecovery(withFault(first, period(12)), period(12))).toEqual(first)
    const widened = withRecovery(withFault(first, period(12)), period(13))
    expect(widened).toEqual({ ...NO_FAULTS, from: 5n, until: 13n })
  })

  test('count nothing at or after the end of the deal', () => {
    const open = withFault(NO_FAULTS, period(5))
    expect([5, 6, 30].map((end) => faultyPeriods(open, period(end)))).toEqual([0n, 1n, 25n])
  })

  test('cannot be declared twice nor recovered from health', () => {
    const open = withFault(NO_FAULTS, period(5))
    expectCode('INVARIANT', () => withFault(open, period(6)))
    expectCode('INVARIANT', () => withRecovery(NO_FAULTS, period(6)))
  })
})

describe('the end of a deal', () => {
  const open = withFault(NO_FAULTS, period(10))

  test('is its own while nothing is wrong', () => {
    expect(dealEnd(period(40), NO_FAULTS, undefined)).toEqual({ end: 40n, lost: false })
    const healed = withRecovery(open, period(23))
    expect(dealEnd(period(40), healed, undefined)).toEqual({ end: 40n, lost: false })
  })

  test('is fourteen faulty periods after the fault, and the deal is lost then', () => {
    expect(dealEnd(period(24), open, undefined)).toEqual({ end: 24n, lost: true })
    expect(dealEnd(period(23), open, undefined)).toEqual({ end: 23n, lost: false })
  })

  test('is that of its provider when it comes first or at the same time', () => {
    expect(dealEnd(period(40), NO_FAULTS, period(40))).toEqual({ end: 40n, lost: true })
    expect(dealEnd(period(40), open, period(20))).toEqual({ end: 20n, lost: true })
    expect(dealEnd(period(40), NO_FAULTS, period(41))).toEqual({ end: 40n, lost: false })
  })
})
