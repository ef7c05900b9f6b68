/**
 * The deals of this provider as an operator looks at them, with what was proven, earned and spent.
 */
import type { Address, DealId, Period, Periods, Rate, Root, Timestamp } from '@holdfast/protocol'
import { type Bytes, periods } from '@holdfast/protocol'
import type { EarningsLine } from '../earnings/earnings.ts'
import type { DealFact } from '../follow/facts.ts'
import type { DealPromise, FoundDamage } from '../journal/promises.ts'

export type DealRowState = 'accepted' | 'refused' | 'active' | 'faulty' | 'ended' | 'closed'

export interface DealRow {
  readonly id: DealId
  readonly state: DealRowState
  readonly client: Address
  readonly root: Root
  readonly length: Bytes
  readonly rate: Rate
  /** Undefined until the deal is open. */
  readonly start: Period | undefined
  readonly end: Period | undefined
  readonly settledThrough: Period | undefined
  readonly faultedFrom: Period | undefined
  readonly provenPeriods: Periods
  readonly unprovenPeriods: Periods
  readonly lastProven: Period | undefined
  readonly lastScrub: Timestamp | undefined
  /** What was found wrong with its bytes, or why it was not opened. */
  readonly problem: string | undefined
}

export const openDealRow = (
  deal: DealFact,
  line: EarningsLine | undefined,
  view: { readonly now: Period | undefined; readonly damage: FoundDamage | undefined },
): DealRow => ({
  ...{ id: deal.deal, state: stateOf(deal, view.now), client: deal.terms.client },
  ...{ root: deal.terms.root, length: deal.terms.length, rate: deal.terms.rate },
  ...{ start: deal.start, end: deal.end, settledThrough: deal.settledThrough },
  faultedFrom: deal.faultedFrom,
  provenPeriods: line?.provenPeriods ?? periods(0),
  unprovenPeriods: line?.unprovenPeriods ?? periods(0),
  lastProven: line?.lastProven,
  lastScrub: line?.lastScrub,
  problem: view.damage === undefined ? undefined : `leaf ${view.damage.leaf}: ${view.damage.what}`,
})

/** A deal that is promised and not on the ledger. */
export const promisedDealRow = ({ deal, proposal, refused }: DealPromise): DealRow => ({
  ...{ id: deal, state: refused === undefined ? 'accepted' : 'refused' },
  ...{ client: proposal.terms.client, root: proposal.terms.root },
  ...{ length: proposal.terms.length, rate: proposal.terms.rate },
  ...{ start: undefined, end: undefined, settledThrough: undefined, faultedFrom: undefined },
  ...{ provenPeriods: periods(0), unprovenPeriods: periods(0) },
  ...{ lastProven: undefined, lastScrub: undefined, problem: refused },
})

const stateOf = (deal: DealFact, now: Period | undefined): DealRowState => {
  if (deal.closed) return 'closed'
  if (now !== undefined && now >= deal.end) return 'ended'
  return deal.faultedFrom === undefined ? 'active' : 'faulty'
}
