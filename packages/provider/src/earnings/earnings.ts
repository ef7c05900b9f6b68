/**
 * What this provider earns and what that costs it, deal by deal, in total and over time: revenue from
 * the ledger's facts, gas and egress from the node's own books. Reads, changes nothing.
 *
 * Invariant: totals are the sums of their lines. Revenue is in base units of the token, gas in wei;
 * the two are never added up, because nothing here knows a rate between them.
 */
import {
  type Address,
  amount,
  type Bytes,
  bytes,
  type DealId,
  leavesFor,
  type Payout,
  type Period,
  type Periods,
  period,
  plus,
  type Root,
  smaller,
  type Timestamp,
} from '@holdfast/protocol'
import type { AccountTotals, Wei } from './account-types.ts'
import type { Accounts } from './accounts.ts'
import { type RevenueDeal, revenueOf } from './revenue.ts'
import { type EarningsSeries, type SeriesInput, seriesOf, type Window } from './series.ts'

/** A deal as its earnings are asked for. */
export interface EarningDeal extends RevenueDeal {
  readonly id: DealId
  readonly client: Address
  readonly root: Root
}

export interface EarningsLine {
  readonly deal: DealId
  readonly client: Address
  readonly length: Bytes
  readonly settled: Payout
  readonly pending: Payout
  readonly gas: { readonly own: Wei; readonly proofs: Wei; readonly total: Wei }
  readonly egress: Bytes
  readonly provenPeriods: Periods
  readonly unprovenPeriods: Periods
  readonly lastProven: Period | undefined
  readonly lastScrub: Timestamp | undefined
}

export interface EarningsTotals {
  readonly settled: Payout
  readonly pending: Payout
  /** All gas of this node, deals or not; `toDeals` is the part that lines carry. */
  readonly gas: { readonly total: Wei; readonly toDeals: Wei }
  readonly egress: Bytes
}

export interface Earnings {
  readonly token: Address
  /** When the books of gas and egress were begun. */
  readonly booksSince: Timestamp | undefined
  readonly deals: readonly EarningsLine[]
  readonly totals: EarningsTotals
  readonly gasByKind: AccountTotals['gas']
  readonly series: EarningsSeries
}

export interface EarningsInput extends SeriesInput {
  readonly deals: readonly EarningDeal[]
  readonly token: Address
  readonly accounts: Accounts | undefined
  readonly window: Window
  /** When a payload was last read and checked as a whole, where somebody knows. */
  readonly lastScrub: (root: Root) => Timestamp | undefined
}

/** Deals computed in one go, so that the event loop is never held long. */
const SLICE = 2000

const NOTHING: Payout = { paid: amount(0), fee: amount(0), toProvider: amount(0) }

export const earningsOf = async (input: EarningsInput): Promise<Earnings> => {
  const { deals, accounts } = input
  const lines: EarningsLine[] = []
  for (let at = 0; at < deals.length; at += SLICE) {
    lines.push(...(await linesOf(input, deals.slice(at, at + SLICE))))
  }
  const totals = accounts?.totals
  return {
    token: input.token,
    booksSince: totals?.since,
    deals: lines,
    totals: totalsOf(lines, totals),
    gasByKind: totals?.gas ?? {},
    series: await seriesOf(input, input.window),
  }
}

const linesOf = async (
  input: EarningsInput,
  deals: readonly EarningDeal[],
): Promise<readonly EarningsLine[]> => {
  const { accounts, network, record, lastScrub } = input
  const gas = await accounts?.gasOfDeals(deals.map(({ id }) => id))
  const egress = await accounts?.egressOf(deals.map(({ root }) => root))
  return deals.map((deal, i) => {
    const { settled, pending, ...proofs } = revenueOf(deal, network, record)
    const own = gas?.[i]?.wei ?? 0n
    const left = gas?.[i]?.left ?? record.finalThrough
    const shared =
      accounts?.proofCosts.share(
        leavesFor(deal.terms.length),
        deal.start,
        smaller(left, period(record.finalThrough + 1n)),
      ) ?? 0n
    return {
      ...{ deal: deal.id, client: deal.client, length: deal.terms.length, settled, pending },
      gas: { own, proofs: shared, total: own + shared },
      egress: egress?.[i] ?? bytes(0),
      ...proofs,
      lastScrub: lastScrub(deal.root),
    }
  })
}

const addPayouts = (a: Payout, b: Payout): Payout => ({
  paid: plus(a.paid, b.paid),
  fee: plus(a.fee, b.fee),
  toProvider: plus(a.toProvider, b.toProvider),
})

const totalsOf = (
  lines: readonly EarningsLine[],
  totals: AccountTotals | undefined,
): EarningsTotals => ({
  settled: lines.reduce((sum, { settled }) => addPayouts(sum, settled), NOTHING),
  pending: lines.reduce((sum, { pending }) => addPayouts(sum, pending), NOTHING),
  gas: {
    total: Object.values(totals?.gas ?? {}).reduce((sum, { wei }) => sum + wei, 0n),
    toDeals: lines.reduce((sum, { gas }) => sum + gas.total, 0n),
  },
  egress: totals?.egress ?? bytes(0),
})
