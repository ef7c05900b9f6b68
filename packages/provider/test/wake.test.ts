/** Waiting: nobody who stopped waiting is left in a list, however often the others go first. */
import { describe, expect, test } from '@jest/globals'
import { firstOf, nextCall, Wake } from '../src/wake.ts'

const never = new AbortController().signal
const callAll = (listeners: Set<() => void>): void => {
  for (const wake of [...listeners]) wake()
}

describe('waiting for the first of several', () => {
  test('leaves nobody waiting with the others', async () => {
    const [often, seldom] = [new Set<() => void>(), new Set<() => void>()]
    for (let round = 0; round < 100; round++) {
      const first = firstOf(never, [
        (stop) => nextCall(often, stop),
        (stop) => nextCall(seldom, stop),
      ])
      expect([often.size, seldom.size]).toEqual([1, 1])
      callAll(often)
      await first
      expect([often.size, seldom.size]).toEqual([0, 0])
    }
  })

  test('leaves nobody waiting when one of them fails, or the signal fires', async () => {
    const listeners = new Set<() => void>()
    const listening = (stop: AbortSignal): Promise<void> => nextCall(listeners, stop)
    const failing = (): Promise<void> => Promise.reject(new Error('the feed broke'))
    await expect(firstOf(never, [listening, failing])).rejects.toThrow('the feed broke')
    expect(listeners.size).toBe(0)
    const over = new AbortController()
    const waiting = firstOf(over.signal, [listening, listening])
    expect(listeners.size).toBe(2)
    over.abort()
    await waiting
    expect(listeners.size).toBe(0)
  })

  test('does not wait when the signal has fired before', async () => {
    const listeners = new Set<() => void>()
    await firstOf(AbortSignal.abort(), [(stop) => nextCall(listeners, stop)])
    expect(listeners.size).toBe(0)
  })
})

describe('a doorbell', () => {
  test('remembers one ring that nobody heard', async () => {
    const wake = new Wake()
    wake.ring()
    wake.ring()
    await wake.wait(never)
    let heard = false
    const next = wake.wait(never).then(() => {
      heard = true
    })
    await Promise.resolve()
    expect(heard).toBe(false)
    wake.ring()
    await next
    expect(heard).toBe(true)
  })
})
