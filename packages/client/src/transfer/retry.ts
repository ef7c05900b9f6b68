/** The one place that decides on another try: only what the error table allows, with growing pauses. */
import { type Clock, ERROR_TABLE, HoldfastError, milliseconds } from '@holdfast/protocol'

export interface RetryOptions {
  readonly clock: Clock
  /** Tries in all. */
  readonly tries: number
  readonly signal?: AbortSignal
  /** Told before each pause. */
  readonly onRetry?: (error: HoldfastError, attempt: number) => void
}

const FIRST_PAUSE_MS = 200
const PAUSE_MAX_MS = 5000

const mayRetry = (error: unknown): error is HoldfastError =>
  HoldfastError.is(error) && ERROR_TABLE[error.code].retry === 'back-off'

export const withRetry = async <T>(
  { clock, tries, signal, onRetry }: RetryOptions,
  act: () => Promise<T>,
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act()
    } catch (error) {
      if (attempt >= tries || !mayRetry(error)) throw error
      onRetry?.(error, attempt)
      const pause = Math.min(PAUSE_MAX_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1))
      await clock.sleep(milliseconds(pause), signal === undefined ? {} : { signal })
    }
  }
}
