/** When a node may be stopped, told for every moment of a period. */
import { period, seconds, timestamp } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { type StopView, safeToStop } from '../../src/status/safe-to-stop.ts'

const SCHEDULE = {
  genesis: timestamp(1000),
  period: seconds(100),
  window: seconds(75),
  seedDelay: seconds(10),
  drand: { genesis: timestamp(0), period: seconds(1) },
}

const at = (time: number, change: Partial<StopView> = {}): ReturnType<typeof safeToStop> =>
  safeToStop({
    schedule: SCHEDULE,
    time: timestamp(time),
    period: period(Math.floor((time - 1000) / 100)),
    weight: 5n,
    nextWeight: 5n,
    proven: false,
    inFlight: [],
    openBefore: undefined,
    unsure: undefined,
    ...change,
  })

describe('safe to stop', () => {
  test('no, while the current period is unproven: ask again at its deadline', () => {
    expect(at(1310)).toEqual({
      safe: false,
      reason: 'period 3 is not proven yet',
      until: 1375n,
    })
  })

  test('yes once it is proven, until half of the next window is gone', () => {
    expect(at(1310, { proven: true })).toEqual({
      safe: true,
      reason: 'proven: period 3',
      until: 1410n + 32n,
    })
  })

  test('yes when the window has closed: nothing can be won any more', () => {
    expect(at(1375)).toMatchObject({ safe: true, reason: 'over: period 3', until: 1442n })
    expect(at(1374)).toMatchObject({ safe: false })
  })

  test('yes without limit when nothing is stored', () => {
    expect(at(1310, { weight: 0n, nextWeight: 0n })).toEqual({
      safe: true,
      reason: 'nothing is to be proven',
      until: undefined,
    })
    expect(at(1310, { weight: 0n })).toMatchObject({ safe: true, until: 1442n })
  })

  test('no while a transaction is on its way or an accepted deal waits to be opened', () => {
    expect(at(1310, { proven: true, inFlight: ['settle'] })).toMatchObject({ safe: false })
    expect(at(1310, { proven: true, openBefore: timestamp(2000) })).toMatchObject({
      safe: false,
      until: 2000n,
    })
  })

  test('no when nobody knows what the chain says', () => {
    expect(at(1310, { proven: true, unsure: 'no block for 90 s' })).toEqual({
      safe: false,
      reason: 'no block for 90 s',
      until: undefined,
    })
  })
})
