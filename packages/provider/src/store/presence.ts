/**
 * Whether a volume is there, as far as anybody has seen through its path, and the word to the log when
 * that changes.
 */
import type { Logger } from '@holdfast/protocol'

export class Presence {
  readonly #logger: Logger
  readonly #name: { readonly volume: string; readonly path: string }
  #gone: string | undefined

  constructor(logger: Logger, name: { readonly volume: string; readonly path: string }) {
    this.#logger = logger
    this.#name = name
  }

  /** Why it is not there; undefined while it is. */
  get gone(): string | undefined {
    return this.#gone
  }

  isThere(): void {
    if (this.#gone !== undefined) this.#logger.info('volume is back', this.#name)
    this.#gone = undefined
  }

  isGone(reason: string): void {
    if (this.#gone === undefined) {
      const fields = { ...this.#name, reason }
      this.#logger.error('volume is gone: its payloads cannot be served', fields)
    }
    this.#gone = reason
  }
}
