/**
 * A doorbell: many may ring, many may wait; ringing while nobody waits is remembered once, so that
 * no news falls between looking and waiting.
 */
import { type Clock, milliseconds } from '@holdfast/protocol'

export class Wake {
  #rung = false
  readonly #waiting = new Set<() => void>()

  ring(): void {
    this.#rung = true
    for (const resolve of [...this.#waiting]) resolve()
  }

  /** Resolves at the next ring, at once if it rang since the last wait, or when the signal fires. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await nextCall(this.#waiting, signal)
    }
    this.#rung = false
  }
}

/** Waits among `listeners` for the next call of them all; resolves also when the signal fires. */
export const nextCall = (listeners: Set<() => void>, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const wake = (): void => {
      signal.removeEventListener('abort', wake)
      listeners.delete(wake)
      resolve()
    }
    listeners.add(wake)
    signal.addEventListener('abort', wake, { once: true })
    if (signal.aborted) wake()
  })

/** Waits for whatever comes first; the others stop waiting, so that nobody piles up. */
export const firstOf = async (
  signal: AbortSignal,
  waits: readonly ((stop: AbortSignal) => Promise<void>)[],
): Promise<void> => {
  const over = new AbortController()
  const stop = AbortSignal.any([signal, over.signal])
  try {
    await Promise.race(waits.map((wait) => wait(stop)))
  } finally {
    over.abort()
  }
}

/**
 * Waits `leastMs`, then until there is news or `mostMs` more have passed. Resolves early when the
 * signal fires; news during the first wait may be missed, so `mostMs` bounds how stale one gets.
 */
export const pauseUntilNews = async (
  clock: Clock,
  nextNews: (signal: AbortSignal) => Promise<void>,
  bounds: { readonly leastMs: number; readonly mostMs: number; readonly signal: AbortSignal },
): Promise<void> => {
  const { leastMs, mostMs, signal } = bounds
  await clock.sleep(milliseconds(leastMs), { signal }).catch(() => undefined)
  if (signal.aborted) return
  const woken = new AbortController()
  const stop = AbortSignal.any([signal, woken.signal])
  const slept = clock.sleep(milliseconds(mostMs), { signal: stop }).catch(() => undefined)
  await Promise.race([slept, nextNews(stop)])
  woken.abort()
}
