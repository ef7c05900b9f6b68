/** The long form of simulated-journal.test.ts: other seeds, many of them. */
import { expect, test } from '@jest/globals'
import { SimulatedJournal } from '../support/simulated-journal.ts'

const SEEDS = Number(process.env['HOLDFAST_SIMULATED_SEEDS'] ?? 10_000)
const FIRST = Number(process.env['HOLDFAST_SIMULATED_FIRST'] ?? 10_000)
const LOSSES = 12

test(`${SEEDS} journals from seed ${FIRST} on lose power ${LOSSES} times each`, async () => {
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
}, 1_800_000)
