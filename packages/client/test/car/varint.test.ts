/** LEB128 lengths: round trip, bounds, minimal form. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readVarint, varintLength, writeVarint } from '../../src/car/varint.ts'

test('every length below 2^53 comes back', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(5), (value, offset) => {
      const out = new Uint8Array(offset + varintLength(value))
      expect(writeVarint(value, out, offset)).toBe(out.length)
      expect(readVarint(out, offset)).toEqual({ value, end: out.length })
      for (let cut = offset; cut < out.length; cut++) {
        expect(readVarint(out.subarray(0, cut), offset)).toBeUndefined()
      }
    }),
  )
})

test.each([
  ['above 2^53', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ['endless', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]],
  ['not minimal', [0x81, 0x00]],
])('a length that is %s is refused', (_what, input) => {
  expect(() => readVarint(Uint8Array.from(input), 0)).toThrow(/malformed/)
})
