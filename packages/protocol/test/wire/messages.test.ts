/**
 * Every message of the service: what is valid round-trips, every field is checked, and no bytes do
 * anything but decode or fail with MESSAGE_INVALID.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { HoldfastError } from '../../src/errors.ts'
import { type ProviderService, providerService } from '../../src/wire/service.ts'
import { failure } from '../support/failures.ts'
import { BAD_FIELDS, SAMPLES } from '../support/messages.ts'

type Call = keyof ProviderService
type Side = 'request' | 'response'

const CALLS = Object.keys(providerService) as Call[]
const SIDES: readonly (readonly [Call, Side])[] = CALLS.flatMap((call) => [
  [call, 'request'] as const,
  [call, 'response'] as const,
])

/** The codec of one message with its types forgotten: the tests below hold for any. */
const codecOf = (call: Call, side: Side) =>
  providerService[call][side] as {
    encode(value: unknown): Uint8Array
    decode(data: Uint8Array): unknown
  }

const expectHoldfast = (work: () => unknown): void => {
  try {
    work()
  } catch (error) {
    if (!HoldfastError.is(error, 'MESSAGE_INVALID')) throw error
  }
}

describe('the service table', () => {
  test('has the paths and streams of the proto file', () => {
    expect(Object.values(providerService).map(({ path }) => path)).toEqual(
      [
        'Describe',
        'Quote',
        'OpenUpload',
        'WatchUpload',
        'CommitUpload',
        'AbortUpload',
        'RevokeGrant',
        'ProposeDeal',
        'GetDeal',
        'GetAnswers',
        'GetBundle',
        'GetBundleEntries',
      ].map((name) => `/holdfast.provider.v1.Provider/${name}`),
    )
    const streams = CALLS.filter((call) => providerService[call].responseStream)
    expect(streams).toEqual(['watchUpload'])
  })
})

describe('every message', () => {
  test.each(SIDES)('%s %s round-trips', (call, side) => {
    for (const value of SAMPLES[call][side]) {
      const { encode, decode } = codecOf(call, side)
      const data = encode(value)
      expect(decode(data)).toEqual(value)
      expect(encode(decode(data))).toEqual(data)
    }
  })

  test.each(SIDES)('%s %s: random bytes decode or are refused', (call, side) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (data) => {
        expectHoldfast(() => codecOf(call, side).decode(data))
      }),
    )
  })

  test.each(SIDES)('%s %s: spoilt bytes decode to something valid or are refused', (call, side) => {
    const { encode, decode } = codecOf(call, side)
    for (const value of SAMPLES[call][side]) {
      const good = encode(value)
      if (good.length === 0) continue
      fc.assert(
        fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(2), (at, byte, how) => {
          const data =
            how === 0
              ? good.with(at, byte)
              : how === 1
                ? good.subarray(0, at)
                : Uint8Array.from([...good.subarray(0, at), byte, ...good.subarray(at)])
          expectHoldfast(() => encode(decode(data)))
        }),
        { numRuns: 60 },
      )
    }
  })

  test.each(SIDES)('%s %s: a message beyond its limit is refused unread', (call, side) => {
    const error = failure(() => codecOf(call, side).decode(new Uint8Array(200_000)))
    expect(error.detail).toMatchObject({
      code: 'MESSAGE_INVALID',
      reason: expect.stringContaining('200000 bytes, at most'),
    })
  })
})

describe('every field is checked, by sender and receiver alike', () => {
  test.each(BAD_FIELDS)('%s %s: %s', (call, side, field, value) => {
    const error = failure(() => codecOf(call, side).encode(value))
    expect(error.detail).toMatchObject({ code: 'MESSAGE_INVALID', field })
  })

  test('empty bytes are refused where anything must be said', () => {
    const silent = SIDES.filter(([call, side]) => {
      try {
        codecOf(call, side).decode(new Uint8Array(0))
        return true
      } catch (error) {
        if (!HoldfastError.is(error, 'MESSAGE_INVALID')) throw error
        return false
      }
    })
    expect(silent).toEqual([
      ['describe', 'request'],
      ['watchUpload', 'response'],
      ['abortUpload', 'response'],
      ['revokeGrant', 'response'],
      ['getAnswers', 'response'],
      ['getBundle', 'request'],
    ])
  })
})
