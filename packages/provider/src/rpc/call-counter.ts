/**
 * How many calls of each kind ran, run, and failed with which code: for metrics only.
 */
import { HoldfastError } from '@holdfast/protocol'

export class CallCounter {
  readonly #finished = new Map<string, number>()
  readonly #running = new Map<string, number>()

  /** Notes the start of a call; the returned function notes its end. */
  begin(name: string): (error: unknown) => void {
    this.#running.set(name, (this.#running.get(name) ?? 0) + 1)
    return (error) => {
      this.#running.set(name, (this.#running.get(name) ?? 1) - 1)
      const code = error === undefined ? 'OK' : HoldfastError.is(error) ? error.code : 'INVARIANT'
      const key = `${name} ${code}`
      this.#finished.set(key, (this.#finished.get(key) ?? 0) + 1)
    }
  }

  /** Calls that run now. */
  get running(): number {
    let sum = 0
    for (const count of this.#running.values()) sum += count
    return sum
  }

  /** Finished calls by name and code. */
  *finished(): Iterable<{ readonly name: string; readonly code: string; readonly count: number }> {
    for (const [key, count] of this.#finished) {
      const [name = '', code = ''] = key.split(' ')
      yield { name, code, count }
    }
  }
}
