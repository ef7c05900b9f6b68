/**
 * How deals end on the in-memory state: faults and recovery, notice, top-ups, closing. The rules of
 * DealMarket.sol, in the contract's order.
 */
import {
  type Address,
  type Amount,
  amount,
  chargeSplit,
  consentDigest,
  costOf,
  DEAL_CHALLENGES,
  type DealId,
  type DealTerms,
  dealChallenges,
  endAfterNotice,
  endAfterTopUp,
  faultyPeriods,
  HoldfastError,
  isFaulty,
  type LeafOpening,
  larger,
  leafRoot,
  leavesFor,
  minus,
  type Period,
  type Periods,
  period,
  periods,
  plainHasher,
  type SlotPath,
  toHex,
  uintBytes,
  withFault,
  withRecovery,
} from '@holdfast/protocol'
import { type ConsentSignatures, type RecoverDealParameters, signingDomain } from '../ledger.ts'
import {
  checkEnd,
  checkSignatures,
  endOf,
  gross,
  knownDeal,
  leafOf,
  refusedTerms,
  settleOne,
  wrongState,
} from './market.ts'
import { contextOf, finalBefore, isProven, unitsBefore } from './marks.ts'
import { knownProvider } from './registry.ts'
import { fillSlot, freeSlot, invalid, patchState } from './trees.ts'
import { credit, debit, type MarketRecord, payFee, type World } from './world.ts'

const checkOperator = (world: World, of: DealTerms, sender: Address): void => {
  const { operator } = knownProvider(world, of.provider)
  if (operator === sender) return
  const reason = `only the operator may (${operator}, ${sender})`
  throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
}

/** The current period, in which the deal has not ended. */
const checkRunning = (world: World, record: MarketRecord): Period => {
  const current = world.currentPeriod
  const { end } = endOf(world, record)
  if (current >= end) throw wrongState(record.id, `it has ended (${end})`)
  return current
}

const leaveTree = (world: World, record: MarketRecord, path: SlotPath): void => {
  if (!record.inTree) throw wrongState(record.id, 'it is in no slot')
  world.deals.set(record.id, { ...record, inTree: false })
  freeSlot(world, record.terms.provider, { ...path, slot: record.slot }, leafOf(record))
}

/** The next commit owes an audit. */
const forceAudit = (world: World, record: MarketRecord): void =>
  patchState(world, record.terms.provider, { forceNext: true })

/** A deal and a path in one parameter, as the operator's calls take them. */
export interface SlotCall {
  readonly deal: DealId
  readonly path: SlotPath
}

export const declareFault = (world: World, sender: Address, { deal, path }: SlotCall): void => {
  const record = knownDeal(world, deal)
  if (!world.shownLost.has(deal)) checkOperator(world, record.terms, sender)
  const current = checkRunning(world, record)
  if (isFaulty(record.faults)) throw wrongState(deal, 'it is faulty already')
  const isDone = isProven(world, record.terms.provider, current)
  const from = larger(isDone ? period(current + 1n) : current, record.start)
  const faulted = { ...record, faults: withFault(record.faults, from) }
  world.deals.set(deal, faulted)
  world.emit({ kind: 'deal-faulted', deal, period: from })
  leaveTree(world, faulted, path)
  forceAudit(world, record)
}

const checkRecovery = (
  world: World,
  { id, terms: of }: MarketRecord,
  current: Period,
  openings: readonly LeafOpening[],
): void => {
  if (openings.length !== DEAL_CHALLENGES) {
    throw invalid(`the number of openings is wrong (${DEAL_CHALLENGES}, ${openings.length})`)
  }
  const leaves = leavesFor(of.length)
  const context = contextOf(world, of.provider, current)
  const challenged = dealChallenges(context, id, DEAL_CHALLENGES, leaves)
  // As on chain, where an opening has no index of its own: its place says which leaf it must be.
  for (const [i, index] of challenged.entries()) {
    const opening = openings[i]
    const root = opening && toHex(leafRoot({ ...opening, index }, leaves, plainHasher))
    if (root === of.root) continue
    throw invalid(`opening ${i} is not the challenged leaf of the signed root`)
  }
}

export const recoverDeal = (
  world: World,
  sender: Address,
  { deal, path, openings }: RecoverDealParameters,
): void => {
  const record = knownDeal(world, deal)
  checkOperator(world, record.terms, sender)
  const current = checkRunning(world, record)
  if (!isFaulty(record.faults)) throw wrongState(deal, 'it is not faulty')
  checkRecovery(world, record, current, openings)
  const until = period(current + 1n)
  const faults = withRecovery(record.faults, until)
  world.deals.set(deal, { ...record, faults, inTree: true, slot: path.slot })
  world.emit({ kind: 'deal-recovered', deal, slot: path.slot, period: until })
  world.shownLost.delete(deal)
  forceAudit(world, record)
  fillSlot(world, record.terms.provider, path, leafOf(record))
}

