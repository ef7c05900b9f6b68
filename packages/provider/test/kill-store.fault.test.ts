/**
 * The long form of kill.test.ts: a thousand kills at random moments of uploads, collection, compaction
 * and draining.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@holdfast/chain'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { killAtRandom } from './support/kill-run.ts'

const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 1_000)
const SEED = Number(process.env['HOLDFAST_KILL_SEED'] ?? systemClock.now() % 1_000_000)

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdfast-kill-'))
})
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
})

test(`${KILLS} kills, seed ${SEED}: every receipt is honoured`, async () => {
  const total = await killAtRandom(home, {
    ...{ kills: KILLS, seed: SEED },
    // What a run that is ended early had seen.
    told: (totals) => {
      if (totals.kills % 100 === 99) process.stderr.write(`${JSON.stringify(totals)}\n`)
    },
  })
  process.stderr.write(`${JSON.stringify({ seed: SEED, ...total })}\n`)
  expect(total.cutShort).toBeGreaterThan(KILLS / 4)
  expect(total.receipts).toBeGreaterThan(KILLS / 2)
  expect(total.removed).toBeGreaterThan(KILLS / 4)
}, 7_200_000)
