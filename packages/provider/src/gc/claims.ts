/**
 * Who has a claim on which payload. Pure: a payload may go when nobody has, by the ledger's final
 * state and by what this provider has promised. Claims are counted by payload, not by deal: two deals
 * on one content are two claims, and the end of one changes nothing.
 */
import type { Period, Root, Seconds, Timestamp } from '@holdfast/protocol'
import type { ChainState } from '../follow/chain-state.ts'
import type { Promises } from '../journal/promises.ts'

export interface ClaimFacts {
  readonly state: Pick<ChainState, 'deals' | 'deal'>
  readonly promises: Pick<Promises, 'sessions' | 'deals'>
  /** Periods before this one are final. */
  readonly finalBefore: Period
  /** Time of the newest block. */
  readonly now: Timestamp
  /** For so long a receipt without a deal keeps its payload. */
  readonly receiptTime: Seconds
}

/** Every payload that must stay. */
export const claimedRoots = (facts: ClaimFacts): ReadonlySet<Root> => {
  const claimed = new Set<Root>()
  const { state, promises, finalBefore, now, receiptTime } = facts
  for (const { terms, closed, end } of state.deals()) {
    if (!closed || end >= finalBefore) claimed.add(terms.root)
  }
  for (const { deal, proposal, refused } of promises.deals.values()) {
    if (refused === undefined && state.deal(deal) === undefined) claimed.add(proposal.terms.root)
  }
  for (const { request, end, receipt } of promises.sessions.values()) {
    if (end !== undefined) continue
    const until = receipt === undefined ? undefined : receipt.receipt.storedAt + receiptTime
    if (until === undefined || until > now) claimed.add(request.voucher.root)
  }
  return claimed
}