/** Both fit 128 bits on chain. */
const mostToAdd = (world: World, of: DealTerms): bigint => {
  const term = costOf({ rate: of.rate, period: world.network.period, periods: of.periods })
  const most = term > of.deposit ? term - of.deposit : 0n
  const wide = (1n << 128n) - 1n
  return most < wide ? most : wide
}

export const topUp = (
  world: World,
  sender: Address,
  { deal, value }: { readonly deal: DealId; readonly value: Amount },
): void => {
  const record = knownDeal(world, deal)
  // 128 bits on chain, as UNIT_INVALID says.
  uintBytes(value, 16)
  checkRunning(world, record)
  if (record.noticeGiven) throw wrongState(deal, 'notice was given')
  const { terms: of, start } = record
  const deposit = amount(record.deposit + value)
  const most = mostToAdd(world, of)
  if (deposit - of.deposit > most) {
    throw refusedTerms('deposit', `no more can be added (${most}, ${deposit - of.deposit})`)
  }
  const span = { start, end: record.ownEnd }
  const priced = { ...of, period: world.network.period }
  const ownEnd = checkEnd(endAfterTopUp(priced, { span, deposit, noticeGiven: false }))
  world.deals.set(deal, { ...record, deposit, ownEnd })
  world.emit({ kind: 'deal-topped-up', deal, amount: value, end: ownEnd })
  debit(world, of.token, sender, value)
}

/** Brings the end nearer, never for periods that have begun. */
const giveNotice = (world: World, record: MarketRecord, notice: Periods): void => {
  const now = checkRunning(world, record)
  const end = endAfterNotice({ start: record.start, end: record.ownEnd }, { now, notice })
  world.deals.set(record.id, { ...record, ownEnd: end, noticeGiven: true })
  world.emit({ kind: 'deal-terminated', deal: record.id, end })
}

const NONE: Periods = periods(0n)

export const terminateDeal = (world: World, sender: Address, deal: DealId): void => {
  const record = knownDeal(world, deal)
  if (record.terms.client !== sender) {
    const reason = `only the client may (${record.terms.client}, ${sender})`
    throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
  }
  giveNotice(world, record, isFaulty(record.faults) ? NONE : record.terms.notice)
}

export const resignDeal = (world: World, sender: Address, deal: DealId): void => {
  const record = knownDeal(world, deal)
  checkOperator(world, record.terms, sender)
  giveNotice(world, record, record.terms.notice)
}

export const closeByConsent = (world: World, deal: DealId, signatures: ConsentSignatures): void => {
  const record = knownDeal(world, deal)
  const digest = consentDigest(deal, signingDomain(world.network))
  checkSignatures(world, record.terms, digest, signatures)
  giveNotice(world, record, NONE)
}

/** Units that misses and faults charge for a deal whose settlement is complete. */
const unitsOf = (world: World, { start, faults, terms }: MarketRecord, end: Period): Periods => {
  const { provider } = terms
  const missed = unitsBefore(world, provider, end) - unitsBefore(world, provider, start)
  return periods(missed + faultyPeriods({ ...faults, until: undefined }, end))
}

export const closeDeal = (world: World, deal: DealId): void => {
  const record = knownDeal(world, deal)
  const { terms: of } = record
  if (record.closed) throw wrongState(deal, 'it is closed')
  const { end, lost } = endOf(world, record)
  if (world.currentPeriod < end) throw wrongState(deal, `it has not ended (${end})`)
  const final = finalBefore(world, of.provider)
  if (final < end) throw wrongState(deal, `its last period is not final (${end}, ${final})`)
  const settled = settleOne(world, record)
  const refunded = minus(record.deposit, gross(world, of, settled.proven))
  const figures = { ...of, period: world.network.period }
  const units = unitsOf(world, settled, end)
  const { replacementCost } = of
  const split = chargeSplit(figures, { units, lost, replacementCost })
  const { compensation, returned, forfeited } = split
  world.deals.set(deal, { ...settled, closed: true })
  world.emit({ kind: 'deal-closed', deal, refunded, returned, compensation, forfeited })
  payFee(world, of.token, forfeited)
  credit(world, of.token, of.client, amount(refunded + compensation))
  credit(world, of.token, of.provider, returned)
}

export const releaseSlot = (world: World, sender: Address, { deal, path }: SlotCall): void => {
  const record = knownDeal(world, deal)
  checkOperator(world, record.terms, sender)
  const { end } = endOf(world, record)
  if (world.currentPeriod < end) throw wrongState(deal, `it has not ended (${end})`)
  leaveTree(world, record, path)
}
