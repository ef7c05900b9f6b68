/**
 * What one ledger event changes in the facts about a provider: pure rules, one per event. The rules
 * about audits are those of docs/spec/settlement.md, section 2: what is forced is decided when a
 * period is committed.
 */
import type { LedgerEvent, SettlementEvent } from '@holdfast/chain'
import {
  amount,
  type DealId,
  minus,
  type Period,
  type ProviderId,
  period,
  plus,
  type Timestamp,
} from '@holdfast/protocol'
import type { FactTable } from './fact-table.ts'
import { type DealFact, disputeKey, type Fact, provenKey, type StandingFact } from './facts.ts'

/** The block an event came in, and where what it changes goes. */
export interface FoldPlace {
  readonly provider: ProviderId
  readonly table: FactTable
  readonly now: Period
  readonly timestamp: Timestamp
  readonly set: (fact: Fact) => void
  readonly drop: (key: string) => void
}

type EventOf<K extends LedgerEvent['kind']> = Extract<LedgerEvent, { readonly kind: K }>

/** Events that are not about the tree; `slot-changed` is for whoever keeps the tree. */
export const foldEvent = (place: FoldPlace, event: LedgerEvent): void => {
  switch (event.kind) {
    case 'deal-opened':
      openDeal(place, event)
      break
    case 'deal-faulted':
      faultDeal(place, event)
      break
    case 'deal-recovered':
      recoverDeal(place, event)
      break
    case 'deal-terminated':
    case 'deal-topped-up':
      changeDeal(place, event.deal, () => ({ end: event.end }))
      break
    case 'deal-settled':
      settleDeal(place, event)
      break
    case 'deal-closed':
      changeDeal(place, event.deal, () => ({ closed: true }))
      break
    case 'seed-posted':
      place.set({ kind: 'seed', period: event.period, seed: event.seed })
      break
    default:
      if ('provider' in event && event.provider === place.provider) foldStanding(place, event)
  }
}

/** Events that name this provider. */
const foldStanding = (place: FoldPlace, event: LedgerEvent): void => {
  switch (event.kind) {
    case 'period-proven':
      markPeriod(place, event.period, undefined)
      break
    case 'period-committed':
      markPeriod(place, event.period, event.root)
      break
    case 'stake-changed':
      changeStanding(place, { stake: event.stake })
      break
    case 'provider-stopped':
      changeStanding(place, { stopped: true })
      break
    case 'provider-registered':
    case 'provider-updated':
      changeStanding(place, { stopped: false })
      break
    case 'provider-terminated':
      changeStanding(place, { terminatedAt: event.at, stopped: true })
      break
    default:
      foldDispute(place, event as SettlementEvent)
  }
}

const foldDispute = (place: FoldPlace, event: SettlementEvent): void => {
  const { set, table, timestamp } = place
  switch (event.kind) {
    case 'period-unmarked':
      place.drop(provenKey(event.period))
      unmark(place, event.period)
      break
    case 'period-missed':
      set({ kind: 'missed', period: event.period })
      break
    case 'audit-answered':
      changeStanding(place, { newestShown: true })
      break
    case 'audit-lost':
      unmark(place, event.period)
      break
    case 'dispute-opened': {
      const { dispute, provider, period: of, question, opener } = event
      const entry = { dispute, provider, period: of, question, opener, openedAt: timestamp }
      set({ kind: 'dispute', ...entry, state: 'open' })
      break
    }
    case 'dispute-answered':
    case 'dispute-lost':
    case 'dispute-expired': {
      const known = table.get(disputeKey(event))
      if (known?.kind === 'dispute') set({ ...known, state: STATES[event.kind] })
      if (event.kind !== 'dispute-answered') unmark(place, event.period)
      break
    }
    default:
  }
}

const STATES = {
  'dispute-answered': 'answered',
  'dispute-lost': 'lost',
  'dispute-expired': 'expired',
} as const

const changeStanding = ({ table, set }: FoldPlace, change: Partial<StandingFact>): void =>
  set({ ...table.standing, ...change })

/** A commit is to be shown when nothing is marked right before it, or something flagged it. */
const markPeriod = (
  place: FoldPlace,
  of: Period,
  bundle: Extract<Fact, { kind: 'proven' }>['bundle'],
): void => {
  const { table } = place
  const follows = of > 0n && table.proven.has(period(of - 1n)) && table.standing.newest === of - 1n
  changeStanding(place, {
    newest: of,
    newestShown: bundle === undefined,
    newestForced: bundle !== undefined && (!follows || table.standing.auditNext),
    auditNext: false,
  })
  place.set({ kind: 'proven', period: of, bundle })
}

/** Nothing is owed for the period any more, and the next commit is shown. */
const unmark = (place: FoldPlace, of: Period): void => {
  const { newest, newestShown } = place.table.standing
  changeStanding(place, { auditNext: true, newestShown: newest === of || newestShown })
}

const openDeal = (place: FoldPlace, event: EventOf<'deal-opened'>): void => {
  const { deal, terms, slot, start, end } = event
  if (terms.provider !== place.provider) return
  const sound = { faultedFrom: undefined, faultySince: undefined, recoveredAt: undefined }
  const fresh = { settledThrough: start, earned: amount(0), inTree: false, closed: false }
  place.set({ kind: 'deal', deal, terms, slot, start, end, ...sound, ...fresh })
}

const changeDeal = (
  { table, set }: FoldPlace,
  id: DealId,
  change: (deal: DealFact) => Partial<DealFact>,
): void => {
  const fact = table.deal(id)
  if (fact !== undefined) set({ ...fact, ...change(fact) })
}

/** Another fault before the former one was settled is one with it, in the payer's favour. */
const faultDeal = (place: FoldPlace, event: EventOf<'deal-faulted'>): void => {
  if (place.table.deal(event.deal) === undefined) return
  changeDeal(place, event.deal, ({ faultedFrom }) => ({
    faultedFrom: faultedFrom ?? event.period,
    faultySince: event.period,
    recoveredAt: undefined,
  }))
  changeStanding(place, { auditNext: true })
}

const recoverDeal = (place: FoldPlace, event: EventOf<'deal-recovered'>): void => {
  if (place.table.deal(event.deal) === undefined) return
  const { slot, period: recoveredAt } = event
  changeDeal(place, event.deal, () => ({ slot, recoveredAt, faultySince: undefined }))
  changeStanding(place, { auditNext: true })
}

const settleDeal = (place: FoldPlace, event: EventOf<'deal-settled'>): void =>
  changeDeal(place, event.deal, ({ earned, recoveredAt }) => ({
    settledThrough: event.through,
    earned: plus(earned, minus(event.paid, event.fee)),
    ...(recoveredAt !== undefined && event.through >= recoveredAt
      ? { faultedFrom: undefined, recoveredAt: undefined }
      : {}),
  }))
