/**
 * Units, ids and byte helpers: constructors are the only way in, and they refuse what is not theirs.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { bytesUint, concatBytes, equalBytes, isZero, uintBytes } from '../src/bytes.ts'
import { BLOCK_BYTES, BLOCK_LEAVES, KEPT_LEVEL, LEAF_BYTES } from '../src/geometry.ts'
import {
  address,
  dealId,
  fromHex,
  hash32,
  root,
  schemeId,
  schemeName,
  signature,
  toHex,
} from '../src/ids.ts'
import * as units from '../src/units.ts'
import { expectCode } from './support/failures.ts'

const CONSTRUCTORS = [
  units.bytes,
  units.leaves,
  units.leafIndex,
  units.seconds,
  units.timestamp,
  units.period,
  units.periods,
  units.amount,
  units.rate,
  units.slotIndex,
]

describe('units', () => {
  test('take non-negative integers only', () => {
    for (const construct of CONSTRUCTORS) {
      expect(construct(7)).toBe(7n)
      expect(construct(1n << 100n)).toBe(1n << 100n)
      expect(construct(0)).toBe(0n)
      for (const bad of [-1, -1n, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
        expectCode('UNIT_INVALID', () => construct(bad))
      }
    }
  })

  test('subtract only down to zero', () => {
    expect(units.minus(units.amount(5), units.amount(5))).toBe(0n)
    expectCode('UNIT_INVALID', () => units.minus(units.amount(5), units.amount(6)))
    expect(units.plus(units.amount(5), units.amount(6))).toBe(11n)
  })

  test('compare and divide as their names say', () => {
    expect(units.smaller(units.bytes(2), units.bytes(3))).toBe(2n)
    expect(units.larger(units.bytes(2), units.bytes(3))).toBe(3n)
    fc.assert(
      fc.property(fc.bigInt(0n, 1n << 80n), fc.bigInt(1n, 1n << 40n), (a, b) => {
        const down = units.divDown(a, b)
        expect(down * b <= a && a < (down + 1n) * b).toBe(true)
        expect(units.divUp(a, b)).toBe(a % b === 0n ? down : down + 1n)
      }),
    )
  })

  test('become numbers only while they are exact', () => {
    expect(units.toNumber(9_007_199_254_740_991n)).toBe(Number.MAX_SAFE_INTEGER)
    expectCode('UNIT_INVALID', () => units.toNumber(9_007_199_254_740_992n))
  })

  test('of blocks fit together', () => {
    expect(BLOCK_LEAVES).toBe(2 ** KEPT_LEVEL)
    expect(BLOCK_BYTES).toBe(BLOCK_LEAVES * LEAF_BYTES)
  })
})

describe('ids', () => {
  const sizes = [
    [address, 20],
    [hash32, 32],
    [root, 32],
    [dealId, 32],
    [signature, 65],
  ] as const

  test('are lower-case hex of one size', () => {
    for (const [parse, size] of sizes) {
      expect(parse(`0x${'Ab'.repeat(size)}`)).toBe(`0x${'ab'.repeat(size)}`)
      for (const bad of [
        '',
        '0x',
        'ab'.repeat(size),
        `0x${'ab'.repeat(size - 1)}`,
        `0x${'ab'.repeat(size)}0`,
        `0x${'ab'.repeat(size + 1)}`,
        `0x${'ag'.repeat(size)}`,
        ` 0x${'ab'.repeat(size)}`,
      ]) {
        expectCode('ID_INVALID', () => parse(bad))
      }
    }
  })

  test('errors carry no more of the input than a screen shows', () => {
    const error = expectCode('ID_INVALID', () => address(`0x${'a'.repeat(100_000)}`))
    expect(error.message.length).toBeLessThan(300)
  })

  test('hex round-trips', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
        expect(fromHex(toHex(data))).toEqual(data)
        expect(toHex(data)).toBe(`0x${Buffer.from(data).toString('hex')}`)
      }),
    )
    expectCode('ID_INVALID', () => fromHex('0x123'))
  })

  test('schemes are two', () => {
    expect([schemeId(1), schemeId('sha256-1k'), schemeName(1)]).toEqual([1, 1, 'sha256-1k'])
    expect([schemeId(2), schemeId('commp'), schemeName(2)]).toEqual([2, 2, 'commp'])
    for (const bad of [0, 3, '1', 'sha256']) expectCode('SCHEME_UNKNOWN', () => schemeId(bad))
  })
})

describe('bytes', () => {
  test('of integers are big-endian and exact', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 64n) - 1n), (value) => {
        expect(bytesUint(uintBytes(value, 8))).toBe(value)
        expect(uintBytes(value, 8)).toHaveLength(8)
      }),
    )
    expect(uintBytes(258n, 4)).toEqual(Uint8Array.of(0, 0, 1, 2))
    expectCode('UNIT_INVALID', () => uintBytes(256n, 1))
    expectCode('UNIT_INVALID', () => uintBytes(-1n, 8))
  })

  test('join and compare', () => {
    const joined = concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3))
    expect(joined).toEqual(Uint8Array.of(1, 2, 3))
    expect(equalBytes(joined, Uint8Array.of(1, 2, 3))).toBe(true)
    expect(equalBytes(joined, Uint8Array.of(1, 2))).toBe(false)
    expect(equalBytes(joined, Uint8Array.of(1, 2, 4))).toBe(false)
    expect([isZero(new Uint8Array(3)), isZero(joined)]).toEqual([true, false])
  })
})
