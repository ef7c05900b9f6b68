/** The bomb corpus, long form: each attack by itself, then mixtures by chance; the seed is printed. */
import { afterAll, beforeAll, describe, test } from '@jest/globals'
import type { NodeProcess } from '../support/node-process.ts'
import {
  besiege,
  FLOODS,
  mustHold,
  refuseOddities,
  startTarget,
  stopUnderFloods,
  storeCarBombs,
} from './corpus.ts'

const NAMES = Object.keys(FLOODS)
const ALONE_MS = 10_000
const MIXED_MS = 15_000
const MIXTURES = 12

/** A small generator: the same seed gives the same mixtures. */
const dice = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('a node under attack for long', () => {
  let node: NodeProcess
  const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

  beforeAll(async () => {
    process.stderr.write(`bombs: HOLDFAST_SEED=${seed}\n`)
    node = await startTarget()
  })

  afterAll(() => stopUnderFloods(node))

  test.each(NAMES)('%s by itself', async (name) => {
    await mustHold(node, await besiege(node, [name], ALONE_MS))
  })

  test('mixtures, CAR bombs and odd requests between them', async () => {
    const roll = dice(seed)
    for (let i = 0; i < MIXTURES; i++) {
      const chosen = NAMES.filter(() => roll() < 0.5)
      await mustHold(node, await besiege(node, chosen, MIXED_MS))
      await refuseOddities(node)
      if (i % 4 === 0) await storeCarBombs(node)
    }
  })
})
