/**
 * Quote = bill on a chain, over a handful of random lives through the real adapter, and over hundreds
 * in memory.
 */
import { findAnvil } from '@holdfast/chain'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { temporary } from '../support.ts'
import { expectBilled } from './bill.ts'
import { ChainOfLives } from './chain-lives.ts'
import { live } from './life.ts'
import { plans, wholeTerm } from './life-plans.ts'
import { chainWith, inMemory, people } from './memory-lives.ts'

const describeOnChain = findAnvil() === undefined ? describe.skip : describe

describeOnChain('what a deal costs on a chain', () => {
  let opened: ChainOfLives | undefined
  const chain = (): ChainOfLives => {
    if (opened === undefined) throw new Error('the chain is not open')
    return opened
  }
  beforeAll(async () => {
    opened = await ChainOfLives.open(await temporary())
  })
  afterAll(async () => {
    await opened?.close()
  })

  test('is its quote, to the unit, when every period is proven', async () => {
    const report = await live(chain(), wholeTerm, people())
    expectBilled(report, wholeTerm, chain().network)
    expect(report.gained.publisher).toBe(-report.offer.cost)
  })

  test('is what was proven of it, to the unit, over random lives', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        expectBilled(await live(chain(), plan, people()), plan, chain().network)
      }),
      { numRuns: 6, endOnFailure: true },
    )
  })
})

test('what a deal costs in memory is what was proven of it, over hundreds of lives', async () => {
  await fc.assert(
    fc.asyncProperty(plans, fc.integer({ min: 0, max: 9_999 }), async (plan, feeBps) => {
      const chain = inMemory(chainWith(feeBps))
      expectBilled(await live(chain, plan, people()), plan, chain.network)
    }),
    { numRuns: 600 },
  )
})
