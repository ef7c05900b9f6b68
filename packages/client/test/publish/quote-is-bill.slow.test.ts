/**
 * Quote = bill on a chain, over a handful of random lives through the real adapter, and over hundreds
 * in memory.
 */
import { findAnvil, type LedgerEvent } from '@holdfast/chain'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { temporary } from '../support.ts'
import { expectBilled } from './bill.ts'
import { ChainOfLives } from './chain-lives.ts'
import { live } from './life.ts'
import { plans, wholeTerm, wholeTermCommitted } from './life-plans.ts'
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

  test('is its quote, and the bonds of what was answered, when every period is committed to', async () => {
    const report = await live(chain(), wholeTermCommitted, people())
    expectBilled(report, wholeTermCommitted, chain().network)
    expect(report.deal.paid).toBe(report.offer.cost)
    expect(report.events.filter(({ kind }) => kind === 'dispute-answered')).not.toEqual([])
  })

  test('is what was proven of it, to the unit, over random lives', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        expectBilled(await live(chain(), plan, people()), plan, chain().network)
      }),
      { numRuns: 12, endOnFailure: true },
    )
  })
})

/** What hundreds of lives must have held: what none of them did was not billed. */
const HELD: readonly LedgerEvent['kind'][] = [
  ...(['period-proven', 'period-committed', 'period-missed', 'period-unmarked'] as const),
  ...(['audit-answered', 'audit-lost', 'dispute-answered', 'dispute-lost'] as const),
  ...(['dispute-expired', 'deal-shown-lost', 'deal-faulted', 'deal-recovered'] as const),
  ...(['deal-topped-up', 'deal-terminated', 'provider-terminated'] as const),
]

test('what a deal costs in memory is what was proven of it, over a thousand lives', async () => {
  const held = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(plans, fc.integer({ min: 0, max: 9_999 }), async (plan, feeBps) => {
      const chain = inMemory(chainWith(feeBps))
      const report = await live(chain, plan, people())
      expectBilled(report, plan, chain.network)
      for (const { kind } of report.events) held.set(kind, (held.get(kind) ?? 0) + 1)
    }),
    { numRuns: 1_000 },
  )
  const counts = [...held].map(([kind, n]) => `${kind} ${n}`).sort()
  process.stdout.write(`1000 lives: ${counts.join('; ')}\n`)
  expect(HELD.filter((kind) => !held.has(kind))).toEqual([])
})
