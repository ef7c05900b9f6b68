/** The bomb corpus, short form: every attack at once for some seconds against a real node process. */
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

describe('a node under attack', () => {
  let node: NodeProcess

  beforeAll(async () => {
    node = await startTarget()
  })

  afterAll(async () => {
    await node.stop()
  })

  test('refuses odd paths, lying ranges and compressed parts', () => refuseOddities(node))

  test('stores CARs made to blow up their readers, and is none of them', () => storeCarBombs(node))

  test('keeps its memory below the ceiling and serves honest clients while everything comes at once', async () => {
    await mustHold(node, await besiege(node, Object.keys(FLOODS), 3000))
  })

  test('ends when it is told to in the middle of it all, and has logged no error of its own', () =>
    stopUnderFloods(node))
})
