/**
 * The short form of the fault suite's windows, and one of every kind of fault alone. A seed that
 * fails replays: time and chance are simulated.
 */
import { describe, expect, test } from '@jest/globals'
import { EVENT_NAMES, runWindows } from './proof-windows.ts'

describe('proof windows under faults', () => {
  test('sixteen with several at once are all proven in time, once each, within budget', async () => {
    const { seed, missed, violations, restarts } = await runWindows(1, 16)
    expect({ seed, missed, violations }).toEqual({ seed, missed: [], violations: [] })
    expect(restarts).toBeGreaterThan(0)
  })

  test.each(EVENT_NAMES)('%s: are proven', async (name) => {
    const { seed, missed, violations } = await runWindows(2, 2, [name])
    expect({ seed, missed, violations }).toEqual({ seed, missed: [], violations: [] })
  })

  test('the same seed is the same run', async () => {
    const [first, second] = [await runWindows(3, 2), await runWindows(3, 2)]
    expect(second).toEqual(first)
  })
})
