/**
 * Keeps slow peers from holding a connection for ever: a transfer that moves less than a minimum in
 * a stretch of time is ended. Slow lines pass, silent ones do not.
 */
import { type Clock, milliseconds } from '@holdfast/protocol'
import type { Limits } from '../limits/limits.ts'

export interface ProgressRule {
  readonly stretchMs: number
  /** At least this much per stretch. */
  readonly bytesMin: number
}

export const progressRule = ({ progressSeconds, progressBytesMin }: Limits): ProgressRule => ({
  stretchMs: progressSeconds * 1000,
  bytesMin: progressBytesMin,
})

/**
 * Watches `moved()` until `done` fires; calls `stalled` once when it grows too little. A stretch at whose
 * begin or end the transfer waits for this node (`isHeld`), for its disk for example, is nobody's fault.
 */
export const watchProgress = async (
  clock: Clock,
  rule: ProgressRule,
  transfer: {
    readonly moved: () => number
    readonly isHeld?: () => boolean
    readonly stalled: () => void
    readonly done: AbortSignal
  },
): Promise<void> => {
  const isHeld = transfer.isHeld ?? (() => false)
  let before = transfer.moved()
  let wasHeld = isHeld()
  while (!transfer.done.aborted) {
    const slept = await clock
      .sleep(milliseconds(rule.stretchMs), { signal: transfer.done })
      .then(() => true)
      .catch(() => false)
    if (!slept || transfer.done.aborted) return
    const now = transfer.moved()
    const held = isHeld()
    if (now - before < rule.bytesMin && !held && !wasHeld) return transfer.stalled()
    before = now
    wasHeld = held
  }
}
