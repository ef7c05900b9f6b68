/**
 * Whether the node may be stopped now without losing money, why, and until when. Pure.
 *
 * Invariant: it says yes only when no proof can be due before `until`, nothing of ours is on its way
 * to the chain, and what it knows of the chain is fresh.
 */
import {
  type Period,
  period,
  periodDeadline,
  roundFor,
  roundTime,
  type ScheduleParams,
  smaller,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'

export interface StopView {
  readonly schedule: ScheduleParams
  /** Chain time now. */
  readonly time: Timestamp
  readonly period: Period
  /** Leaves challenged in the current period, and in the next as far as it is known. */
  readonly weight: bigint
  readonly nextWeight: bigint
  readonly proven: boolean
  /** Proofs that are on their way, by name. Other transactions are written down and may wait. */
  readonly inFlight: readonly string[]
  /** The first moment at which an accepted deal can no longer be opened, if any waits. */
  readonly openBefore: Timestamp | undefined
  /** Why the chain is not known well enough to say. */
  readonly unsure: string | undefined
}

export interface SafeToStop {
  readonly safe: boolean
  readonly reason: string
  /** When safe: the node must be back by then. When not: when to ask again, at the latest. */
  readonly until: Timestamp | undefined
}

export const safeToStop = (view: StopView): SafeToStop => {
  const { schedule, time, weight, proven, inFlight, openBefore, unsure } = view
  const deadline = periodDeadline(schedule, view.period)
  if (unsure !== undefined) return { safe: false, reason: unsure, until: undefined }
  if (weight > 0n && !proven && time < deadline) {
    const reason = `period ${view.period} is not proven yet`
    return { safe: false, reason, until: deadline }
  }
  if (inFlight.length > 0) {
    const reason = `on its way to the chain: ${inFlight.join(', ')}`
    return { safe: false, reason, until: undefined }
  }
  if (openBefore !== undefined) {
    return { safe: false, reason: 'an accepted deal is not open yet', until: openBefore }
  }
  if (view.nextWeight === 0n)
    return { safe: true, reason: 'nothing is to be proven', until: undefined }
  const until = backBy(view)
  const done = weight === 0n ? 'nothing is to be proven in' : proven ? 'proven:' : 'over:'
  return { safe: true, reason: `${done} period ${view.period}`, until }
}

/** When the next period can first be proven: its seed, plus half of the time to its deadline. */
const backBy = ({ schedule, period: now }: StopView): Timestamp => {
  const next = period(now + 1n)
  const deadline = periodDeadline(schedule, next)
  const seeded = smaller(roundTime(schedule, roundFor(schedule, next)), deadline)
  return timestamp(seeded + (deadline - seeded) / 2n)
}
