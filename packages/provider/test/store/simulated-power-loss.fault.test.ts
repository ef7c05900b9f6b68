/** The long form of simulated-power-loss.test.ts: other seeds, many of them. */
import { expect, test } from '@jest/globals'
import { SimulatedVolume } from '../support/simulated-volume.ts'

const SEEDS = Number(process.env['HOLDFAST_SIMULATED_SEEDS'] ?? 5_000)
const FIRST = Number(process.env['HOLDFAST_SIMULATED_FIRST'] ?? 10_000)
const LOSSES = 12

test(`${SEEDS} volumes from seed ${FIRST} on lose power ${LOSSES} times each`, () => {
  let losses = 0
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const volume = new SimulatedVolume(seed)
    volume.run(LOSSES)
    losses += volume.losses
  }
  expect(losses).toBe(SEEDS * LOSSES)
})
