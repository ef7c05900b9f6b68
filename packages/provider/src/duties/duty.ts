/**
 * What a provider can have to do, as a closed set, with the three things everybody asks of a duty: its
 * name, its lane, and what its transaction may take.
 */
import type { DisputedEntry, SendOptions } from '@holdfast/chain'
import type { DealId, Hash32, Period, Timestamp } from '@holdfast/protocol'

/** How a period is proven: by the root of its bundle, or by the first global answers themselves. */
export type ProvingMode = 'commit' | 'direct'

export type Duty =
  /** Show a disputed entry of a committed bundle. */
  | {
      readonly kind: 'answer-dispute'
      readonly entry: DisputedEntry
      readonly deadline: Timestamp
    }
  /** Show the first global entries of the newest committed bundle; nothing is proven before. */
  | { readonly kind: 'answer-audit'; readonly period: Period; readonly deadline: Timestamp }
  /**
   * An overdue audit that cannot be shown: end it for the slash, of which the node gets the half that
   * anybody else would, because nothing is proven while it is owed.
   */
  | { readonly kind: 'end-audit'; readonly period: Period }
  /** An overdue dispute that cannot be answered and that nobody ends: it stands in the way. */
  | {
      readonly kind: 'end-dispute'
      readonly entry: DisputedEntry
      readonly openedAt: Timestamp
    }
  /** Prove a period before its deadline. */
  | {
      readonly kind: 'prove'
      readonly mode: ProvingMode
      readonly period: Period
      readonly seed: Hash32
      readonly deadline: Timestamp
    }
  /**
   * Say that a deal's bytes are lost, so that the others can go on being proven. With a deadline when
   * the period waits to be proven until it is said.
   */
  | {
      readonly kind: 'declare-fault'
      readonly deal: DealId
      readonly deadline: Timestamp | undefined
    }
  /** The bytes are back: take a slot again. The openings are of the current period. */
  | {
      readonly kind: 'recover'
      readonly deal: DealId
      readonly period: Period
      readonly seed: Hash32
      readonly deadline: Timestamp
    }
  /** Send the opening transaction of an accepted deal. */
  | { readonly kind: 'open'; readonly deal: DealId; readonly deadline: Timestamp }
  /** An accepted deal can no longer be opened. */
  | { readonly kind: 'give-up'; readonly deal: DealId }
  /** Take an ended deal out of the tree. */
  | { readonly kind: 'release'; readonly deal: DealId }
  /** Settle an ended deal to the last unit. */
  | { readonly kind: 'close'; readonly deal: DealId }
  /** Turn proven periods into money, many deals at once. */
  | { readonly kind: 'settle'; readonly deals: readonly DealId[] }

export type DutyOf<K extends Duty['kind']> = Extract<Duty, { readonly kind: K }>

export type LaneName = 'proofs' | 'ledger'

/** Most a transaction may cost, in wei, by lane. */
export interface GasBudgets {
  readonly proofs: bigint
  readonly ledger: bigint
}

export const deadlineOf = (duty: Duty): Timestamp | undefined =>
  'deadline' in duty ? duty.deadline : undefined

/** What is worth money or stake by a deadline of the protocol has a lane of its own. */
export const laneOf = (duty: Duty): LaneName => {
  switch (duty.kind) {
    case 'answer-dispute':
    case 'answer-audit':
    case 'end-audit':
    case 'end-dispute':
    case 'prove':
      return 'proofs'
    case 'declare-fault':
      return duty.deadline === undefined ? 'ledger' : 'proofs'
    default:
      return 'ledger'
  }
}

/** The deadline, budget and lane that the duty's transaction is sent with. */
export const sendOptionsFor = (duty: Duty, budgets: GasBudgets): SendOptions => {
  const lane = laneOf(duty)
  const deadline = deadlineOf(duty)
  return { lane, gasBudget: budgets[lane], ...(deadline === undefined ? {} : { deadline }) }
}

/** Two duties with one name are one. */
export const nameOf = (duty: Duty): string => {
  switch (duty.kind) {
    case 'answer-dispute':
    case 'end-dispute': {
      const { period, question } = duty.entry
      const of = question.class === 'deal' ? question.deal : 'global'
      return `${duty.kind} ${period} ${of} ${question.i}`
    }
    case 'answer-audit':
    case 'end-audit':
      return `${duty.kind} ${duty.period}`
    case 'prove':
      return `prove ${duty.period} ${duty.seed} ${duty.mode}`
    case 'settle':
      return `settle ${duty.deals.join(' ')}`
    case 'recover':
      return `recover ${duty.deal} ${duty.period}`
    default:
      return `${duty.kind} ${duty.deal}`
  }
}

/** Its fields, flat, for the log. */
export const describeDuty = (duty: Duty): Readonly<Record<string, unknown>> => {
  if (duty.kind === 'answer-dispute' || duty.kind === 'end-dispute') {
    const { entry } = duty
    return { duty: duty.kind, period: entry.period, ...entry.question, deadline: deadlineOf(duty) }
  }
  const { kind, ...fields } = duty
  return { duty: kind, ...fields }
}

export const DUTY_KINDS: readonly Duty['kind'][] = [
  'answer-dispute',
  'answer-audit',
  'end-audit',
  'end-dispute',
  'prove',
  'declare-fault',
  'recover',
  'open',
  'give-up',
  'release',
  'close',
  'settle',
]
