/**
 * One run of a simulated program, from its start to the moment it is killed or the power goes off.
 * What belongs to it asks here before it does anything, and after the end is never answered: that is
 * how a process ends in a thread that lives on. Before that its disk may hang: then whoever uses the
 * disk waits for ever, and everybody else goes on, as in the moments before the lights go out.
 */

/** Nothing, for ever. */
export const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

export class SimulatedRun {
  readonly #pause: () => Promise<void>
  #alive = true
  #hangs = false

  /** @param pause how long a thread or a disk takes for one thing. */
  constructor(pause: () => Promise<void>) {
    this.#pause = pause
  }

  get alive(): boolean {
    return this.#alive
  }

  /** Whether its disk still answers. */
  get hasDisk(): boolean {
    return this.#alive && !this.#hangs
  }

  /** No use of its disk comes back any more. */
  hang(): void {
    this.#hangs = true
  }

  end(): void {
    this.#alive = false
  }

  /** Resolves after a while, or never when the run has ended. */
  async pause(): Promise<void> {
    if (!this.hasDisk) return never()
    await this.#pause()
    return this.hasDisk ? undefined : never()
  }

  /** Does something; when the run ended, before it or by it, nobody learns how it went. */
  async step<T>(work: () => T): Promise<T> {
    if (!this.hasDisk) return never()
    try {
      const result = work()
      return this.hasDisk ? result : never()
    } catch (error) {
      if (!this.hasDisk) return never()
      throw error
    }
  }
}
