/**
 * Checked readers of untrusted wire fields: each takes the value and the field's name and gives a
 * domain value, or refuses with MESSAGE_INVALID naming the field. Nothing else in the package
 * trusts a peer.
 */
import { HoldfastError } from '../errors.ts'
import { PAYLOAD_BYTES_MAX } from '../geometry.ts'
import {
  type Address,
  type DealId,
  type Hash32,
  type Root,
  type SchemeId,
  type Signature,
  toHex,
} from '../ids.ts'
import {
  type Amount,
  amount,
  type Bytes,
  bytes,
  type Period,
  type Periods,
  period,
  periods,
  type Rate,
  rate,
  type Timestamp,
  timestamp,
} from '../units.ts'

const UINT32_MAX = (1n << 32n) - 1n
const UINT64_MAX = (1n << 64n) - 1n
const UINT128_MAX = (1n << 128n) - 1n

/** The error for a field that cannot be what it claims. */
export const messageInvalid = (field: string, reason: string): HoldfastError =>
  new HoldfastError({ code: 'MESSAGE_INVALID', field, reason })

const sized = <T>(value: Uint8Array, field: string, length: number): T => {
  if (value.length !== length) {
    throw messageInvalid(field, `${value.length} bytes instead of ${length}`)
  }
  return toHex(value) as T
}

export const readAddress = (value: Uint8Array, field: string): Address => sized(value, field, 20)
export const readHash = (value: Uint8Array, field: string): Hash32 => sized(value, field, 32)
export const readRoot = (value: Uint8Array, field: string): Root => sized(value, field, 32)
export const readDeal = (value: Uint8Array, field: string): DealId => sized(value, field, 32)
export const readSignature = (value: Uint8Array, field: string): Signature =>
  sized(value, field, 65)

/** A message that must be there. */
export const readPresent = <T>(value: T | undefined, field: string): T => {
  if (value === undefined) throw messageInvalid(field, 'missing')
  return value
}

/** An integer between bounds, both allowed. */
export const readInt = (
  value: bigint,
  field: string,
  [least, most]: readonly [bigint, bigint] = [0n, UINT64_MAX],
): bigint => {
  if (value < least || value > most)
    throw messageInvalid(field, `${value} is not ${least}..${most}`)
  return value
}

export const readScheme = (value: number, field: string): SchemeId => {
  if (value !== 1 && value !== 2) throw messageInvalid(field, `scheme ${value} is unknown`)
  return value
}

/** A payload's length: 1 to 2^50. */
export const readLength = (value: bigint, field: string): Bytes =>
  bytes(readInt(value, field, [1n, PAYLOAD_BYTES_MAX]))
export const readBytes = (value: bigint, field: string): Bytes => bytes(readInt(value, field))
export const readPeriods = (value: bigint, field: string): Periods =>
  periods(readInt(value, field, [0n, UINT32_MAX]))
/** A term: at least one period. */
export const readTerm = (value: bigint, field: string): Periods =>
  periods(readInt(value, field, [1n, UINT32_MAX]))
export const readPeriod = (value: bigint, field: string): Period => period(readInt(value, field))
export const readTime = (value: bigint, field: string): Timestamp =>
  timestamp(readInt(value, field))

const DECIMAL = /^(?:0|[1-9][0-9]{0,38})$/

const readDecimal = (value: string, field: string): bigint => {
  if (!DECIMAL.test(value) || BigInt(value) > UINT128_MAX) {
    throw messageInvalid(field, 'not a decimal number below 2^128')
  }
  return BigInt(value)
}

/** Money as a decimal string without sign or leading zeros, below 2^128. */
export const readAmount = (value: string, field: string): Amount =>
  amount(readDecimal(value, field))
export const readRate = (value: string, field: string): Rate => rate(readDecimal(value, field))

/** C0 and C1 control characters: they would let a peer write to our terminals and logs. */
const CONTROLS = /\p{Cc}/u

/** Text for people, without control characters. */
export const readText = (value: string, field: string, lengthMax: number): string => {
  if (value.length > lengthMax) {
    throw messageInvalid(field, `${value.length} characters, at most ${lengthMax}`)
  }
  if (CONTROLS.test(value)) throw messageInvalid(field, 'control characters')
  return value
}

const readMatching = (
  value: string,
  field: string,
  rule: { readonly pattern: RegExp; readonly lengthMax: number; readonly words: string },
): string => {
  if (value.length > rule.lengthMax || !rule.pattern.test(value)) {
    throw messageInvalid(field, `not ${rule.words}`)
  }
  return value
}

const SESSION = {
  pattern: /^[A-Za-z0-9_-]+$/,
  lengthMax: 128,
  words: '1 to 128 letters, digits, - and _',
}
const TOKEN = { pattern: /^[A-Za-z0-9._~+/=-]+$/, lengthMax: 256, words: 'a bearer token' }
const HTTPS_BASE = {
  pattern: /^https:\/\/[A-Za-z0-9.[\]:_-]+$/,
  lengthMax: 300,
  words: 'https://host:port without a path',
}

/** A session id: part of a URL path, so only letters, digits, `-` and `_`. */
export const readSession = (value: string, field: string): string =>
  readMatching(value, field, SESSION)
/** A bearer token: RFC 6750 characters. */
export const readToken = (value: string, field: string): string => readMatching(value, field, TOKEN)
/** The base of an HTTPS interface: scheme, host and port only. */
export const readHttpsBase = (value: string, field: string): string =>
  readMatching(value, field, HTTPS_BASE)

/** A list of at most `countMax`. */
export const readList = <T>(value: readonly T[], field: string, countMax: number): readonly T[] => {
  if (value.length > countMax) {
    throw messageInvalid(field, `${value.length} entries, at most ${countMax}`)
  }
  return value
}
