/** Mistyped addresses are found by their capitals, as ERC-55 says. */
import { expect, test } from '@jest/globals'
import { hasGoodChecksum } from '../../src/cli/checksum-address.ts'

/** Addresses that the standard itself gives. */
const GOOD = [
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
]

test('good ones pass, in capitals or without', () => {
  for (const one of GOOD) {
    expect(hasGoodChecksum(one)).toBe(true)
    expect(hasGoodChecksum(one.toLowerCase())).toBe(true)
    expect(hasGoodChecksum(`0x${one.slice(2).toUpperCase()}`)).toBe(true)
  }
})

test('a letter of the other case, and a digit that was mistyped, are found', () => {
  for (const one of GOOD) {
    const swapped = one.replace(/[a-f]/, (letter) => letter.toUpperCase())
    expect(hasGoodChecksum(swapped)).toBe(false)
    const digit = one.search(/[1-8]/)
    const mistyped = `${one.slice(0, digit)}9${one.slice(digit + 1)}`
    expect(hasGoodChecksum(mistyped)).toBe(false)
  }
})
