/**
 * Units as types: every quantity that is money, a byte count, a position or protocol time is a
 * branded `bigint`, so that an index cannot be passed for a count nor a duration for an instant.
 *
 * Invariant: a branded value is a non-negative integer; constructors are the only way in.
 * Not here: formatting for people (each command line does its own).
 */
import { HoldfastError } from './errors.ts'

/** `T` that remembers what it measures. The brand exists for the compiler only. */
export type Brand<T, B extends string> = T & { readonly '~brand': B }

/** A count of bytes. */
export type Bytes = Brand<bigint, 'Bytes'>
/** A count of 1 KiB payload leaves; also the weight of a deal in the provider tree. */
export type Leaves = Brand<bigint, 'Leaves'>
/** The position of a leaf, from 0. */
export type LeafIndex = Brand<bigint, 'LeafIndex'>
/** A duration in seconds of block time. */
export type Seconds = Brand<bigint, 'Seconds'>
/** An instant in Unix seconds of block time. */
export type Timestamp = Brand<bigint, 'Timestamp'>
/** The index of a proof period, counted from the network's genesis. */
export type Period = Brand<bigint, 'Period'>
/** A count of periods. */
export type Periods = Brand<bigint, 'Periods'>
/** Money in base units of a token. */
export type Amount = Brand<bigint, 'Amount'>
/** Money per second, in base units times 10^12 (`RATE_SCALE`). */
export type Rate = Brand<bigint, 'Rate'>
/** The position of a slot in a provider tree, from 0. */
export type SlotIndex = Brand<bigint, 'SlotIndex'>
/** Wall time in milliseconds, for time-outs and logs only. */
export type Milliseconds = Brand<number, 'Milliseconds'>

/** Any branded non-negative integer. */
export type Unit =
  | Bytes
  | Leaves
  | LeafIndex
  | Seconds
  | Timestamp
  | Period
  | Periods
  | Amount
  | Rate
  | SlotIndex

const checked = <U extends Unit>(name: string, value: bigint | number): U => {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new HoldfastError({ code: 'UNIT_INVALID', unit: name, value: String(value) })
  }
  const integer = BigInt(value)
  if (integer < 0n) {
    throw new HoldfastError({ code: 'UNIT_INVALID', unit: name, value: String(value) })
  }
  return integer as U
}

/** @throws HoldfastError `UNIT_INVALID` unless `value` is a non-negative integer; so do all below. */
export const bytes = (value: bigint | number): Bytes => checked('bytes', value)
export const leaves = (value: bigint | number): Leaves => checked('leaves', value)
export const leafIndex = (value: bigint | number): LeafIndex => checked('leaf index', value)
export const seconds = (value: bigint | number): Seconds => checked('seconds', value)
export const timestamp = (value: bigint | number): Timestamp => checked('timestamp', value)
export const period = (value: bigint | number): Period => checked('period', value)
export const periods = (value: bigint | number): Periods => checked('periods', value)
export const amount = (value: bigint | number): Amount => checked('amount', value)
export const rate = (value: bigint | number): Rate => checked('rate', value)
export const slotIndex = (value: bigint | number): SlotIndex => checked('slot index', value)
export const milliseconds = (value: number): Milliseconds => value as Milliseconds

/** The sum of two quantities of one kind. */
export const plus = <U extends Unit>(a: U, b: U): U => (a + b) as U

/** @throws HoldfastError `UNIT_INVALID` when `b > a`: no quantity here is negative. */
export const minus = <U extends Unit>(a: U, b: U): U => checked('difference', a - b)

export const smaller = <U extends Unit>(a: U, b: U): U => (a < b ? a : b)
export const larger = <U extends Unit>(a: U, b: U): U => (a > b ? a : b)

/** Division that rounds up. `b` must be positive. */
export const divUp = (a: bigint, b: bigint): bigint => (a + b - 1n) / b
/** Division that rounds down. `b` must be positive. */
export const divDown = (a: bigint, b: bigint): bigint => a / b

/**
 * A quantity as a JavaScript number, for array lengths and file offsets.
 * @throws HoldfastError `UNIT_INVALID` above 2^53 - 1.
 */
export const toNumber = (value: bigint): number => {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) {
    throw new HoldfastError({ code: 'UNIT_INVALID', unit: 'safe integer', value: String(value) })
  }
  return number
}
