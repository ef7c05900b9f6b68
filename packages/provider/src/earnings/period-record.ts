/**
 * What the folded ledger says about periods: which are final, which counted for any deal, which are
 * proven. Pure.
 */
import type { NetworkParams } from '@holdfast/chain'
import {
  type Leaves,
  leaves,
  leavesFor,
  type Period,
  period,
  periodAt,
  periodDeadline,
  smaller,
} from '@holdfast/protocol'
import type { ChainState } from '../follow/chain-state.ts'
import type { DealFact } from '../follow/facts.ts'
import { finalThroughOf, type ProofRecord } from './revenue.ts'

/** The fold remembers proven periods this far back (`follow/chain-state.ts`). */
const PROVEN_KEPT = 4096n

/** The first period whose outcome is not final; 0 before the first block. */
export const finalPeriod = (
  state: Pick<ChainState, 'cursor' | 'isProven'>,
  network: NetworkParams,
): Period => {
  const tip = state.cursor
  if (tip === undefined) return period(0)
  const now = periodAt(network, tip.timestamp)
  const current = {
    period: now,
    deadline: periodDeadline(network, now),
    proven: state.isProven(now),
  }
  return finalThroughOf(current, tip.timestamp)
}

/** All proven periods the fold knows, with how far they can be relied on. */
export const proofRecord = (state: ChainState, network: NetworkParams): ProofRecord => {
  const finalThrough = finalPeriod(state, network)
  return {
    proven: state.provenBetween(period(0), period(finalThrough + 1n)),
    completeFrom: period(finalThrough > PROVEN_KEPT ? finalThrough - PROVEN_KEPT : 0n),
    finalThrough,
  }
}

type Span = Pick<DealFact, 'start' | 'end' | 'faultedFrom'>

/** The end of the periods in which a deal is paid. */
export const paidEnd = ({ end, faultedFrom }: Span): Period =>
  faultedFrom === undefined ? end : smaller(end, faultedFrom)

/** Whether any deal would have been paid for a period. */
export const wasCounted = (deals: readonly Span[], of: Period): boolean =>
  deals.some((deal) => deal.start <= of && of < paidEnd(deal))

/** Leaves challenged in a period: those of the tree at its start. Hashes nothing. */
export const weightAt = (state: ChainState, of: Period): Leaves => {
  let sum = 0n
  for (const fact of state.facts.values()) {
    if (fact.kind !== 'slot') continue
    const deal = fact.history.findLast(({ from }) => from <= of)?.deal
    const length = deal === undefined ? undefined : state.deal(deal)?.terms.length
    if (length !== undefined) sum += leavesFor(length)
  }
  return leaves(sum)
}
