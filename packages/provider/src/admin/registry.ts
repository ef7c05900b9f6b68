/**
 * What an operator may ask of a running node, by name. Whoever owns a thing registers what can be done
 * to it; the socket only carries questions and answers. Knows no transport.
 *
 * Invariants: a name has one handler for ever; a question is a JSON object, so is an answer.
 */
import { HoldfastError } from '@holdfast/protocol'

/** The question's fields, as the caller sent them: not checked yet. */
export type AdminInput = Readonly<Record<string, unknown>>

/**
 * Does one thing. The signal fires when the caller goes away or the node stops; big integers in the
 * answer become decimal strings. @throws HoldfastError to refuse.
 */
export type AdminHandler = (input: AdminInput, signal: AbortSignal) => Promise<object> | object

/** Words of `a-z`, digits and hyphens, in up to three levels: `volumes/add`. */
const NAME = /^[a-z][a-z0-9-]{0,31}(?:\/[a-z][a-z0-9-]{0,31}){0,2}$/

export class AdminRegistry {
  readonly #handlers = new Map<string, AdminHandler>()

  /** @throws HoldfastError `INVARIANT` for a name that is taken or malformed. */
  handle(name: string, handler: AdminHandler): void {
    if (!NAME.test(name) || this.#handlers.has(name)) {
      throw new HoldfastError({ code: 'INVARIANT', sentence: `no second operation ${name}` })
    }
    this.#handlers.set(name, handler)
  }

  /** Every operation, sorted. */
  get names(): readonly string[] {
    return [...this.#handlers.keys()].sort()
  }

  /** @throws HoldfastError `PATH_NOT_FOUND`, and what the handler throws. */
  async call(name: string, input: AdminInput, signal: AbortSignal): Promise<object> {
    const handler = this.#handlers.get(name)
    if (handler === undefined) throw new HoldfastError({ code: 'PATH_NOT_FOUND', path: name })
    return handler(input, signal)
  }
}

/** A text field of a question. @throws HoldfastError `MESSAGE_INVALID`. */
export const adminText = (input: AdminInput, field: string, lengthMax = 4096): string => {
  const value = input[field]
  if (typeof value === 'string' && value.length <= lengthMax && !/\p{Cc}/u.test(value)) return value
  const reason = `expected text of at most ${lengthMax} characters`
  throw new HoldfastError({ code: 'MESSAGE_INVALID', field, reason })
}

/** A yes or no; false when it is missing. @throws HoldfastError `MESSAGE_INVALID`. */
export const adminFlag = (input: AdminInput, field: string): boolean => {
  const value = input[field] ?? false
  if (typeof value === 'boolean') return value
  throw new HoldfastError({ code: 'MESSAGE_INVALID', field, reason: 'expected true or false' })
}
