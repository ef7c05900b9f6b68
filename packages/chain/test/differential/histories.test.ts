/**
 * Random histories told to the contracts on a chain and to the ledger in memory: a few, short ones.
 * A difference fails with the whole story; `histories.fault.test.ts` tells hundreds.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWithAnvil } from '../support/with-anvil.ts'
import { openStage, RULES } from './histories.ts'
import { tellHistory } from './history.ts'
import type { Stage } from './stage.ts'

const SEEDS = [1, 2]
const STEPS = 70

describeWithAnvil('the ledger in memory and the contracts', () => {
  let stage: Stage | undefined
  beforeAll(async () => {
    stage = await openStage(RULES[0] ?? failed())
  })
  afterAll(async () => {
    await stage?.close()
  })

  test.each(SEEDS)('say the same of random history %i', async (seed) => {
    const { counts } = await tellHistory(stage ?? failed(), seed, STEPS)
    expect(counts.size).toBeGreaterThan(10)
  })
})

const failed = (): never => {
  throw new Error('there is no stage')
}
