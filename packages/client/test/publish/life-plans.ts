/** Random lives of deals, and one without a gap. */
import fc from 'fast-check'
import type { Act, Day, LifePlan } from './life-facts.ts'

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Act>('none') },
  { weight: 2, arbitrary: fc.constant<Act>('top-up') },
  { weight: 2, arbitrary: fc.constant<Act>('fault') },
  { weight: 3, arbitrary: fc.constant<Act>('recover') },
  { weight: 1, arbitrary: fc.constantFrom<Act>('terminate', 'resign', 'consent', 'void') },
  { weight: 2, arbitrary: fc.constant<Act>('declare') },
)

const mostly = (share: number): fc.Arbitrary<boolean> =>
  fc.integer({ min: 0, max: 99 }).map((drawn) => drawn < share)

/** A dispute now and then, about any of the entries. */
const ask = fc.oneof(
  { weight: 5, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 464 }) },
  { weight: 1, arbitrary: fc.integer({ min: 460, max: 464 }) },
)

const mode = fc.oneof(
  { weight: 4, arbitrary: fc.constant('direct' as const) },
  { weight: 3, arbitrary: fc.constant('commit' as const) },
  { weight: 1, arbitrary: fc.constant('lie' as const) },
)

/** A question, and then no seed for a month: it expires. */
const darkDay: fc.Arbitrary<Day> = fc.record({
  ...{ seed: fc.constant(false), prove: fc.constant(false), mode, report: fc.constant(false) },
  ...{ settle: mostly(35), ask: fc.integer({ min: 458, max: 464 }), show: fc.constant(false) },
  ...{ slash: mostly(60), act: fc.constant('void' as const) },
})

const dayOf = (diligence: number): fc.Arbitrary<Day> =>
  fc.oneof(
    {
      weight: 40,
      arbitrary: fc.record({
        ...{ seed: mostly(92), prove: mostly(diligence), report: mostly(80), settle: mostly(35) },
        ...{ mode, ask, show: mostly(75), slash: mostly(60), act: acts },
      }),
    },
    { weight: 2, arbitrary: darkDay },
  )

const days: fc.Arbitrary<readonly Day[]> = fc.array(dayOf(75), { minLength: 1, maxLength: 30 })

/** One that hardly ever proves: somebody ends it as soon as that is possible. */
const lazyDays: fc.Arbitrary<readonly Day[]> = fc.array(
  dayOf(4).map((day) => ({ ...day, act: day.act === 'none' ? 'end' : day.act })),
  { minLength: 15, maxLength: 30 },
)

/** From nothing to more than anybody pays. */
const price = fc.oneof(
  fc.bigInt({ min: 0n, max: 10_000_000n }),
  fc.bigInt({ min: 0n, max: 10n ** 26n }),
)

export const plans: fc.Arbitrary<LifePlan> = fc.record({
  ...{ price, provingFee: price, length: fc.integer({ min: 1, max: 1024 }) },
  ...{ periods: fc.integer({ min: 1, max: 25 }), notice: fc.integer({ min: 0, max: 6 }) },
  collateralPeriods: fc.integer({ min: 0, max: 40 }),
  share: fc.integer({ min: 0, max: 100 }),
  days: fc.oneof({ weight: 5, arbitrary: days }, { weight: 1, arbitrary: lazyDays }),
})

const DUTIFUL: Day = {
  ...{ seed: true, prove: true, mode: 'direct', report: true, settle: false, act: 'none' },
  ...{ ask: undefined, show: true, slash: false },
}

/** Every period of the term is proven, and nothing else happens. */
export const wholeTerm: LifePlan = {
  ...{ price: 5_000_000n, provingFee: 20_001n, length: 1000, periods: 7, notice: 2 },
  ...{ collateralPeriods: 90, share: 100 },
  days: Array.from({ length: 8 }, (_, i) => ({ ...DUTIFUL, settle: i === 4 })),
}

/** The same with commitments, some of which are asked about. */
export const wholeTermCommitted: LifePlan = {
  ...wholeTerm,
  days: Array.from({ length: 8 }, (_, i) => ({
    ...{ ...DUTIFUL, mode: 'commit' as const, settle: i === 4 },
    ask: i % 3 === 1 ? 460 + i : undefined,
  })),
}
