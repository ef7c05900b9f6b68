/**
 * Quote = bill, to the unit: whatever happens in the life of a deal, what was signed from the quote
 * and what was proven decide all the money, however often or late it is settled.
 */
import {
  createMemoryChain,
  type MemoryChain,
  randomPrivateKey,
  signerFromPrivateKey,
  systemRandom,
} from '@holdfast/chain'
import { amount, type Signer, seconds, timestamp } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { expectBilled } from './bill.ts'
import { live } from './life.ts'
import type { LifeChain, People } from './life-facts.ts'
import { plans, wholeTerm } from './life-plans.ts'

const WEALTH = amount(10n ** 40n)

const inMemory = (chain: MemoryChain): LifeChain => ({
  network: chain.network,
  time: async () => chain.time,
  ledger: async ({ address }) => {
    const ledger = chain.ledger(address)
    const [token] = chain.network.tokens
    if (token === undefined) throw new Error('a network has a token')
    if ((await ledger.balance(address, token.address)) === 0n) {
      chain.mint(token.address, address, WEALTH)
      await ledger.deposit(token.address, WEALTH)
    }
    return ledger
  },
  enter: async (at) => {
    chain.setTime(at)
    chain.advance(seconds(0n))
  },
  postSeed: async (of) => chain.postSeed(of),
})

const signerOf = (): Signer => signerFromPrivateKey(randomPrivateKey(systemRandom))

const people = (): People => ({
  ...{ publisher: signerOf(), owner: signerOf(), operator: signerOf() },
  random: systemRandom,
})

const chainWith = (feeBps: number): MemoryChain =>
  createMemoryChain({
    ...{ genesis: timestamp(1_700_000_000n), period: seconds(1000n), directChallenges: 1 },
    ...{ feeBps, randomSeed: systemRandom.bytes(32) },
  })

describe('what a deal costs', () => {
  test('is its quote, to the unit, when every period is proven', async () => {
    const chain = inMemory(chainWith(500))
    const report = await live(chain, wholeTerm, people())
    expectBilled(report, wholeTerm, chain.network)
    expect(report.deal.paid).toBe(report.offer.cost)
    expect(report.gained.publisher).toBe(-report.offer.cost)
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
