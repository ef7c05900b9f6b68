/** Which periods have to be shown: the rules in their order, and a chance that is what it says. */
import { describe, expect, test } from '@jest/globals'
import { address, hash32 } from '../../src/ids.ts'
import { auditOwed, drawsAudit } from '../../src/settlement/audit.ts'
import { period } from '../../src/units.ts'
import { hex, keccak, keccakText, uint } from '../reference/bytes.ts'

const PROVIDER = address(`0x${'5a'.repeat(20)}`)
const seedOf = (i: number) => hash32(hex(keccak(uint(i, 8))))

describe('the draw', () => {
  test('hits one period in as many as the chance says', () => {
    const draws = Array.from({ length: 6_000 }, (_, i) =>
      drawsAudit({ provider: PROVIDER, period: period(i), nextSeed: seedOf(i) }, 30),
    )
    const hits = draws.filter(Boolean).length
    // Binomial, n = 6000, p = 1/30: mean 200, deviation 13.9; the seeds are fixed.
    expect(hits).toBeGreaterThan(145)
    expect(hits).toBeLessThan(255)
    expect(drawsAudit({ provider: PROVIDER, period: period(1), nextSeed: seedOf(1) }, 1)).toBe(true)
  })

  test('is the keccak of domain, next seed, provider and period', () => {
    const nextSeed = seedOf(9)
    const packed = keccak(
      keccakText('holdfast/audit/v1'),
      Buffer.from(nextSeed.slice(2), 'hex'),
      Buffer.from(PROVIDER.slice(2), 'hex'),
      uint(77n, 8),
    )
    const chance = 7
    const expected = BigInt(hex(packed)) % BigInt(chance) === 0n
    expect(drawsAudit({ provider: PROVIDER, period: period(77), nextSeed }, chance)).toBe(expected)
  })
})

describe('an audit is owed', () => {
  const facts = {
    provider: PROVIDER,
    period: period(5),
    committed: true,
    audited: false,
    previousMarked: true,
    flagged: false,
    nextSeed: undefined,
  }

  test('for the first period, after a fault, and by chance, in this order', () => {
    expect(auditOwed({ ...facts, previousMarked: false, flagged: true }, 30)).toBe('first')
    expect(auditOwed({ ...facts, flagged: true }, 30)).toBe('flagged')
    expect(auditOwed({ ...facts, nextSeed: seedOf(1) }, 1)).toBe('chance')
    expect(auditOwed(facts, 1)).toBeUndefined()
  })

  test('never for a period that was shown or not committed', () => {
    const every = { ...facts, previousMarked: false, flagged: true, nextSeed: seedOf(1) }
    expect(auditOwed({ ...every, audited: true }, 1)).toBeUndefined()
    expect(auditOwed({ ...every, committed: false }, 1)).toBeUndefined()
  })
})
