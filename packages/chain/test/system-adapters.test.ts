/** Clock, dice and log of this machine. */

import { HoldfastError, milliseconds } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { createJsonLogger, systemClock, systemRandom } from '../src/system-adapters.ts'
import { codeOf } from './support/scenario.ts'

describe('the system clock', () => {
  test('sleeps at least as long as asked', async () => {
    const began = systemClock.now()
    await systemClock.sleep(milliseconds(20))
    expect(systemClock.now() - began).toBeGreaterThanOrEqual(19)
  })

  test('stops sleeping when the signal fires, before or during', async () => {
    const signal = AbortSignal.abort()
    expect(await codeOf(systemClock.sleep(milliseconds(60_000), { signal }))).toBe('ABORTED')
    const stop = new AbortController()
    const asleep = systemClock.sleep(milliseconds(60_000), { signal: stop.signal })
    stop.abort()
    expect(await codeOf(asleep)).toBe('ABORTED')
  })
})

test('system randomness gives fresh bytes of the length asked', () => {
  const [a, b] = [systemRandom.bytes(32), systemRandom.bytes(32)]
  expect(a).toHaveLength(32)
  expect(a).not.toEqual(b)
})

describe('the JSON logger', () => {
  const logged = (): { lines: string[]; write(line: string): void } => {
    const lines: string[] = []
    return { lines, write: (line) => lines.push(line) }
  }

  test('writes one value per line, with the fields of its parents', () => {
    const stream = logged()
    const logger = createJsonLogger(stream).child({ part: 'test' })
    logger.info('something happened', { amount: 10n ** 20n, data: new Uint8Array(3) })
    logger.debug('too quiet')
    expect(stream.lines).toHaveLength(1)
    const line = stream.lines[0] ?? ''
    expect(line.endsWith('}\n')).toBe(true)
    expect(JSON.parse(line)).toMatchObject({
      ...{ level: 'info', event: 'something happened', part: 'test' },
      ...{ amount: '100000000000000000000', data: { bytes: 3 } },
    })
  })

  test('writes errors as code and message, and survives circles', () => {
    const stream = logged()
    const logger = createJsonLogger(stream, { level: 'debug' })
    logger.warn('refused', { cause: new HoldfastError({ code: 'ABORTED' }) })
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    logger.error('odd', circle)
    expect(JSON.parse(stream.lines[0] ?? '')).toMatchObject({ cause: { code: 'ABORTED' } })
    expect(JSON.parse(stream.lines[1] ?? '')).toMatchObject({ level: 'error', event: 'odd' })
  })
})
