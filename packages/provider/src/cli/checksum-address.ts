/**
 * Addresses as people copy them: capitals among the letters are a checksum (ERC-55). An address in one
 * case has none and is taken as it is.
 */
import { keccakText } from '@holdfast/protocol'

/** False when the capitals show that a digit was mistyped. `text` is 0x and 40 hex digits. */
export const hasGoodChecksum = (text: string): boolean => {
  const digits = text.slice(2)
  const lower = digits.toLowerCase()
  if (digits === lower || digits === digits.toUpperCase()) return true
  const hash = keccakText(lower)
  return [...digits].every((digit, i) => {
    const nibble = ((hash[i >> 1] ?? 0) >> (i % 2 === 0 ? 4 : 0)) & 0xf
    const expected = nibble >= 8 ? digit.toUpperCase() : digit.toLowerCase()
    return digit === expected
  })
}
