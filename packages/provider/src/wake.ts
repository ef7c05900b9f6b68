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
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done)
          this.#waiting.delete(done)
          resolve()
        }
        this.#waiting.add(done)
        signal.addEventListener('abort', done, { once: true })
      })
    }
    this.#rung = false
  }
}
