/**
 * Byte strings: joining, comparing, and big-endian integers of a fixed width. Pure; every function
 * that returns bytes returns fresh ones, except where it says "view".
 */
import { HoldfastError } from './errors.ts'

/** The arrays one after the other. */
export const concatBytes = (...parts: readonly Uint8Array[]): Uint8Array => {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** True when both hold the same bytes. Not constant-time: never for secrets. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** True when every byte is zero. */
export const isZero = (data: Uint8Array): boolean => data.every((byte) => byte === 0)

/**
 * `value` as `width` bytes, most significant first.
 * @throws HoldfastError `UNIT_INVALID` when it is negative or does not fit.
 */
export const uintBytes = (value: bigint, width: number): Uint8Array => {
  if (value < 0n || value >> BigInt(8 * width) !== 0n) {
    throw new HoldfastError({ code: 'UNIT_INVALID', unit: `uint${8 * width}`, value: `${value}` })
  }
  const out = new Uint8Array(width)
  let rest = value
  for (let i = width - 1; i >= 0 && rest !== 0n; i--) {
    out[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return out
}

/** The unsigned integer whose big-endian bytes these are; 0 for none. */
export const bytesUint = (data: Uint8Array): bigint => {
  let value = 0n
  for (const byte of data) value = (value << 8n) | BigInt(byte)
  return value
}
