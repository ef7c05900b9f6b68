/**
 * Errors: every code has a complete row, is recognised across copies, and survives the wire.
 */

import { create, toBinary } from '@bufbuild/protobuf'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { HoldfastErrorCode, HoldfastErrorDetail } from '../src/error-codes.ts'
import { ERROR_FIELDS, type FieldKind } from '../src/error-fields.ts'
import { ERROR_TABLE, EXIT_CODES } from '../src/error-table.ts'
import { HoldfastError, invariant } from '../src/errors.ts'
import { ErrorDetailSchema } from '../src/generated/holdfast/provider/v1/provider_pb.ts'
import { decodeErrorDetail, encodeErrorDetail } from '../src/wire/error-detail.ts'
import { failure } from './support/failures.ts'

const CODES = Object.keys(ERROR_TABLE) as HoldfastErrorCode[]

const ANY: Readonly<Record<FieldKind, fc.Arbitrary<unknown>>> = {
  text: fc.string({ maxLength: 60 }),
  texts: fc.array(fc.string({ maxLength: 20 }), { maxLength: 8 }),
  int: fc.bigInt(-(1n << 256n), 1n << 256n),
  number: fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
}

const anyDetail = (code: HoldfastErrorCode): fc.Arbitrary<HoldfastErrorDetail> =>
  fc.record({
    code: fc.constant(code),
    ...Object.fromEntries(
      Object.entries<FieldKind>(ERROR_FIELDS[code]).map(([name, kind]) => [name, ANY[kind]]),
    ),
  }) as unknown as fc.Arbitrary<HoldfastErrorDetail>

/** How texts arrive: control characters replaced. */
const withoutControls = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replaceAll(/\p{Cc}/gu, '\ufffd')
  if (Array.isArray(value)) return value.map(withoutControls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, withoutControls(field)]),
  )
}

const trailer = (code: string, fieldsJson: string): Uint8Array =>
  toBinary(ErrorDetailSchema, create(ErrorDetailSchema, { code, fieldsJson }))

describe('the table', () => {
  test('has a complete row and fields for every code', () => {
    expect(Object.keys(ERROR_FIELDS).sort()).toEqual([...CODES].sort())
    for (const code of CODES) {
      const { grpcStatus, retry, exit, hint } = ERROR_TABLE[code]
      expect(Number.isInteger(grpcStatus) && grpcStatus > 0 && grpcStatus <= 16).toBe(true)
      expect(['never', 'after-tip', 'after-payment', 'back-off']).toContain(retry)
      expect(EXIT_CODES[exit]).toBeGreaterThan(0)
      expect([code, hint]).toEqual([code, expect.stringMatching(/^[A-Z].*[.]$/)])
    }
  })
})

describe('an error', () => {
  test('says its code and fields in words, and keeps its cause', () => {
    const cause = new Error('below')
    const error = new HoldfastError(
      { code: 'FUNDS_INSUFFICIENT', needed: 7n, available: 3n },
      { cause },
    )
    expect(error.message).toBe('funds insufficient: needed 7, available 3')
    expect(error.cause).toBe(cause)
    expect(error.hint).toBe(ERROR_TABLE.FUNDS_INSUFFICIENT.hint)
    expect(new HoldfastError({ code: 'ABORTED' }).message).toBe('aborted')
  })

  test('is recognised by mark and code, not by class', () => {
    const error = new HoldfastError({ code: 'ABORTED' })
    expect(HoldfastError.is(error)).toBe(true)
    expect(HoldfastError.is(error, 'ABORTED')).toBe(true)
    expect(HoldfastError.is(error, 'INVARIANT')).toBe(false)
    const copy = { detail: { code: 'ABORTED' }, [Symbol.for('holdfast.error')]: true }
    expect(HoldfastError.is(copy, 'ABORTED')).toBe(true)
    for (const other of [new Error('x'), undefined, null, 'ABORTED', { code: 'ABORTED' }]) {
      expect(HoldfastError.is(other)).toBe(false)
    }
  })

  test('invariant throws its sentence', () => {
    invariant(true, 'never said')
    const error = failure(() => invariant(false, 'two is three'))
    expect(error.detail).toEqual({ code: 'INVARIANT', sentence: 'two is three' })
  })
})

describe('across the wire', () => {
  test.each(CODES)('%s arrives as it was sent', (code) => {
    fc.assert(
      fc.property(anyDetail(code), (detail) => {
        const arrived = decodeErrorDetail(encodeErrorDetail(new HoldfastError(detail)))
        expect(arrived.detail).toEqual(withoutControls(detail))
      }),
      { numRuns: 15 },
    )
  })

  test('texts without control characters arrive unchanged', () => {
    const detail = {
      code: 'REPLICAS_EXHAUSTED',
      dataset: 'bafy… ünïcode 🌊',
      tried: ['a', 'b'],
    } as const
    expect(decodeErrorDetail(encodeErrorDetail(new HoldfastError(detail))).detail).toEqual(detail)
  })

  test('long texts and lists are cut, control characters replaced', () => {
    const detail = {
      code: 'TX_REVERTED',
      error: `\u001b[31m${'x'.repeat(10_000)}`,
      args: Array.from({ length: 100 }, () => 'y'.repeat(1_000)),
    } as const
    const sent = encodeErrorDetail(new HoldfastError(detail))
    expect(sent.length).toBeLessThan(4_096)
    const { detail: arrived } = decodeErrorDetail(sent)
    expect(arrived).toMatchObject({ error: expect.stringMatching(/^\ufffd\[31mx+…$/) })
    expect('args' in arrived && arrived.args).toHaveLength(8)
  })

  test('what is not an error we know becomes PEER_MISBEHAVED', () => {
    for (const bad of [
      trailer('NO_SUCH_CODE', '{}'),
      trailer('toString', '{}'),
      trailer('', ''),
      trailer('ABORTED', ''),
      trailer('ABORTED', 'null'),
      trailer('QUEUE_FULL', '{"limit":"5"}'),
      trailer('QUEUE_FULL', '{}'),
      trailer('SEED_MISSING', '{"period":5}'),
      trailer('SEED_MISSING', '{"period":"0x5"}'),
      trailer('SEED_MISSING', `{"period":"${'9'.repeat(5_000)}"}`),
      trailer('DEAL_NOT_FOUND', '{"deal":["a"]}'),
      trailer('TX_REVERTED', '{"error":"x","args":[1]}'),
      trailer('QUEUE_FULL', `{"limit":5,"more":"${'x'.repeat(20_000)}"}`),
      Uint8Array.of(0xff, 0xff, 0xff),
    ]) {
      expect(decodeErrorDetail(bad).code).toBe('PEER_MISBEHAVED')
    }
  })

  test('fields that we do not know are dropped', () => {
    const arrived = decodeErrorDetail(trailer('QUEUE_FULL', '{"limit":5,"extra":1,"code":"X"}'))
    expect(arrived.detail).toEqual({ code: 'QUEUE_FULL', limit: 5 })
    const polluted = trailer('QUEUE_FULL', '{"limit":5,"__proto__":{"polluted":1}}')
    expect(decodeErrorDetail(polluted).detail).not.toHaveProperty('polluted')
  })

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
        expect(HoldfastError.is(decodeErrorDetail(data))).toBe(true)
      }),
    )
  })
})
