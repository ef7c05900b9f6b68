/** F23: the same story as in settlement-reorgs.test.ts, for every depth in between. */
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
  test.each([1, 2, 3, 5, 9, 17, 33, 48, 63])(
    'survives reorganisations of %i blocks',
    async (depth) => {
      if (harness === undefined) throw new Error('the chain is not open')
      await tellReorgs(harness, depth)
    },
  )
})
