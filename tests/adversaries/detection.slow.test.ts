/** The measurement of detection.test.ts over 10,000 periods per case, and over more shares and sizes. */
import { DEAL_CHALLENGES, GLOBAL_CHALLENGES, leaves } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { chanceOf, countNoticed, interval } from '../support/detection.ts'

const SEEDS = 10_000

test.each([
  ['global', GLOBAL_CHALLENGES, 100n, 1n << 30n],
  ['global', GLOBAL_CHALLENGES, 100n, 12_800n],
  ['global', GLOBAL_CHALLENGES, 200n, 1n << 37n],
  ['global', GLOBAL_CHALLENGES, 1000n, 1n << 30n],
  ['deal', DEAL_CHALLENGES, 100n, 1n << 30n],
  ['deal', DEAL_CHALLENGES, 10n, 1000n],
] as const)('%s: %i draws, one leaf in %i of %i', (which, draws, share, weight) => {
  const p = chanceOf(1 / Number(share), draws)
  const loss = { weight: leaves(weight), isLost: (at: bigint) => at % share === 0n }
  const [low, high] = interval(p, SEEDS)
  const count = countNoticed(which, loss, { run: Number(share), seeds: SEEDS })
  expect(count).toBeGreaterThanOrEqual(low)
  expect(count).toBeLessThanOrEqual(high)
})
