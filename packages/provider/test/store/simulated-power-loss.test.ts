/**
 * Power loss on a simulated disk that keeps any subset of what was not synced, and in between deaths of
 * the volume's thread, after which another one goes on with what was written: uploads, seals, removals,
 * footers, compaction, and an index of any age. What was acknowledged is there, byte for
 * byte; what was removed stays removed. A failing seed is in the error and repeats.
 */
import { expect, test } from '@jest/globals'
import { SimulatedVolume } from '../support/simulated-volume.ts'

const SEEDS = Number(process.env['HOLDFAST_SIMULATED_SEEDS'] ?? 60)
const FIRST = Number(process.env['HOLDFAST_SIMULATED_FIRST'] ?? 1)
const LOSSES = 12

test(`${SEEDS} volumes lose power ${LOSSES} times each and lose nothing acknowledged`, () => {
  let [losses, deaths] = [0, 0]
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const volume = new SimulatedVolume(seed)
    volume.run(LOSSES)
    losses += volume.losses
    deaths += volume.deaths
  }
  expect(losses).toBe(SEEDS * LOSSES)
  expect(deaths).toBeGreaterThan(0)
})
