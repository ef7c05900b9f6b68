/** The rules of DealMarket.sol on the in-memory state, in the contract's order. */
import {
  type Address,
  type Amount,
  amount,
  costOf,
  type DealId,
  type DealTerms,
  dealIdOf,
  feeOf,
  fundedPeriods,
  HoldfastError,
  larger,
  leavesFor,
  type Period,
  period,
  periods,
  recoverSigner,
  type Signature,
  type SlotLeaf,
  type SlotPath,
  smaller,
  ZERO_ADDRESS,
} from '@holdfast/protocol'
import { type Deal, type DealState, type OpenDealParameters, signingDomain } from '../ledger.ts'
import { fillSlot, finalThrough, freeSlot, isProven, provenBetween } from './proofs.ts'
import { knownProvider } from './registry.ts'
import { checkToken, credit, debit, type MarketRecord, pay, type World } from './world.ts'

const terms = (field: string, reason: string): HoldfastError =>
  new HoldfastError({ code: 'TERMS_INVALID', field, reason })

const wrongState = (deal: DealId, reason: string): HoldfastError =>
  new HoldfastError({ code: 'DEAL_STATE', deal, reason })

/** @throws HoldfastError `DEAL_NOT_FOUND`. */
export const knownDeal = (world: World, deal: DealId): MarketRecord => {
  const record = world.deals.get(deal)
  if (record === undefined) throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal })
  return record
}

const leafOf = ({ id, terms: { scheme, root, length } }: MarketRecord): SlotLeaf => ({
  deal: id,
  scheme,
  root,
  leaves: leavesFor(length),
})

const gross = (world: World, of: DealTerms, proven: bigint): Amount =>
  costOf({ rate: of.rate, period: world.network.period, periods: periods(proven) })

const checkTerms = (world: World, of: DealTerms): void => {
  if (world.time > of.openBefore) throw terms('openBefore', 'it is over')
  if (of.scheme !== 1) throw terms('scheme', 'the market does not take it')
  if (of.client === ZERO_ADDRESS) throw terms('client', 'the market does not take it')
  if (of.periods === 0n) throw terms('periods', 'the market does not take it')
  leavesFor(of.length)
  const needed = gross(world, of, smaller(of.periods, of.notice))
  if (of.deposit < needed) throw terms('deposit', 'it does not pay for the notice')
}

const signerOf = (deal: DealId, signature: Signature): Address => {
  try {
    // The id is the digest that both parties sign.
    return recoverSigner(deal as string as Parameters<typeof recoverSigner>[0], signature)
  } catch (cause) {
    if (HoldfastError.is(cause, 'SIGNATURE_INVALID')) return ZERO_ADDRESS
    throw cause
  }
}

const checkSignatures = (world: World, deal: DealId, open: OpenDealParameters): void => {
  const provider = knownProvider(world, open.terms.provider)
  if (!provider.accepting) {
    const reason = 'it takes no new deals'
    throw new HoldfastError({ code: 'PROVIDER_STATE', provider: provider.provider, reason })
  }
  const operator = signerOf(deal, open.providerSignature)
  if (operator !== provider.operator) {
    throw new HoldfastError({
      code: 'SIGNATURE_INVALID',
      expected: provider.operator,
      actual: operator,
    })
  }
  const client = signerOf(deal, open.clientSignature)
  if (client !== open.terms.client) {
    const actual = 'a signature that it did not make'
    throw new HoldfastError({ code: 'SIGNATURE_INVALID', expected: open.terms.client, actual })
  }
}

export const openDeal = (world: World, open: OpenDealParameters): void => {
  const { terms: of, path } = open
  const id = dealIdOf(of, signingDomain(world.network))
  if (world.deals.has(id)) throw new HoldfastError({ code: 'DEAL_EXISTS', deal: id })
  checkTerms(world, of)
  checkSignatures(world, id, open)
  checkToken(world, of.token)
  const start = period(world.currentPeriod + 1n)
  const funded = fundedPeriods({ ...of, period: world.network.period })
  const end = period(start + smaller(of.periods, funded))
  const record: MarketRecord = {
    ...{ id, terms: of, slot: path.slot, start, end, payEnd: end, settledThrough: start },
    ...{ proven: 0n, faulted: false, inTree: true, closed: false },
  }
  world.deals.set(id, record)
  world.emit({ kind: 'deal-opened', deal: id, terms: of, slot: path.slot, start, end })
  debit(world, of.token, of.client, of.deposit)
  debit(world, of.token, of.provider, of.collateral)
  fillSlot(world, of.provider, path, leafOf(record))
}

const checkOperator = (world: World, of: DealTerms, sender: Address): void => {
  const { operator } = knownProvider(world, of.provider)
  if (operator === sender) return
  const reason = `only the operator may (${operator}, ${sender})`
  throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
}

