/**
 * Every named point at which a crash must lose nothing (`store/crash-points.ts`), at its first, second
 * and fifth passage, over upload, seal, collection, draining, journal. Each first passage must be
 * reached: a point that nothing passes is a mistake here or there.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { CRASH_POINTS } from '../src/store/crash-points.ts'
import { crashAt, KillRun } from './support/kill-run.ts'
import { chanceFrom } from './support/simulated-disk.ts'

const PASSAGES = [1, 2, 5]

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdfast-points-'))
})
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
})

test(`${CRASH_POINTS.length} points at which a process ends itself: every receipt is honoured`, async () => {
  const run = new KillRun(home, chanceFrom(7))
  await run.prepare()
  const passed: string[] = []
  for (const point of CRASH_POINTS) {
    for (const passage of PASSAGES) {
      if (await crashAt(run, point, passage)) passed.push(`${point}:${passage}`)
    }
  }
  expect(passed).toEqual(expect.arrayContaining(CRASH_POINTS.map((point) => `${point}:1`)))
  process.stderr.write(`${passed.length} crashes, ${run.finished.length} payloads\n`)
}, 3_600_000)
