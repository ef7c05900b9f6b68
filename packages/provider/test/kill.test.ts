/**
 * Journal, two volumes, intake, collection and draining in a process of their own, killed with SIGKILL
 * at random steps. The oracle is what the parent heard before (`support/kill-run.ts`); the long form,
 * and the whole node, are in kill-store.fault.test.ts and kill.fault.test.ts.
 *
 * The seed is printed; `HOLDFAST_KILL_SEED` repeats it, `HOLDFAST_KILLS` sets how many.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@holdfast/chain'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { killAtRandom } from './support/kill-run.ts'

const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 10)
const SEED = Number(process.env['HOLDFAST_KILL_SEED'] ?? systemClock.now() % 1_000_000)

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdfast-kill-'))
})
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
})

test(`${KILLS} kills, seed ${SEED}: every receipt is honoured`, async () => {
  const { cutShort, receipts } = await killAtRandom(home, { kills: KILLS, seed: SEED })
  expect(cutShort).toBeGreaterThan(KILLS / 4)
  expect(receipts).toBeGreaterThan(KILLS / 10)
}, 600_000)
