/** The limits by themselves: whom a connection counts for, how buckets fill, what is refused. */
import type { Clock } from '@holdfast/protocol'
import { address, milliseconds } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Admission } from '../../src/limits/admission.ts'
import { LIMITS_DEFAULT, type Limits, readLimits } from '../../src/limits/limits.ts'
import { remoteKey } from '../../src/limits/remote.ts'
import { TokenBuckets } from '../../src/limits/token-buckets.ts'

class TestClock implements Clock {
  time = 0
  now(): ReturnType<Clock['now']> {
    return milliseconds(this.time)
  }
  sleep(): Promise<void> {
    return new Promise(() => undefined)
  }
}

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2/64'],
  ['2001:db8::1', '2001:db8:0:0/64'],
  ['fe80::1%eth0', 'fe80:0:0:0/64'],
  ['::1', '0:0:0:0/64'],
  [undefined, 'unknown'],
])('%s counts as %s', (given, key) => {
  expect(remoteKey(given)).toBe(key)
})

describe('a bucket', () => {
  test('never gives more than burst plus rate times time', () => {
    const steps = fc.array(
      fc.record({ wait: fc.integer({ min: 0, max: 3000 }), cost: fc.integer({ min: 1, max: 5 }) }),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(steps, (all) => {
        const clock = new TestClock()
        const buckets = new TokenBuckets(() => ({ perSecond: 2, burst: 10 }), clock)
        let taken = 0
        for (const { wait, cost } of all) {
          clock.time += wait
          if (buckets.take('k', cost) === 0) taken += cost
          expect(taken).toBeLessThanOrEqual(10 + (clock.time / 1000) * 2 + 1e-6)
        }
      }),
    )
  })

  test('says after how long it may be asked again, and keeps its word', () => {
    const clock = new TestClock()
    const buckets = new TokenBuckets(() => ({ perSecond: 2, burst: 1 }), clock)
    expect(buckets.take('k')).toBe(0)
    const wait = buckets.take('k')
    expect(wait).toBeCloseTo(0.5)
    clock.time += wait * 1000
    expect(buckets.take('k')).toBe(0)
    expect(buckets.take('other')).toBe(0)
  })

  test('is forgotten when it is full again, so that a million keys cost nothing', () => {
    const clock = new TestClock()
    const buckets = new TokenBuckets(() => ({ perSecond: 1, burst: 1 }), clock)
    for (let i = 0; i < 100_000; i++) {
      clock.time += 1
      buckets.take(`k${i}`)
    }
    expect(buckets.size).toBeLessThan(2000)
    const frozen = new TokenBuckets(() => ({ perSecond: 1, burst: 1 }), new TestClock())
    for (let i = 0; i < 50_000; i++) frozen.take(`k${i}`)
    expect(frozen.size).toBeLessThanOrEqual(16_384)
  })
})

describe('admission', () => {
  const admission = (limits: Partial<Limits>, memory = 0): Admission =>
    new Admission({
      limits: () => ({ ...LIMITS_DEFAULT, ...limits }),
      clock: new TestClock(),
      residentMemory: () => memory,
    })

  test('limits each address and each account by itself, and counts what it refuses', () => {
    const door = admission({ requestsPerSecond: 1, callsPerSecond: 1, accountCallsPerMinute: 60 })
    for (let i = 0; i < 5; i++) expect(door.request('a')).toBeUndefined()
    expect(door.request('a')?.retryAfter).toBe(1)
    expect(door.request('b')).toBeUndefined()
    for (let i = 0; i < 5; i++) expect(door.call('a')).toBeUndefined()
    expect(door.call('a')?.error.code).toBe('RATE_LIMITED')
    const account = address(`0x${'11'.repeat(20)}`)
    for (let i = 0; i < 5; i++) door.account(account)
    expect(() => door.account(account)).toThrow(/signed by/)
    expect(door.refused).toMatchObject({ requests: 1, calls: 1, account: 1 })
  })

  test('runs so many reads at once; a place is given back once', () => {
    const door = admission({ readsMax: 2 })
    const leave = door.read()
    door.read()
    expect(() => door.read()).toThrow(/2/)
    leave()
    leave()
    door.read()
    expect(() => door.read()).toThrow()
    expect(door.reads).toBe(2)
  })

  test('lets only a few transfers run while memory is short', () => {
    const door = admission({ memoryMiB: 1 }, 2 ** 30)
    for (let i = 0; i < 4; i++) door.read()
    expect(() => door.read()).toThrow()
    expect(() => door.part(3)).not.toThrow()
    expect(() => door.part(4)).toThrow()
    expect(door.refused.memory).toBe(2)
  })
})

describe('limits in the configuration', () => {
  test('default where nothing is said', () => {
    const problems: string[] = []
    expect(readLimits(undefined, problems)).toEqual(LIMITS_DEFAULT)
    expect(readLimits({ readsMax: 7 }, problems)).toEqual({ ...LIMITS_DEFAULT, readsMax: 7 })
    expect(problems).toEqual([])
  })

  test.each([[7], [[]], [{ readsMax: 0 }], [{ readsMax: '7' }], [{ reads: 7 }], [null]])(
    'refuse %j',
    (value) => {
      const problems: string[] = []
      readLimits(value, problems)
      expect(problems).toHaveLength(1)
    },
  )
})
