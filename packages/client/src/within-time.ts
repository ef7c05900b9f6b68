/** A bound on how long something may take, on an injected clock: what is not done by then is aborted. */
import { type CallOptions, type Clock, HoldfastError, type Milliseconds } from '@holdfast/protocol'

export interface TimeBound extends CallOptions {
  /** For the error: "gave up waiting for …". */
  readonly what: string
  readonly timeoutMs: Milliseconds
  readonly clock: Clock
}

/**
 * Runs `work` with a signal that fires when the time is over or the caller's signal does. Resolves
 * or rejects by then, even when `work` does not listen.
 * @throws HoldfastError `TIMED_OUT`; what `work` throws.
 */
export const withinTime = async <T>(
  work: (options: CallOptions) => Promise<T>,
  { what, timeoutMs, clock, signal: outer }: TimeBound,
): Promise<T> => {
  const inner = new AbortController()
  const signal = outer === undefined ? inner.signal : AbortSignal.any([outer, inner.signal])
  const timer = new AbortController()
  let isOver = false
  const over = clock.sleep(timeoutMs, { signal: timer.signal }).then(
    () => {
      isOver = true
      inner.abort()
      throw new HoldfastError({ code: 'TIMED_OUT', what, afterMs: timeoutMs })
    },
    // The timer was stopped: the work is done, and its own outcome counts.
    () => new Promise<never>(() => undefined),
  )
  const done = work({ signal }).catch((error: unknown) => {
    if (isOver) throw new HoldfastError({ code: 'TIMED_OUT', what, afterMs: timeoutMs })
    throw error
  })
  try {
    return await Promise.race([done, over])
  } finally {
    timer.abort()
  }
}
