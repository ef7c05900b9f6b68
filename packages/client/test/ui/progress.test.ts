/** Progress lines: rate, time left, and silence when nobody asked. */

import { bytes, type Clock, milliseconds } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { createProgress, type ProgressMode } from '../../src/ui/progress.ts'

const started = (mode: ProgressMode) => {
  let now = 0
  const lines: string[] = []
  const clock: Clock = { now: () => milliseconds(now), sleep: async () => undefined }
  const progress = createProgress({ mode, clock, write: (text) => lines.push(text) })
  const pass = (ms: number): void => {
    now += ms
  }
  return { progress, lines, pass }
}

test('JSON lines carry phase, bytes, rate and the time left', () => {
  const { progress, lines, pass } = started('jsonl')
  const phase = progress.phase('uploading', bytes(4000))
  pass(1000)
  phase.advance(bytes(1000))
  pass(3000)
  phase.advance(bytes(3000))
  phase.end()
  phase.end()
  const events = lines.map((line) => JSON.parse(line))
  expect(events.map(({ event }) => event)).toEqual(['progress', 'progress', 'progress', 'end'])
  expect(events[1]).toMatchObject({ done: 1000, total: 4000, bytesPerSecond: 1000, etaSeconds: 3 })
})

test('a terminal line is redrawn in place and at most ten times a second', () => {
  const { progress, lines, pass } = started('terminal')
  const phase = progress.phase('packing', bytes(1_000_000))
  for (let i = 0; i < 1000; i++) {
    pass(1)
    phase.advance(bytes(1000))
  }
  phase.end()
  expect(lines.length).toBeLessThan(15)
  expect(lines.at(-2)).toMatch(/^\r.*packing.*% .*left$/)
  expect(lines.at(-1)).toMatch(/100% .*in 1s\n$/)
})

test('none is silent', () => {
  const { progress, lines } = started('none')
  progress.phase('x', bytes(1)).end()
  progress.step('y')
  expect(lines).toEqual([])
})
