/**
 * Reads fields of an answer of the node, whose version may be another one: what is missing is empty,
 * never an error, because a person waits for a table.
 */

export class Answer {
  readonly #fields: Readonly<Record<string, unknown>>

  constructor(value: unknown) {
    this.#fields = typeof value === 'object' && value !== null ? { ...value } : {}
  }

  /** A field as text; empty when it is missing. */
  text(name: string): string {
    const value = this.#fields[name]
    return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
  }

  integer(name: string): bigint | undefined {
    const text = this.text(name)
    return /^-?\d{1,78}$/.test(text) ? BigInt(text) : undefined
  }

  flag(name: string): boolean | undefined {
    const value = this.#fields[name]
    return typeof value === 'boolean' ? value : undefined
  }

  group(name: string): Answer {
    return new Answer(this.#fields[name])
  }

  list(name: string): readonly Answer[] {
    const value = this.#fields[name]
    return Array.isArray(value) ? value.map((one) => new Answer(one)) : []
  }
}
