/**
 * The journal loses power on a simulated disk that keeps any subset of what was not synced, while it is
 * appended to and while it is replaced, with room and without. A failing seed is in the error and repeats.
 */
import { expect, test } from '@jest/globals'
import { SimulatedJournal } from '../support/simulated-journal.ts'

const SEEDS = Number(process.env['HOLDFAST_SIMULATED_SEEDS'] ?? 100)
const FIRST = Number(process.env['HOLDFAST_SIMULATED_FIRST'] ?? 1)
const LOSSES = 10

test(`${SEEDS} journals lose power ${LOSSES} times each and forget nothing acknowledged`, async () => {
  const sums = { losses: 0, kept: 0, refused: 0 }
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const journal = new SimulatedJournal(seed)
    await journal.run(LOSSES)
    sums.losses += journal.losses
    sums.kept += journal.kept
    sums.refused += journal.refused
  }
  expect(sums.losses).toBe(SEEDS * LOSSES)
  // Full disks came along as well: some appends went into the reserve, some found that full too.
  expect(sums.kept).toBeGreaterThan(SEEDS)
  expect(sums.refused).toBeGreaterThan(SEEDS)
})
