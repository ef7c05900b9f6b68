/** Sets of byte ranges against one flag per position. */
import { bytes } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  addRange,
  type ByteRange,
  bytesIn,
  coversRange,
  missingRanges,
  touchesRange,
} from '../../src/store/ranges.ts'

const SIZE = 40
const range = (start: number, end: number): ByteRange => ({ start: bytes(start), end: bytes(end) })
const anyRange = fc
  .tuple(fc.nat(SIZE), fc.nat(SIZE))
  .map(([a, b]) => range(Math.min(a, b), Math.max(a, b)))

/** The same set as one flag per position. */
const flagsOf = (ranges: readonly ByteRange[]): boolean[] => {
  const flags = Array.from({ length: SIZE }, () => false)
  for (const { start, end } of ranges) flags.fill(true, Number(start), Number(end))
  return flags
}

describe('ranges', () => {
  test('are the union of what was added: sorted, disjoint, not touching', () => {
    fc.assert(
      fc.property(fc.array(anyRange), (added) => {
        const set = added.reduce<readonly ByteRange[]>(addRange, [])
        expect(flagsOf(set)).toEqual(flagsOf(added))
        expect(bytesIn(set)).toBe(BigInt(flagsOf(added).filter(Boolean).length))
        for (const [i, { start }] of set.entries()) {
          const before = set[i - 1]
          if (before !== undefined) expect(before.end).toBeLessThan(start)
        }
      }),
    )
  })

  test('know what they cover, touch and lack', () => {
    fc.assert(
      fc.property(fc.array(anyRange), anyRange, (added, wanted) => {
        fc.pre(wanted.start < wanted.end)
        const set = added.reduce<readonly ByteRange[]>(addRange, [])
        const inside = flagsOf(set).slice(Number(wanted.start), Number(wanted.end))
        expect(coversRange(set, wanted)).toBe(inside.every(Boolean))
        expect(touchesRange(set, wanted)).toBe(inside.some(Boolean))
        const missing = flagsOf(missingRanges(set, wanted))
        const wantedFlags = flagsOf([wanted])
        const setFlags = flagsOf(set)
        expect(missing).toEqual(wantedFlags.map((flag, i) => flag && setFlags[i] === false))
      }),
    )
  })
})
