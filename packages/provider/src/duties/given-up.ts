/**
 * Remembers which answers could not be made, why, and how often in a row. In memory alone: a restart costs
 * a few more tries. What goes wrong once an answer is made (the chain, its price) does not count.
 */
import { HoldfastError } from '@holdfast/protocol'

/** Tries come with growing pauses; bytes that are away for a moment are back by then. */
const TRIES = 3
/** More than can be asked at once: 64 disputes and an audit. The oldest is forgotten. */
const KEPT_MAX = 128

export class GivenUp {
  readonly #failures = new Map<string, { readonly times: number; readonly reason: string }>()
  readonly #names = new Set<string>()

  /** Answers that failed so often that nothing more is expected. */
  get names(): ReadonlySet<string> {
    return this.#names
  }

  /** Why an answer could not be made the last time; undefined when it could, or was not tried. */
  reasonFor(name: string): string | undefined {
    return this.#failures.get(name)?.reason
  }

  /** Makes an answer and counts when that fails. @throws what `make` throws. */
  async making<T>(name: string, make: () => Promise<T>): Promise<T> {
    try {
      const made = await make()
      this.forget(name)
      return made
    } catch (error) {
      if (!HoldfastError.is(error, 'ABORTED')) this.#count(name, reasonOf(error))
      throw error
    }
  }

  /** It is over, one way or another. */
  forget(name: string): void {
    this.#failures.delete(name)
    this.#names.delete(name)
  }

  #count(name: string, reason: string): void {
    const times = (this.#failures.get(name)?.times ?? 0) + 1
    this.#failures.delete(name)
    this.#failures.set(name, { times, reason })
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > KEPT_MAX && oldest !== undefined) this.forget(oldest)
    if (times >= TRIES) this.#names.add(name)
  }
}

const reasonOf = (error: unknown): string => {
  if (HoldfastError.is(error)) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}
