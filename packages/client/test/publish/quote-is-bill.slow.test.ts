/** Quote = bill on a chain, over a handful of random lives through the real adapter. */
import { findAnvil, randomPrivateKey, signerFromPrivateKey, systemRandom } from '@holdfast/chain'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { temporary } from '../support.ts'
import { expectBilled } from './bill.ts'
import { ChainOfLives } from './chain-lives.ts'
import { live } from './life.ts'
import type { People } from './life-facts.ts'
import { plans, wholeTerm } from './life-plans.ts'

const signerOf = () => signerFromPrivateKey(randomPrivateKey(systemRandom))

const people = (): People => ({
  ...{ publisher: signerOf(), owner: signerOf(), operator: signerOf() },
  random: systemRandom,
})

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
