/** F35 in small: a stream that takes nothing costs a bounded amount of memory and no time. */
import { systemClock } from '@holdfast/chain'
import { describe, expect, test } from '@jest/globals'
import { boundedSink, drained } from '../../src/cli/log-sink.ts'

const LINE = `${'x'.repeat(99)}\n`

/** A pipe whose reader takes bytes only when told to. */
const stoppedPipe = () => {
  let waiting: string[] = []
  const read: string[] = []
  const failing: ((error: Error) => void)[] = []
  return {
    get writableLength(): number {
      return waiting.reduce((sum, text) => sum + text.length, 0)
    },
    write: (text: string): number => waiting.push(text),
    on: (_event: 'error', listener: (error: Error) => void): number => failing.push(listener),
    read,
    failing,
    drain(): void {
      read.push(...waiting)
      waiting = []
    },
  }
}

describe('the log sink', () => {
  test('F35: drops what a stopped reader leaves no room for, and says how much when it reads again', () => {
    const pipe = stoppedPipe()
    const sink = boundedSink(pipe, systemClock, 2000)
    for (let i = 0; i < 1000; i++) sink.write(LINE)
    expect(pipe.writableLength).toBe(2000)
    expect(sink.dropped).toBe(980)
    pipe.drain()
    sink.write(LINE)
    sink.write(LINE)
    pipe.drain()
    expect(pipe.read.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => LINE))
    expect(JSON.parse(pipe.read[20] ?? '')).toMatchObject({
      event: 'log lines dropped',
      count: 980,
    })
    expect(pipe.read.slice(21)).toEqual([LINE, LINE])
  })

  test('is waited for at the end, but not for ever', async () => {
    const pipe = stoppedPipe()
    pipe.write(LINE)
    const began = systemClock.now()
    await drained(pipe, systemClock, 50)
    expect(systemClock.now() - began).toBeGreaterThanOrEqual(45)
    pipe.drain()
    await drained(pipe, systemClock, 3_600_000)
  })

  test('goes on when its reader is gone', () => {
    const pipe = stoppedPipe()
    const sink = boundedSink(pipe, systemClock)
    expect(pipe.failing.length).toBe(1)
    for (const fail of pipe.failing) expect(() => fail(new Error('EPIPE'))).not.toThrow()
    expect(() => sink.write(LINE)).not.toThrow()
  })
})
