/** Unsigned LEB128 as CAR sections use it; values below 2^53, minimal form only. */
import { HoldfastError } from '@holdfast/protocol'

/** The longest form of a value below 2^53. */
export const VARINT_LENGTH_MAX = 8

export const varintLength = (value: number): number => {
  let length = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length += 1
  return length
}

/** Writes at `offset` and returns the offset behind. */
export const writeVarint = (value: number, out: Uint8Array, offset: number): number => {
  let at = offset
  let rest = value
  while (rest >= 128) {
    out[at++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  out[at++] = rest
  return at
}

/**
 * Reads at `offset`; undefined when the bytes end inside the number.
 * @throws HoldfastError `CAR_INVALID` for a number above 2^53 or not in its shortest form.
 */
export const readVarint = (
  data: Uint8Array,
  offset: number,
): { readonly value: number; readonly end: number } | undefined => {
  let value = 0
  let scale = 1
  for (let at = offset; at < data.length; at++) {
    const byte = data[at] ?? 0
    value += (byte & 127) * scale
    if (byte < 128) {
      if (!Number.isSafeInteger(value) || (byte === 0 && at > offset)) break
      return { value, end: at + 1 }
    }
    scale *= 128
    if (at - offset >= VARINT_LENGTH_MAX) break
    if (at === data.length - 1) return undefined
  }
  if (offset >= data.length) return undefined
  throw new HoldfastError({ code: 'CAR_INVALID', reason: 'a length is malformed' })
}
