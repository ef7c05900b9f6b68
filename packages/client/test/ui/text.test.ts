/** Durations, money and sizes as people write them. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  formatAmount,
  formatBytes,
  formatSeconds,
  formatTable,
  parseAmount,
  parseDuration,
  printable,
} from '../../src/ui/text.ts'

test('money comes back to the unit', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 40n }),
      fc.integer({ min: 0, max: 18 }),
      (v, d) => {
        expect(parseAmount(formatAmount(v, d), d)).toBe(v)
      },
    ),
  )
})

test.each([
  ['1.1234567', 6],
  ['-1', 6],
  ['1e3', 6],
  ['', 6],
  ['0x10', 6],
  ['1,5', 6],
])('%j is no amount with %d decimals', (text, decimals) => {
  expect(() => parseAmount(text, decimals)).toThrow(/amount/)
})

test('durations', () => {
  expect(['45s', '5m', '12h', '30d', '2w'].map(parseDuration)).toEqual([
    45n,
    300n,
    43_200n,
    2_592_000n,
    1_209_600n,
  ])
  for (const wrong of ['', '5', 'm', '1.5h', '-3s', '3 days']) {
    expect(() => parseDuration(wrong)).toThrow(/duration/)
  }
})

test('sizes, times, tables', () => {
  expect([0, 1023, 1024, 1_572_864, 2 ** 40].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.00 KiB',
    '1.50 MiB',
    '1.00 TiB',
  ])
  expect([0, 59, 61, 3_660, 90_000].map(formatSeconds)).toEqual([
    '0s',
    '59s',
    '1m 1s',
    '1h 1m',
    '1d 1h',
  ])
  expect(formatTable(['a', 'bb'], [['ccc', 'd']])).toBe('a    bb\nccc  d')
})

test('nothing that acts on a terminal is printed', () => {
  expect(printable('a\u001b[2Jb\nc\u0007\u009b')).toBe('a\\x1b[2Jb\\nc\\x07\\x9b')
})
