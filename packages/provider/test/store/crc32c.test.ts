/** The checksum against its published values and a bit-by-bit reference. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { crc32c } from '../../src/store/crc32c.ts'

/** Bit by bit, as the definition says. */
const reference = (data: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}

describe('crc32c', () => {
  test('gives the check value of its definition', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  })

  test('agrees with the reference and continues from any split', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (data, cut) => {
        const first = data.subarray(0, cut)
        expect(crc32c(data)).toBe(reference(data))
        expect(crc32c(data.subarray(first.length), crc32c(first))).toBe(reference(data))
      }),
    )
  })
})