const leaveTree = (world: World, record: MarketRecord, path: SlotPath): void => {
  if (!record.inTree) throw wrongState(record.id, 'it is in no slot')
  world.deals.set(record.id, { ...record, inTree: false })
  freeSlot(world, record.terms.provider, { ...path, slot: record.slot }, leafOf(record))
}

/** A deal and a path in one parameter, as the operator's calls take them. */
export interface SlotCall {
  readonly deal: DealId
  readonly path: SlotPath
}

export const declareFault = (world: World, sender: Address, { deal, path }: SlotCall): void => {
  const record = knownDeal(world, deal)
  checkOperator(world, record.terms, sender)
  const current = world.currentPeriod
  if (record.faulted) throw wrongState(deal, 'it is faulty already')
  if (current >= record.end) throw wrongState(deal, `it has ended (${record.end})`)
  const isDone = isProven(world, record.terms.provider, current)
  const from = smaller(larger(isDone ? period(current + 1n) : current, record.start), record.end)
  const faulted = { ...record, faulted: true, payEnd: from }
  world.deals.set(deal, faulted)
  world.emit({ kind: 'deal-faulted', deal, period: from })
  leaveTree(world, faulted, path)
}

export const terminateDeal = (world: World, sender: Address, deal: DealId): void => {
  const record = knownDeal(world, deal)
  if (record.terms.client !== sender) {
    const reason = `only the client may (${record.terms.client}, ${sender})`
    throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
  }
  const current = world.currentPeriod
  if (current >= record.end) throw wrongState(deal, `it has ended (${record.end})`)
  const notice = record.faulted ? 0n : record.terms.notice
  const end = smaller(record.end, period(current + 1n + notice))
  world.deals.set(deal, { ...record, end, payEnd: smaller(record.payEnd, end) })
  world.emit({ kind: 'deal-terminated', deal, end })
}

/** Brings a deal up to date and pays it. Nothing to pay is no error. */
const settleOne = (world: World, record: MarketRecord): MarketRecord => {
  const { id, terms: of, settledThrough: from } = record
  if (from >= record.payEnd) return record
  const through = smaller(record.payEnd, finalThrough(world, of.provider))
  if (through <= from) return record
  const more = provenBetween(world, of.provider, { from, to: through }).length
  const proven = record.proven + BigInt(more)
  const [before, after] = [gross(world, of, record.proven), gross(world, of, proven)]
  const { feeBps } = world.network
  const fee = amount(feeOf(after, feeBps) - feeOf(before, feeBps))
  const paid = amount(after - before)
  const settled = { ...record, proven, settledThrough: through }
  world.deals.set(id, settled)
  world.emit({ kind: 'deal-settled', deal: id, through, paid, fee })
  pay(world, of, { toProvider: amount(paid - fee), fee })
  return settled
}

export const settle = (world: World, deals: readonly DealId[]): void => {
  for (const deal of deals) settleOne(world, knownDeal(world, deal))
}

export const closeDeal = (world: World, deal: DealId): void => {
  const record = knownDeal(world, deal)
  const { terms: of, end } = record
  if (record.closed) throw wrongState(deal, 'it is closed')
  if (world.currentPeriod < end) throw wrongState(deal, `it has not ended (${end})`)
  const final = finalThrough(world, of.provider)
  if (final < end) throw wrongState(deal, `its last period is not final (${end}, ${final})`)
  const settled = settleOne(world, record)
  const refunded = amount(of.deposit - gross(world, of, settled.proven))
  world.deals.set(deal, { ...settled, closed: true })
  world.emit({ kind: 'deal-closed', deal, refunded, returned: of.collateral })
  credit(world, of.token, of.client, refunded)
  credit(world, of.token, of.provider, of.collateral)
}

export const releaseSlot = (world: World, sender: Address, { deal, path }: SlotCall): void => {
  const record = knownDeal(world, deal)
  checkOperator(world, record.terms, sender)
  if (world.currentPeriod < record.end) throw wrongState(deal, `it has not ended (${record.end})`)
  leaveTree(world, record, path)
}

const stateOf = (world: World, record: MarketRecord): DealState => {
  if (record.closed) return 'closed'
  if (world.currentPeriod >= record.end) return 'ended'
  return record.faulted ? 'faulty' : 'active'
}

/** A deal as the port shows it. */
export const dealView = (world: World, record: MarketRecord): Deal => {
  const paid = gross(world, record.terms, record.proven)
  const faultedFrom: Period | undefined = record.faulted ? record.payEnd : undefined
  return {
    id: record.id,
    terms: record.terms,
    state: stateOf(world, record),
    slot: record.slot,
    start: record.start,
    end: record.end,
    settledThrough: record.settledThrough,
    escrow: record.closed ? amount(0n) : amount(record.terms.deposit - paid),
    paid,
    faultedFrom,
  }
}
