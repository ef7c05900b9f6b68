/**
 * Remembers which answers could not be made, and how often in a row. In memory alone: a restart costs
 * a few more tries. What goes wrong once an answer is made (the chain, its price) does not count.
 */
import { HoldfastError } from '@holdfast/protocol'

/** Tries come with growing pauses; bytes that are away for a moment are back by then. */
const TRIES = 3
/** More than can be asked at once: 64 disputes and an audit. The oldest is forgotten. */
const KEPT_MAX = 128

export class GivenUp {
  readonly #failures = new Map<string, number>()
  readonly #names = new Set<string>()

  /** Answers that failed so often that nothing more is expected. */
  get names(): ReadonlySet<string> {
    return this.#names
  }

  /** Makes an answer and counts when that fails. @throws what `make` throws. */
  async making<T>(name: string, make: () => Promise<T>): Promise<T> {
    try {
      const made = await make()
      this.forget(name)
      return made
    } catch (error) {
      if (!HoldfastError.is(error, 'ABORTED')) this.#count(name)
      throw error
    }
  }

  /** It is over, one way or another. */
  forget(name: string): void {
    this.#failures.delete(name)
    this.#names.delete(name)
  }

  #count(name: string): void {
    const failures = (this.#failures.get(name) ?? 0) + 1
    this.#failures.delete(name)
    this.#failures.set(name, failures)
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > KEPT_MAX && oldest !== undefined) this.forget(oldest)
    if (failures >= TRIES) this.#names.add(name)
  }
}
