/**
 * The last periods, one word each: what an operator looks at first. Pure.
 */
import { type Period, period } from '@holdfast/protocol'
import type { PeriodOutcome } from '../earnings/account-types.ts'
import type { DealFact } from '../follow/facts.ts'

export type CalendarState = PeriodOutcome | 'open'

export interface CalendarDay {
  readonly period: Period
  readonly state: CalendarState
}

export interface CalendarView {
  /** The current period. */
  readonly now: Period
  /** Outcomes before it are final. */
  readonly finalThrough: Period
  readonly deals: readonly Pick<DealFact, 'start' | 'end' | 'faultedFrom'>[]
  readonly isProven: (of: Period) => boolean
  /** What the books say of periods that are judged. */
  readonly judged: ReadonlyMap<Period, PeriodOutcome>
  /** They have judged every period before this one, or forgotten it. */
  readonly judgedTo: Period
}

/** The last `count` periods up to the current one, oldest first. */
export const proofCalendar = (view: CalendarView, count: number): readonly CalendarDay[] => {
  const first = view.now + 1n > BigInt(count) ? view.now + 1n - BigInt(count) : 0n
  const counted = countedPeriods(view, first)
  const days: CalendarDay[] = []
  for (let of = first; of <= view.now; of++) {
    const here = counted[Number(of - first)] ?? 0
    days.push({ period: period(of), state: stateOf(view, period(of), here > 0) })
  }
  return days
}

/** For each period from `first` on: how many deals count it. */
const countedPeriods = ({ deals, now }: CalendarView, first: bigint): readonly number[] => {
  const steps = Array.from({ length: Number(now - first) + 2 }, () => 0)
  const at = (of: bigint): number => {
    const index = Number(of - first)
    return index < 0 ? 0 : Math.min(index, steps.length - 1)
  }
  for (const { start, end, faultedFrom } of deals) {
    const last = faultedFrom !== undefined && faultedFrom < end ? faultedFrom : end
    if (last <= start) continue
    steps[at(start)] = (steps[at(start)] ?? 0) + 1
    steps[at(last)] = (steps[at(last)] ?? 0) - 1
  }
  let sum = 0
  return steps.map((step) => {
    sum += step
    return sum
  })
}

const stateOf = (view: CalendarView, of: Period, counted: boolean): CalendarState => {
  if (view.isProven(of)) return 'proven'
  if (of >= view.finalThrough) return counted ? 'open' : 'idle'
  if (!counted) return 'idle'
  return view.judged.get(of) ?? (of < view.judgedTo ? 'missed' : 'open')
}
