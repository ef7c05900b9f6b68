/** Who stores, at what price, and how well each has proven lately: all from the ledger. */
import type { LedgerReader, ProviderRecord } from '@holdfast/chain'
import {
  type Amount,
  type CallOptions,
  type Period,
  type ProviderId,
  period,
  periodAt,
  periodDeadline,
} from '@holdfast/protocol'

export interface ProviderFilter {
  readonly region?: string
  readonly maxPrice?: Amount
  /** Per cent of the periods that counted; providers without a record pass at 0 only. */
  readonly minScore?: number
}

export interface ProviderSummary {
  readonly record: ProviderRecord
  /** Open deals. */
  readonly deals: number
  /** Of the last periods in which the provider had a deal: how many counted, how many it proved. */
  readonly counted: number
  readonly proven: number
  /** Per cent; undefined while nothing has counted yet. */
  readonly score: number | undefined
}

/** Periods looked back. */
const WINDOW = 30n

export const listProviders = async (
  ledger: LedgerReader,
  filter: ProviderFilter,
  options: CallOptions = {},
): Promise<readonly ProviderSummary[]> => {
  const records = await ledger.providers(options)
  const { timestamp } = await ledger.tip(options)
  const now = periodAt(ledger.network, timestamp)
  // The current period counts once its deadline has passed.
  const until = periodDeadline(ledger.network, now) <= timestamp ? period(now + 1n) : now
  const fitting = records.filter(
    ({ region, pricePerTibMonth }) =>
      (filter.region === undefined || region === filter.region) &&
      (filter.maxPrice === undefined || pricePerTibMonth <= filter.maxPrice),
  )
  const summaries = await Promise.all(
    fitting.map((record) => summarise(ledger, record, { until, ...options })),
  )
  return summaries
    .filter(({ score }) => filter.minScore === undefined || (score ?? 0) >= filter.minScore)
    .sort((a, b) => compareSummaries(a, b))
}

const compareSummaries = (a: ProviderSummary, b: ProviderSummary): number => {
  const byPrice = a.record.pricePerTibMonth - b.record.pricePerTibMonth
  if (byPrice !== 0n) return byPrice < 0n ? -1 : 1
  return a.record.provider < b.record.provider ? -1 : 1
}

const summarise = async (
  ledger: LedgerReader,
  record: ProviderRecord,
  { until, ...options }: CallOptions & { readonly until: Period },
): Promise<ProviderSummary> => {
  const deals = await ledger.deals({ provider: record.provider }, options)
  const open = deals.filter(({ state }) => state === 'active' || state === 'faulty').length
  const back = until > WINDOW ? period(until - WINDOW) : period(0n)
  const counting = new Set<bigint>()
  for (const { start, end } of deals) {
    for (let p = start > back ? start : back; p < until && p < end; p = period(p + 1n))
      counting.add(p)
  }
  const proven = await provenAmong(
    ledger,
    record.provider,
    { from: back, until, counting },
    options,
  )
  const score = counting.size === 0 ? undefined : Math.round((proven * 100) / counting.size)
  return { record, deals: open, counted: counting.size, proven, score }
}

const provenAmong = async (
  ledger: LedgerReader,
  provider: ProviderId,
  span: { readonly from: Period; readonly until: Period; readonly counting: ReadonlySet<bigint> },
  options: CallOptions,
): Promise<number> => {
  if (span.counting.size === 0) return 0
  const proven = await ledger.proven(provider, span.from, span.until, options)
  return proven.filter((p) => span.counting.has(p)).length
}
