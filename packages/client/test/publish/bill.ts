/** What a deal must have cost, from its signed figures and what happened, without the ledger's help. */
import type { LedgerEvent, NetworkParams } from '@holdfast/chain'
import { type Period, period } from '@holdfast/protocol'
import { expect } from '@jest/globals'
import type { LifePlan, LifeReport } from './life-facts.ts'
import { historyOf } from './life-history.ts'
import { STAKE } from './life-offer.ts'

const SCALE = 10n ** 12n

type Kind = LedgerEvent['kind']

const all = <K extends Kind>(events: readonly LedgerEvent[], kind: K) =>
  events.filter((event): event is Extract<LedgerEvent, { kind: K }> => event.kind === kind)

/**
 * Periods that are unpaid and charged for faults: from every declaration to its recovery, or to the
 * end; and those between a recovery and the next fault, when no settlement came in between that saw
 * the recovery final.
 */
const faulty = ({ events, settlements, deal }: LifeReport): ReadonlySet<Period> => {
  const found = new Set<Period>()
  const add = (from: Period, to: Period): void => {
    for (let p = from; p < to && p < deal.end; p = period(p + 1n)) found.add(p)
  }
  let since: Period | undefined
  let recovered: Period | undefined
  events.forEach((event, i) => {
    const { final = 0n } = settlements.findLast(({ after }) => after <= i) ?? {}
    if (event.kind === 'deal-faulted') {
      if (recovered !== undefined && final < recovered) add(recovered, event.period)
      since = event.period
    }
    if (event.kind === 'deal-recovered' && since !== undefined) {
      add(since, event.period)
      ;[since, recovered] = [undefined, event.period]
    }
  })
  if (since !== undefined) add(since, deal.end)
  return found
}

/** Two of a block of thirty are free, every further one is three periods' pay. */
const missUnits = (missed: readonly Period[], { deal }: LifeReport): bigint => {
  let units = 0n
  const counts = new Map<bigint, number>()
  for (const p of [...missed].sort((a, b) => Number(a - b))) {
    const count = (counts.get(p / 30n) ?? 0) + 1
    counts.set(p / 30n, count)
    if (count > 2 && p >= deal.start && p < deal.end) units += 3n
  }
  return units
}

/** Holds the money that moved against the bill. */
export const expectBilled = (
  report: LifeReport,
  plan: LifePlan,
  network: Pick<NetworkParams, 'period' | 'feeBps' | 'disputeBond' | 'disputeSlash'>,
): void => {
  const { terms, offer, deal, added, events, gained } = report
  const cost = (count: bigint): bigint => (terms.rate * network.period * count) / SCALE
  const unpaid = faulty(report)
  const { proven, missed } = historyOf(events)
  const counted = [...proven].filter((p) => p >= deal.start && p < deal.end && !unpaid.has(p))
  const settled = all(events, 'deal-settled')
  const [closed] = all(events, 'deal-closed')
  if (closed === undefined) throw new Error('the deal was closed')
  const paid = settled.reduce((sum, event) => sum + event.paid, 0n)
  const fee = settled.reduce((sum, event) => sum + event.fee, 0n)

  // The quote is all that can ever be charged, and a whole term without a gap costs exactly that.
  expect(offer.cost).toBe(cost(BigInt(plan.periods)))
  expect(paid).toBeLessThanOrEqual(offer.cost)
  if (counted.length === plan.periods) expect(paid).toBe(offer.cost)
  // The bill is the rate times what was proven, rounded once, whenever it was settled.
  expect(paid).toBe(cost(BigInt(counted.length)))
  expect(fee).toBe((paid * BigInt(network.feeBps)) / 10_000n)
  expect(deal.paid).toBe(paid)

  const deposit = terms.deposit + added
  expect(closed.refunded).toBe(deposit - paid)
  const units = missUnits([...missed], report) + BigInt(unpaid.size)
  const charge = smaller(terms.collateral, cost(units))
  const seized = deal.lost ? terms.collateral : charge
  const share = deal.lost ? seized : charge / 2n
  expect(closed.compensation).toBe(smaller(terms.replacementCost, share))
  expect(closed.returned).toBe(terms.collateral - seized)
  expect(closed.returned + closed.compensation + closed.forfeited).toBe(terms.collateral)

  // And that is what everybody has in the end.
  const asked = moneyOfQuestions(report, network)
  expect(gained).toEqual({
    publisher: closed.compensation - paid + asked.publisher,
    owner: paid - fee - closed.compensation - closed.forfeited + asked.owner,
    fees: fee + closed.forfeited + asked.fees,
    stake: -asked.slashed,
  })
  expectEnded(report)
}

/** A provider that was ended ends its deals, which are lost unless their own end was before. */
const expectEnded = ({ events, deal }: LifeReport): void => {
  const [ended] = all(events, 'provider-terminated')
  if (ended === undefined) return
  expect(deal.end).toBeLessThanOrEqual(larger(ended.at, deal.start))
  if (deal.end === ended.at) expect(deal.lost).toBe(true)
}

/**
 * What disputes and audits move: the publisher asks and reports, so bonds are its own; an answer brings
 * the provider one bond of the network; the first to end a period takes a slash, unless it expired.
 */
const moneyOfQuestions = (
  { events, expired }: LifeReport,
  { disputeBond, disputeSlash }: Pick<NetworkParams, 'disputeBond' | 'disputeSlash'>,
) => {
  let [publisher, owner, fees, slashed] = [0n, 0n, 0n, 0n]
  const bonds = new Map(all(events, 'dispute-opened').map(({ dispute, bond }) => [dispute, bond]))
  for (const { dispute } of all(events, 'dispute-answered')) {
    const bond = bonds.get(dispute) ?? 0n
    publisher -= bond
    owner += disputeBond
    fees += bond - disputeBond
  }
  const slash = (of: { readonly period: Period; readonly slashed: bigint }): void => {
    const isFirst = !paidFor.has(of.period)
    paidFor.add(of.period)
    expect(of.slashed).toBe(isFirst ? smaller(disputeSlash, STAKE - slashed) : 0n)
    slashed += of.slashed
    publisher += of.slashed / 2n
    fees += of.slashed - of.slashed / 2n
  }
  const paidFor = new Set<Period>()
  for (const event of events) {
    if (event.kind === 'dispute-expired') paidFor.add(event.period)
    if (event.kind === 'audit-lost' && expired.has(event.period)) paidFor.add(event.period)
    if (event.kind === 'dispute-lost' || event.kind === 'audit-lost') slash(event)
  }
  return { publisher, owner, fees, slashed }
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)
