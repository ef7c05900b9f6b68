/** Cooperative cancellation: checked on entry and between bounded steps, reported as `ABORTED`. */
import { HoldfastError } from '@holdfast/protocol'

/** @throws HoldfastError `ABORTED` when the signal has fired. */
export const stopIfAborted = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted === true) {
    throw new HoldfastError({ code: 'ABORTED' }, { cause: signal.reason })
  }
}

/** For loops that try the next candidate: rethrows what is not ours, and what was asked for. */
export const unlessAborted = (error: unknown): HoldfastError => {
  if (!HoldfastError.is(error)) throw error
  if (error.code === 'ABORTED') throw error
  return error
}
