/**
 * A storage node ends itself with SIGKILL at named points of its protocols; the next life must honour
 * every receipt. Some points here, one of each protocol; all of them, repeatedly, in
 * crash-points.fault.test.ts.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { CrashPoint } from '../src/store/crash-points.ts'
import { crashAt, KillRun } from './support/kill-run.ts'
import { chanceFrom } from './support/simulated-disk.ts'

const POINTS: readonly CrashPoint[] = ['seal-trailer', 'move-synced', 'journal-swapped']

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdfast-points-'))
})
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
})

test('a crash while sealing, while copying a sector together, while the journal is replaced', async () => {
  const run = new KillRun(home, chanceFrom(1))
  await run.prepare()
  for (const point of POINTS) expect([point, await crashAt(run, point)]).toEqual([point, true])
}, 600_000)
