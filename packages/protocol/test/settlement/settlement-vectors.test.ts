/**
 * The implementation against `vectors/settlements.json`, as the contracts are, and against the
 * reference that the file comes from.
 */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { BundleQuestion } from '../../src/bundle/entry.ts'
import { chargeSplit, paidTotal } from '../../src/deal/accounting.ts'
import { consentDigest } from '../../src/deal/eip712.ts'
import { address, dealId, hash32 } from '../../src/ids.ts'
import { costOf } from '../../src/pricing.ts'
import { drawsAudit } from '../../src/settlement/audit.ts'
import { disputeIdOf, slashSplit } from '../../src/settlement/dispute.ts'
import { missUnits } from '../../src/settlement/faults.ts'
import {
  auditDueAt,
  disputesUntil,
  finalBeforeAt,
  usablePeriodsNeeded,
} from '../../src/settlement/finality.ts'
import { amount, minus, period, periods, rate, seconds, timestamp } from '../../src/units.ts'
import * as reference from '../reference/settlement.ts'
import { vectors } from '../support/vectors.ts'

type Row = Readonly<Record<string, unknown>> & { readonly kind: string }

const ROWS = vectors<Row>('settlements')

/** The rows of a kind; a file without any would test nothing. */
const rows = (kind: string): readonly Row[] => {
  const found = ROWS.filter((row) => row.kind === kind)
  expect(found.length).toBeGreaterThanOrEqual(3)
  return found
}

const text = (row: Row, key: string): string => String(row[key])
const number = (row: Row, key: string): bigint => BigInt(text(row, key))

test('settlements.json has no kind that is not tested here', () => {
  const kinds = ['misses', 'finality', 'audit', 'closing', 'slash', 'consent', 'dispute']
  expect(new Set(ROWS.map(({ kind }) => kind))).toEqual(new Set(kinds))
})

test('misses charge what F says', () => {
  for (const row of rows('misses')) {
    const missed = (row['missed'] as readonly string[]).map((p) => period(BigInt(p)))
    expect(missUnits(missed, period(number(row, 'before')))).toBe(number(row, 'units'))
  }
})

test('periods become final, and questions late, when they should', () => {
  for (const row of rows('finality')) {
    const params = {
      ...{ genesis: timestamp(number(row, 'genesis')), period: seconds(number(row, 'period')) },
      ...{ window: seconds(number(row, 'window')), seedDelay: seconds(1n) },
      ...{ disputeTime: seconds(number(row, 'disputeTime')) },
      answerTime: seconds(number(row, 'answerTime')),
      drand: { genesis: timestamp(0n), period: seconds(3n) },
    }
    const final = finalBeforeAt(params, timestamp(number(row, 'now')))
    expect(final).toBe(number(row, 'finalBefore'))
    expect(disputesUntil(params, final)).toBe(number(row, 'disputesUntil'))
    expect(auditDueAt(params, final)).toBe(number(row, 'auditDueAt'))
    expect(BigInt(usablePeriodsNeeded(params))).toBe(number(row, 'usableNeeded'))
  }
})

test('chance audits the same periods', () => {
  let drawn = 0
  for (const row of rows('audit')) {
    const draw = {
      provider: address(text(row, 'provider')),
      period: period(number(row, 'period')),
      nextSeed: hash32(text(row, 'nextSeed')),
    }
    expect(drawsAudit(draw, Number(number(row, 'auditChance')))).toBe(row['drawn'])
    if (row['drawn'] === true) drawn++
  }
  expect(drawn).toBeGreaterThan(8)
})

test('the money of a deal goes where it belongs at its end', () => {
  for (const row of rows('closing')) {
    const figures = {
      rate: rate(number(row, 'rate')),
      period: seconds(number(row, 'period')),
      deposit: amount(number(row, 'deposit')),
      collateral: amount(number(row, 'collateral')),
      ...{ periods: periods(13n), feeBps: 500 },
    }
    const units = periods(number(row, 'units'))
    const { paid } = paidTotal(figures, periods(number(row, 'proven')))
    expect(costOf({ ...figures, periods: units })).toBe(number(row, 'charged'))
    const replacementCost = amount(number(row, 'replacementCost'))
    const split = chargeSplit(figures, { units, lost: row['lost'] === true, replacementCost })
    const refund = minus(figures.deposit, paid)
    expect({ paid, refund, ...split }).toEqual({
      ...{ paid: number(row, 'paid'), refund: number(row, 'refund') },
      compensation: number(row, 'compensation'),
      ...{ returned: number(row, 'returned'), forfeited: number(row, 'forfeited') },
    })
  }
})

test('a slash is halved, the odd unit to the fee account', () => {
  for (const row of rows('slash')) {
    const split = slashSplit(amount(number(row, 'stake')), amount(number(row, 'disputeSlash')))
    expect(split).toEqual({
      ...{ slashed: number(row, 'slashed'), reward: number(row, 'reward') },
      forfeited: number(row, 'forfeited'),
    })
  }
})

test('consents and disputes have the same names', () => {
  for (const row of rows('consent')) {
    const verifyingContract = address(text(row, 'verifyingContract'))
    const domain = { chainId: number(row, 'chainId'), verifyingContract }
    expect(consentDigest(dealId(text(row, 'deal')), domain)).toBe(row['digest'])
  }
  for (const row of rows('dispute')) {
    const i = Number(row['i'])
    const question: BundleQuestion =
      row['class'] === 0
        ? { class: 'global', i }
        : { class: 'deal', deal: dealId(text(row, 'deal')), i }
    const provider = address(text(row, 'provider'))
    const of = period(number(row, 'period'))
    expect(disputeIdOf({ provider, period: of, question })).toBe(row['id'])
  }
})

test('misses charge and splits share what counting one by one says', () => {
  const amounts = fc.bigInt({ min: 0n, max: 1n << 80n })
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.bigInt({ min: 0n, max: 130n })),
      fc.bigInt({ min: 0n, max: 140n }),
      (missed, before) => {
        const units = missUnits(missed.map(period), period(before))
        expect(units).toBe(reference.units(missed, before))
      },
    ),
  )
  fc.assert(
    fc.property(amounts, amounts, (stake, most) => {
      expect(slashSplit(amount(stake), amount(most))).toEqual(reference.slash(stake, most))
    }),
  )
})
