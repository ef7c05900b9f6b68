/**
 * What the page shows, as one value that is sent whole after every change: the node's status, what was
 * earned, and the deals. Tables are cut; the commands show all of it.
 */
import type { Bytes, Payout } from '@holdfast/protocol'
import type { Wei } from '../earnings/account-types.ts'
import type { Earnings } from '../earnings/earnings.ts'
import type { EarningsSeries } from '../earnings/series.ts'
import type { DealRow } from '../status/deal-rows.ts'
import type { NodeStatus } from '../status/node-status.ts'

/** A value as JSON carries it: big integers are text, what is undefined is not there. */
export type JsonOf<T> = T extends bigint
  ? string
  : T extends string | number | boolean | undefined | null
    ? T
    : T extends readonly (infer E)[]
      ? readonly JsonOf<E>[]
      : { readonly [K in keyof T]: JsonOf<T[K]> }

export interface DealView extends DealRow {
  readonly settled: Payout | undefined
  readonly pending: Payout | undefined
  readonly gas: Wei | undefined
  readonly egress: Bytes | undefined
}

export interface DashboardView {
  readonly token: { readonly symbol: string; readonly decimals: number }
  readonly status: NodeStatus
  readonly totals: Earnings['totals']
  readonly gasByKind: Earnings['gasByKind']
  readonly series: EarningsSeries
  /** The newest, at most `DEALS_SHOWN`. */
  readonly deals: readonly DealView[]
  readonly dealCount: number
}

export const DEALS_SHOWN = 200

export const viewOf = (
  token: DashboardView['token'],
  status: NodeStatus,
  earnings: Earnings,
  deals: readonly DealRow[],
): DashboardView => {
  const shown = deals.slice(-DEALS_SHOWN).toReversed()
  const lines = new Map(earnings.deals.map((line) => [line.deal, line]))
  const { totals, gasByKind, series } = earnings
  return {
    ...{ token, status, totals, gasByKind, series, dealCount: deals.length },
    deals: shown.map((deal) => {
      const line = lines.get(deal.id)
      return {
        ...deal,
        settled: line?.settled,
        pending: line?.pending,
        gas: line?.gas.total,
        egress: line?.egress,
      }
    }),
  }
}
