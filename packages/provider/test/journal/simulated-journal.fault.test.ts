/** The long form of simulated-journal.test.ts: other seeds, many of them. */
import { expect, test } from '@jest/globals'
import { SimulatedJournal } from '../support/simulated-journal.ts'

const SEEDS = Number(process.env['HOLDFAST_SIMULATED_SEEDS'] ?? 10_000)
const FIRST = Number(process.env['HOLDFAST_SIMULATED_FIRST'] ?? 10_000)
const LOSSES = 12

test(`${SEEDS} journals from seed ${FIRST} on lose power ${LOSSES} times each`, async () => {
  let losses = 0
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const journal = new SimulatedJournal(seed)
    await journal.run(LOSSES)
    losses += journal.losses
  }
  expect(losses).toBe(SEEDS * LOSSES)
}, 1_800_000)
