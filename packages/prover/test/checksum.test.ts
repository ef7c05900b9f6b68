/** The native CRC-32C against the vectors of RFC 3720, appendix B.4. */
import { expect, test } from '@jest/globals'
import { openChecksum } from '../src/checksum.ts'

test('is CRC-32C, whole or in parts', () => {
  const checksum = openChecksum()
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i)
  expect(checksum(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(checksum(ascending)).toBe(0x46dd794e)
  expect(checksum(ascending.subarray(5), checksum(ascending.subarray(0, 5)))).toBe(0x46dd794e)
})
