/**
 * Sets of byte positions as sorted, disjoint, non-touching half-open ranges: which parts of an
 * upload are durable. Pure values; every function returns a new array.
 */
import { type Bytes, bytes, larger, plus, smaller } from '@holdfast/protocol'

/** Positions from `start`, included, to `end`, not included. */
export interface ByteRange {
  readonly start: Bytes
  readonly end: Bytes
}

/** The union of `ranges` and one more range. */
export const addRange = (ranges: readonly ByteRange[], added: ByteRange): readonly ByteRange[] => {
  if (added.end <= added.start) return ranges
  let { start, end } = added
  const before: ByteRange[] = []
  const after: ByteRange[] = []
  for (const range of ranges) {
    if (range.end < start) before.push(range)
    else if (range.start > end) after.push(range)
    else {
      start = smaller(start, range.start)
      end = larger(end, range.end)
    }
  }
  return [...before, { start, end }, ...after]
}

/** Whether one range of the set holds all of `wanted`. */
export const coversRange = (ranges: readonly ByteRange[], wanted: ByteRange): boolean =>
  ranges.some((range) => range.start <= wanted.start && wanted.end <= range.end)

/** Whether any byte of `wanted` is in the set. */
export const touchesRange = (ranges: readonly ByteRange[], wanted: ByteRange): boolean =>
  ranges.some((range) => range.start < wanted.end && wanted.start < range.end)

/** How many bytes the set holds. */
export const bytesIn = (ranges: readonly ByteRange[]): Bytes =>
  ranges.reduce((sum, range) => plus(sum, bytes(range.end - range.start)), bytes(0))

/** The parts of `wanted` that are not in the set, in order. */
export const missingRanges = (
  ranges: readonly ByteRange[],
  wanted: ByteRange,
): readonly ByteRange[] => {
  const missing: ByteRange[] = []
  let at = wanted.start
  for (const range of ranges) {
    if (range.end <= at || range.start >= wanted.end) continue
    if (range.start > at) missing.push({ start: at, end: range.start })
    at = larger(at, range.end)
  }
  if (at < wanted.end) missing.push({ start: at, end: wanted.end })
  return missing
}
