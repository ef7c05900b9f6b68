/** F23: what reorganisations take back of a settlement is made again, once. */
import { afterAll, beforeAll, test } from '@jest/globals'
import { openEvmHarness } from '../support/evm-harness.ts'
import type { Harness } from '../support/harness.ts'
import { tellReorgs } from '../support/reorg-story.ts'
import { describeWithAnvil } from '../support/with-anvil.ts'

describeWithAnvil('a settlement', () => {
  let harness: Harness | undefined
  beforeAll(async () => {
    harness = await openEvmHarness()
  })
  afterAll(async () => {
    await harness?.close()
  })
  test.each([64])('survives reorganisations of %i blocks', async (depth) => {
    if (harness === undefined) throw new Error('the chain is not open')
    await tellReorgs(harness, depth)
  })
})
