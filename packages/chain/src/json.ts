/**
 * Reading JSON that somebody else wrote: every field is asked for by name and kind, and a wrong one
 * is refused with its full path. The caller says what the refusal is.
 */
import type { HoldfastError } from '@holdfast/protocol'

type JsonRecord = Readonly<Record<string, unknown>>

/** The value when it is a JSON object, else undefined. */
export const asRecord = (value: unknown): JsonRecord | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonRecord)
    : undefined

export interface Bounds {
  readonly min?: number
  readonly max: number
}

/** The fields of one JSON object; each reader throws what `refuse` makes. */
export interface Fields {
  has(name: string): boolean
  text(name: string, bounds?: Bounds): string
  boolean(name: string): boolean
  /** A JSON number that is a whole number inside the bounds. */
  integer(name: string, bounds: Bounds): number
  /** A non-negative integer as a decimal string or as a safe JSON number. */
  bigint(name: string): bigint
  /** Bytes in hex, with or without `0x`; bounds are in bytes. */
  hex(name: string, bounds: Bounds): Uint8Array
  fields(name: string): Fields
  /** An array of objects. */
  list(name: string, bounds: Bounds): readonly Fields[]
  texts(name: string, bounds: Bounds): readonly string[]
  refuse(name: string, reason: string): HoldfastError
}

const HEX = /^(?:0x)?((?:[0-9a-fA-F]{2})*)$/
const DECIMAL = /^(?:0|[1-9][0-9]{0,77})$/

const within = (length: number, bounds: Bounds): boolean =>
  length >= (bounds.min ?? 0) && length <= bounds.max

const TEXT_BOUNDS: Bounds = { min: 0, max: 4096 }

class FieldReader implements Fields {
  readonly #record: JsonRecord
  readonly #refuse: (reason: string) => HoldfastError
  readonly #path: string

  constructor(record: JsonRecord, refuse: (reason: string) => HoldfastError, path: string) {
    this.#record = record
    this.#refuse = refuse
    this.#path = path
  }

  has(name: string): boolean {
    return this.#record[name] !== undefined
  }

  text(name: string, bounds: Bounds = TEXT_BOUNDS): string {
    const value = this.#record[name]
    if (typeof value !== 'string') throw this.refuse(name, 'is not text')
    if (!within(value.length, bounds)) throw this.refuse(name, `is not ${spoken(bounds)} long`)
    return value
  }

  boolean(name: string): boolean {
    const value = this.#record[name]
    if (typeof value !== 'boolean') throw this.refuse(name, 'is neither true nor false')
    return value
  }

  integer(name: string, bounds: Bounds): number {
    const value = this.#record[name]
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      throw this.refuse(name, 'is not a whole number')
    }
    if (!within(value, bounds)) throw this.refuse(name, `is not within ${spoken(bounds)}`)
    return value
  }

  bigint(name: string): bigint {
    const value = this.#record[name]
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
    if (typeof value === 'string' && DECIMAL.test(value)) return BigInt(value)
    throw this.refuse(name, 'is not a non-negative whole number (a decimal string)')
  }

  hex(name: string, bounds: Bounds): Uint8Array {
    const value = this.text(name, { max: 2 + 2 * bounds.max })
    const digits = HEX.exec(value)?.[1]
    if (digits === undefined) throw this.refuse(name, 'is not hexadecimal')
    if (!within(digits.length / 2, bounds)) {
      throw this.refuse(name, `is not ${spoken(bounds)} bytes long`)
    }
    return new Uint8Array(Buffer.from(digits, 'hex'))
  }

  fields(name: string): Fields {
    return this.#nested(this.#record[name], name)
  }

  list(name: string, bounds: Bounds): readonly Fields[] {
    return this.#array(name, bounds).map((value, i) => this.#nested(value, `${name}[${i}]`))
  }

  texts(name: string, bounds: Bounds): readonly string[] {
    return this.#array(name, bounds).map((value, i) => {
      if (typeof value !== 'string') throw this.refuse(`${name}[${i}]`, 'is not text')
      return value
    })
  }

  refuse(name: string, reason: string): HoldfastError {
    return this.#refuse(`${this.#path}${name} ${reason}`)
  }

  #array(name: string, bounds: Bounds): readonly unknown[] {
    const value = this.#record[name]
    if (!Array.isArray(value)) throw this.refuse(name, 'is not a list')
    if (!within(value.length, bounds)) throw this.refuse(name, `has not ${spoken(bounds)} entries`)
    return value
  }

  #nested(value: unknown, name: string): Fields {
    const record = asRecord(value)
    if (record === undefined) throw this.refuse(name, 'is not an object')
    return new FieldReader(record, this.#refuse, `${this.#path}${name}.`)
  }
}

const spoken = (bounds: Bounds): string =>
  bounds.min === bounds.max ? `${bounds.max}` : `${bounds.min ?? 0} to ${bounds.max}`

/** Readers for the fields of `value`; `refuse` turns a reason into the caller's error. */
export const fieldsOf = (value: unknown, refuse: (reason: string) => HoldfastError): Fields => {
  const record = asRecord(value)
  if (record === undefined) throw refuse('the file is not a JSON object')
  return new FieldReader(record, refuse, '')
}
