/**
 * What the node's books are made of, as plain values.
 */
import type { Bytes, DealId, Hash32, Leaves, Period, Timestamp } from '@holdfast/protocol'
import type { Duty } from '../duties/duties.ts'

/** Wei, the unit of gas money: another currency than deals are paid in. */
export type Wei = bigint

/** Kinds of duty that end in a transaction. */
export type GasKind = Exclude<Duty['kind'], 'give-up'>

/** One transaction of this node that was mined. */
export interface GasEntry {
  readonly transaction: Hash32
  readonly kind: GasKind
  readonly at: Timestamp
  /** The period of its block. */
  readonly period: Period
  readonly wei: Wei
  /** The deals it was sent for; empty for a proof, which is shared by weight. */
  readonly deals: readonly DealId[]
  /** For a proof: the period that was proven and the leaves that shared it. */
  readonly proof?: { readonly period: Period; readonly weight: Leaves }
}

/** How a period that is over ended for this provider. */
export type PeriodOutcome = 'proven' | 'missed' | 'void' | 'idle'

export interface AccountTotals {
  /** When these books were begun; what happened before is not in them. */
  readonly since: Timestamp
  readonly gas: Readonly<Partial<Record<GasKind, { readonly wei: Wei; readonly count: number }>>>
  readonly egress: Bytes
  readonly outcomes: Readonly<Record<PeriodOutcome, number>>
  /** Periods before this one are judged. */
  readonly judgedTo: Period | undefined
}

/** What one period cost and moved. */
export interface PeriodAccount {
  readonly period: Period
  /** Wei of all transactions mined in it. */
  readonly gas: Wei
  /** Gas per leaf of its own proof, scaled (`proof-costs.ts`). */
  readonly perLeaf: bigint
  readonly egress: bigint
  readonly outcome: PeriodOutcome | undefined
}
