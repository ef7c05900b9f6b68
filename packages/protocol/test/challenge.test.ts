/**
 * Challenges: what they depend on, that they stay in range, that they spread. Their exact values are
 * held by the vectors.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type ChallengeContext,
  DEAL_CHALLENGES,
  dealChallenges,
  GLOBAL_CHALLENGES,
  globalChallenges,
  seedOf,
} from '../src/challenge.ts'
import { address, dealId, hash32 } from '../src/ids.ts'
import { leaves, period } from '../src/units.ts'
import { expectCode } from './support/failures.ts'

const of = (byte: string, length: number): string => `0x${byte.repeat(length)}`

const CONTEXT: ChallengeContext = {
  chainId: 31_337n,
  proofs: address(of('a1', 20)),
  provider: address(of('b2', 20)),
  period: period(7),
  seed: hash32(of('c3', 32)),
}
const DEAL = dealId(of('d4', 32))

describe('global challenges', () => {
  test('are within the weight, for any weight', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, (1n << 64n) - 1n), (weight) => {
        for (const position of globalChallenges(CONTEXT, 8, leaves(weight))) {
          expect(position >= 0n && position < weight).toBe(true)
        }
      }),
    )
  })

  test('of a shorter list are the start of a longer one', () => {
    const all = globalChallenges(CONTEXT, GLOBAL_CHALLENGES, leaves(1_000_000))
    expect(all).toHaveLength(460)
    expect(globalChallenges(CONTEXT, 10, leaves(1_000_000))).toEqual(all.slice(0, 10))
  })

  test('change with every part of the context', () => {
    const changed: ChallengeContext[] = [
      { ...CONTEXT, chainId: 1n },
      { ...CONTEXT, proofs: CONTEXT.provider },
      { ...CONTEXT, provider: CONTEXT.proofs },
      { ...CONTEXT, period: period(8) },
      { ...CONTEXT, seed: hash32(of('c4', 32)) },
    ]
    const drawn = [CONTEXT, ...changed].map((context) =>
      globalChallenges(context, 4, leaves(1n << 40n)).join(),
    )
    expect(new Set(drawn).size).toBe(6)
  })

  test('spread over the weight: 460 draws from 46 leaves hit all of them', () => {
    // The chance that one given leaf is missed is (45/46)^460 = 4e-5; the draw is fixed anyway.
    expect(new Set(globalChallenges(CONTEXT, GLOBAL_CHALLENGES, leaves(46))).size).toBe(46)
  })

  test('notice 1 % loss with a chance of 99 %', () => {
    expect(1 - 0.99 ** GLOBAL_CHALLENGES).toBeGreaterThan(0.99)
  })

  test('do not exist without weight', () => {
    expectCode('INVARIANT', () => globalChallenges(CONTEXT, 1, leaves(0)))
  })
})

describe('deal challenges', () => {
  test('are within the deal, differ from deal to deal and from the global ones', () => {
    const mine = dealChallenges(CONTEXT, DEAL, DEAL_CHALLENGES, leaves(1n << 40n))
    expect(mine).toHaveLength(5)
    expect(mine.every((index) => index < 1n << 40n)).toBe(true)
    const other = dealChallenges(CONTEXT, dealId(of('d5', 32)), 5, leaves(1n << 40n))
    expect(other).not.toEqual(mine)
    expect(globalChallenges(CONTEXT, 5, leaves(1n << 40n))).not.toEqual(mine)
    expectCode('INVARIANT', () => dealChallenges(CONTEXT, DEAL, 5, leaves(0)))
  })
})

describe('seeds', () => {
  test('change with chain, beacon, round and signature, and want a whole point', () => {
    const input = {
      chainId: 1n,
      beacon: CONTEXT.proofs,
      round: 9n,
      signature: new Uint8Array(128),
    }
    const seeds = [
      input,
      { ...input, chainId: 2n },
      { ...input, beacon: CONTEXT.provider },
      { ...input, round: 10n },
      { ...input, signature: new Uint8Array(128).fill(1) },
    ].map(seedOf)
    expect(new Set(seeds).size).toBe(5)
    expectCode('INVARIANT', () => seedOf({ ...input, signature: new Uint8Array(48) }))
  })
})
