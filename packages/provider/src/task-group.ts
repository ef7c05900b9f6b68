/**
 * Owner of background work: runs named tasks under one signal, refuses new ones after `stop`, waits
 * for all of them. A task that throws stops the group and is the reason the program ends: crash
 * beats limping.
 */
import { setMaxListeners } from 'node:events'
import { HoldfastError } from '@holdfast/protocol'

export class TaskGroup {
  readonly #controller = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #failure: { readonly name: string; readonly error: unknown } | undefined

  constructor() {
    // Every task waits on this one signal, some in several places: that is no leak.
    setMaxListeners(0, this.#controller.signal)
  }

  /** Fires when the group stops. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** @throws HoldfastError `SHUTTING_DOWN` after `stop`. */
  run(name: string, task: (signal: AbortSignal) => Promise<void>): void {
    if (this.signal.aborted) throw new HoldfastError({ code: 'SHUTTING_DOWN' })
    const running = task(this.signal)
      .catch((error: unknown) => {
        const asked = this.signal.aborted && HoldfastError.is(error, 'ABORTED')
        if (!asked) this.#failure ??= { name, error }
        this.#controller.abort()
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Tells every task to stop and waits. Throws what the first failed task threw. */
  async stop(): Promise<void> {
    this.#controller.abort()
    await this.done()
  }

  /** Resolves when every task has ended; rejects with the first failure. */
  async done(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running])
    if (this.#failure === undefined) return
    const { name, error } = this.#failure
    throw error instanceof Error ? error : new Error(`task ${name} failed`, { cause: error })
  }
}
