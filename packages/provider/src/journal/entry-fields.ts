/** Fields of one journal entry as JSON text; a missing or odd one is the journal's damage. */
import { HoldfastError } from '@holdfast/protocol'

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

/** Reads fields of one parsed entry; a missing or odd one is the store's damage. */
export class EntryFields {
  readonly #value: Readonly<Record<string, unknown>>

  constructor(text: string) {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) throw entryInvalid('is not an object')
    this.#value = { ...value }
  }

  text(name: string): string {
    const value = this.#value[name]
    if (typeof value !== 'string') throw entryInvalid(`${name} is not text`)
    return value
  }

  integer(name: string): bigint {
    const value = this.text(name)
    if (!/^[0-9]{1,40}$/.test(value)) throw entryInvalid(`${name} is not an integer`)
    return BigInt(value)
  }

  /** A JSON number that counts something. */
  count(name: string): number {
    const value = this.#value[name]
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw entryInvalid(`${name} is not a count`)
  }

  flag(name: string): boolean {
    const value = this.#value[name]
    if (typeof value !== 'boolean') throw entryInvalid(`${name} is neither true nor false`)
    return value
  }

  has(name: string): boolean {
    return this.#value[name] !== undefined
  }

  message(name: string): Uint8Array {
    return fromBase64(this.text(name))
  }
}

export const entryInvalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'MESSAGE_INVALID', field: 'journal entry', reason })
