/** Times of finality, disputes and audits: half-open, and consistent with one another. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { periodStart } from '../../src/schedule.ts'
import {
  answerDueAt,
  auditDueAt,
  auditEnding,
  bondFor,
  brokenTiming,
  disputeEnding,
  disputesUntil,
  type FinalityParams,
  finalAt,
  finalBeforeAt,
  usablePeriods,
  usablePeriodsNeeded,
} from '../../src/settlement/finality.ts'
import { amount, type Period, period, seconds, timestamp } from '../../src/units.ts'

const params = (changes: Partial<Record<keyof FinalityParams, bigint>> = {}): FinalityParams => ({
  genesis: timestamp(1_000n),
  period: seconds(changes.period ?? 100n),
  window: seconds(changes.window ?? 40n),
  seedDelay: seconds(1n),
  drand: { genesis: timestamp(0n), period: seconds(3n) },
  disputeTime: seconds(changes.disputeTime ?? 200n),
  answerTime: seconds(changes.answerTime ?? 100n),
})

const anyParams = fc
  .record({
    period: fc.bigInt(1n, 100_000n),
    window: fc.bigInt(1n, 100_000n),
    disputeTime: fc.bigInt(1n, 500_000n),
    answerTime: fc.bigInt(1n, 300_000n),
  })
  .map(params)

describe('finality', () => {
  test('comes the dispute time after the deadline', () => {
    expect(finalAt(params(), period(3))).toBe(1_000n + 300n + 40n + 200n)
    expect(finalBeforeAt(params(), timestamp(1_539n))).toBe(3n)
    expect(finalBeforeAt(params(), timestamp(1_540n))).toBe(4n)
    expect(finalBeforeAt(params(), timestamp(0n))).toBe(0n)
  })

  test('of a period is reached exactly when the clock says so', () => {
    fc.assert(
      fc.property(anyParams, fc.bigInt(0n, 1_000n).map(period), (of, p) => {
        const at = finalAt(of, p)
        expect(finalBeforeAt(of, at) > p).toBe(true)
        expect(finalBeforeAt(of, timestamp(at - 1n)) <= p).toBe(true)
      }),
    )
  })

  test('leaves a disputed provider its answer time before the period is final', () => {
    fc.assert(
      fc.property(anyParams, fc.bigInt(0n, 1_000n).map(period), (of, p) => {
        fc.pre(brokenTiming(of) === undefined)
        expect(answerDueAt(of, disputesUntil(of, p))).toBe(finalAt(of, p))
        // The whole dispute is over while root and tree are still in the ring of 8 periods.
        expect(answerDueAt(of, finalAt(of, p)) <= periodStart(of, period(p + 7n))).toBe(true)
        expect(auditDueAt(of, p) <= finalAt(of, p)).toBe(true)
      }),
    )
  })
})

describe('timing rules', () => {
  test.each([
    ['answerTime is longer', { answerTime: 201n }],
    ['shorter than two periods', { disputeTime: 159n }],
    ['longer than six periods', { disputeTime: 500n }],
    ['answerTime is zero', { answerTime: 0n }],
  ])('name what breaks them: %s', (words, changes) => {
    expect(brokenTiming(params(changes))).toContain(words)
  })

  test('hold for the figures of production and of the devnet', () => {
    const production = { period: 86_400n, window: 14_400n }
    const times = { disputeTime: 172_800n, answerTime: 86_400n }
    expect(brokenTiming(params({ ...production, ...times }))).toBeUndefined()
    expect(brokenTiming(params())).toBeUndefined()
  })
})

describe('a dispute', () => {
  test('needs as many usable periods as the answer time is long, rounded up', () => {
    expect(usablePeriodsNeeded(params())).toBe(1)
    expect(usablePeriodsNeeded(params({ answerTime: 101n, disputeTime: 300n }))).toBe(2)
  })

  test('can be slashed when its time has passed and enough periods had a seed', () => {
    const of = params({ answerTime: 150n })
    const openedAt = timestamp(1_350n)
    const seeds = new Set<Period>([period(2), period(3), period(5)])
    const at = (now: bigint): readonly Period[] | undefined =>
      usablePeriods(of, { openedAt, now: timestamp(now), hasSeed: (p) => seeds.has(p) })
    expect(at(1_499n)).toBeUndefined()
    expect(at(1_599n)).toBeUndefined()
    expect(at(1_600n)).toEqual([3n, 5n])
  })

  test('ends with the oldest usable periods, or without a slash when thirty had too few', () => {
    const of = params({ answerTime: 150n })
    const openedAt = timestamp(1_350n)
    const at = (now: bigint, ...seeds: number[]): readonly Period[] | undefined => {
      const seeded = new Set<Period>(seeds.map((p) => period(p)))
      return disputeEnding(of, { openedAt, now: timestamp(now), hasSeed: (p) => seeded.has(p) })
    }
    expect(at(1_499n, 3, 4)).toBeUndefined()
    expect(at(1_600n, 3, 4)).toEqual([3n, 4n])
    expect(at(4_349n, 3)).toBeUndefined()
    expect(at(4_350n, 3)).toEqual([])
    expect(at(4_350n, 3, 32)).toEqual([3n, 32n])
    // What came after the thirty periods does not take the expiry away.
    expect(at(9_000n, 3, 33, 34)).toEqual([])
  })

  test('costs one bond more for every one that is open', () => {
    expect([0, 1, 63].map((open) => bondFor(amount(7n), open))).toEqual([7n, 14n, 448n])
  })
})

describe('an audit', () => {
  const at = (now: number, ...seeds: number[]): Period | undefined => {
    const seeded = new Set<Period>(seeds.map((p) => period(p)))
    return auditEnding({ audited: period(5), now: period(now), hasSeed: (p) => seeded.has(p) })
  }

  test('ends with the first period after it that had a seed and is over', () => {
    expect(at(6, 5, 6)).toBeUndefined()
    expect(at(7, 5, 6)).toBe(6n)
    expect(at(9, 5, 8)).toBe(8n)
    expect(at(40, 34)).toBe(34n)
  })

  test('expires when none of the twenty-nine after it had one', () => {
    expect(at(34, 5)).toBeUndefined()
    expect(at(35, 5)).toBe(5n)
    expect(at(40, 5, 35, 36)).toBe(5n)
  })
})
