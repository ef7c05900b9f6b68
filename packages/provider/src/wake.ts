/**
 * A doorbell: many may ring, many may wait; ringing while nobody waits is remembered once, so that
 * no news falls between looking and waiting.
 */
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
