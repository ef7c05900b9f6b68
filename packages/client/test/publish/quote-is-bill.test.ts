/**
 * Quote = bill, to the unit: whatever happens in the life of a deal, what was signed from the quote
 * and what was proven decide all the money, however often or late it is settled.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { expectBilled } from './bill.ts'
import { live } from './life.ts'
import { plans, wholeTerm, wholeTermCommitted } from './life-plans.ts'
import { chainWith, inMemory, people } from './memory-lives.ts'

describe('what a deal costs', () => {
  test('is its quote, to the unit, when every period is proven', async () => {
    const chain = inMemory(chainWith(500))
    const report = await live(chain, wholeTerm, people())
    expectBilled(report, wholeTerm, chain.network)
    expect(report.deal.paid).toBe(report.offer.cost)
    expect(report.gained.publisher).toBe(-report.offer.cost)
  })

  test('is its quote, and the bonds of what was answered, when every period is committed to', async () => {
    const chain = inMemory(chainWith(500))
    const report = await live(chain, wholeTermCommitted, people())
    expectBilled(report, wholeTermCommitted, chain.network)
    expect(report.deal.paid).toBe(report.offer.cost)
    expect(report.events.filter(({ kind }) => kind === 'dispute-answered')).toHaveLength(3)
  })

  test('is what was proven of it, to the unit, over random lives', async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.integer({ min: 0, max: 9_999 }), async (plan, feeBps) => {
        const chain = inMemory(chainWith(feeBps))
        expectBilled(await live(chain, plan, people()), plan, chain.network)
      }),
      { numRuns: 40 },
    )
  })
})
