/** Random lives of deals, and one without a gap. */
import fc from 'fast-check'
import type { Act, Day, LifePlan } from './life-facts.ts'

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Act>('none') },
  { weight: 2, arbitrary: fc.constant<Act>('top-up') },
  { weight: 2, arbitrary: fc.constant<Act>('fault') },
  { weight: 3, arbitrary: fc.constant<Act>('recover') },
  { weight: 1, arbitrary: fc.constantFrom<Act>('terminate', 'resign', 'consent') },
)

const mostly = (share: number): fc.Arbitrary<boolean> =>
  fc.integer({ min: 0, max: 99 }).map((drawn) => drawn < share)

const days: fc.Arbitrary<readonly Day[]> = fc.array(
  fc.record({
    ...{ seed: mostly(92), prove: mostly(75), report: mostly(80), settle: mostly(35) },
    act: acts,
  }),
  { minLength: 1, maxLength: 30 },
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
  days,
})

const DUTIFUL: Day = { seed: true, prove: true, report: true, settle: false, act: 'none' }

/** Every period of the term is proven, and nothing else happens. */
export const wholeTerm: LifePlan = {
  ...{ price: 5_000_000n, provingFee: 20_001n, length: 1000, periods: 7, notice: 2 },
  ...{ collateralPeriods: 90, share: 100 },
  days: Array.from({ length: 8 }, (_, i) => ({ ...DUTIFUL, settle: i === 4 })),
}
