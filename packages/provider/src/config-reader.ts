/**
 * Reads fields of a parsed JSON object and collects what is wrong with them, so that all of it is said
 * at once. A wrong field yields some value of its type; who reads must look at `problems` in the end.
 */
import { type Address, address } from '@holdfast/protocol'

export class ConfigReader {
  readonly problems: string[]
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #prefix: string

  constructor(value: unknown, problems: string[] = [], prefix = '') {
    this.#fields = typeof value === 'object' && value !== null ? { ...value } : {}
    this.problems = problems
    this.#prefix = prefix
  }

  /** The fields of an object inside this one; what is wrong with them is named with both names. */
  group(name: string): ConfigReader {
    const value = this.#fields[name]
    if (value !== undefined && (typeof value !== 'object' || value === null)) {
      this.#say(name, value, 'an object')
    }
    return new ConfigReader(value, this.problems, `${this.#prefix}${name}.`)
  }

  value(name: string): unknown {
    return this.#fields[name]
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined
  }

  text(name: string, pattern: RegExp, expected: string): string {
    const value = this.#fields[name]
    if (typeof value === 'string' && pattern.test(value)) return value
    this.#say(name, value, expected)
    return ''
  }

  integer(name: string, limit: bigint): bigint {
    const text = this.text(name, /^\d{1,40}$/, 'a whole number as text')
    const value = text === '' ? 0n : BigInt(text)
    if (value > limit) {
      this.problems.push(`${this.#prefix}${name} is ${value}, at most ${limit}`)
    }
    return value > limit ? 0n : value
  }

  count(name: string, bounds: { readonly min: number; readonly max: number }): number {
    const value = this.#fields[name]
    const { min, max } = bounds
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
      return value
    }
    this.#say(name, value, `${min} to ${max}`)
    return min
  }

  flag(name: string): boolean {
    const value = this.#fields[name]
    if (typeof value === 'boolean') return value
    this.#say(name, value, 'true or false')
    return false
  }

  /** A list of settings, each with a reader of its own that shares this one's problems. */
  each(name: string, countMax: number): readonly ConfigReader[] {
    const value = this.#fields[name]
    if (Array.isArray(value) && value.length > 0 && value.length <= countMax) {
      return value.map((part: unknown) => new ConfigReader(part, this.problems, `${name}: `))
    }
    this.#say(name, value, `a list of 1 to ${countMax}`)
    return []
  }

  address(name: string): Address {
    const text = this.text(name, /^0x[0-9a-fA-F]{40}$/, 'an address')
    return address(text === '' ? `0x${'00'.repeat(20)}` : text)
  }

  #say(name: string, value: unknown, expected: string): void {
    const found = JSON.stringify(value) ?? 'missing'
    this.problems.push(`${this.#prefix}${name} is ${found}, expected ${expected}`)
  }
}
