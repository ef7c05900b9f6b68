/**
 * The rules of DealMarket.sol on the in-memory state, in the contract's order: opening, settling, and
 * how a deal stands. What ends one is in endings.ts.
 */
import {
  type Address,
  type Amount,
  amount,
  costOf,
  type DealEnd,
  type DealFaults,
  type DealId,
  type DealTerms,
  dealEnd,
  dealIdOf,
  dealSpan,
  feeOf,
  foldFaults,
  type Hash32,
  HoldfastError,
  hash32,
  isFaulty,
  larger,
  leavesFor,
  minus,
  NO_FAULTS,
  PERIODS_MAX,
  type Period,
  type ProviderId,
  periods,
  recoverSigner,
  type Signature,
  type SlotLeaf,
  smaller,
  ZERO_ADDRESS,
} from '@holdfast/protocol'
import { type Deal, type DealState, type OpenDealParameters, signingDomain } from '../ledger.ts'
import { finalBefore, provenBetween } from './marks.ts'
import { knownProvider } from './registry.ts'
import { fillSlot, stateOf } from './trees.ts'
import { checkToken, debit, type MarketRecord, pay, type World } from './world.ts'

export const refusedTerms = (field: string, reason: string): HoldfastError =>
  new HoldfastError({ code: 'TERMS_INVALID', field, reason })

export const wrongState = (deal: DealId, reason: string): HoldfastError =>
  new HoldfastError({ code: 'DEAL_STATE', deal, reason })

/** @throws HoldfastError `DEAL_NOT_FOUND`. */
export const knownDeal = (world: World, deal: DealId): MarketRecord => {
  const record = world.deals.get(deal)
  if (record === undefined) throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal })
  return record
}

export const leafOf = ({ id, terms: { scheme, root, length } }: MarketRecord): SlotLeaf => ({
  deal: id,
  scheme,
  root,
  leaves: leavesFor(length),
})

export const gross = (world: World, of: DealTerms, proven: bigint): Amount =>
  costOf({ rate: of.rate, period: world.network.period, periods: periods(proven) })

const ONE = periods(1n)

/** Periods have 32 bits on chain. */
export const checkEnd = (end: Period): Period => {
  if (end <= PERIODS_MAX) return end
  throw refusedTerms('periods', 'the market does not take it')
}

const checkTerms = (world: World, of: DealTerms): void => {
  if (world.time > of.openBefore) throw refusedTerms('openBefore', 'it is over')
  if (of.scheme !== 1) throw refusedTerms('scheme', 'the market does not take it')
  if (of.client === ZERO_ADDRESS) throw refusedTerms('client', 'the market does not take it')
  if (of.periods === 0n) throw refusedTerms('periods', 'the market does not take it')
  leavesFor(of.length)
  const needed = gross(world, of, larger(ONE, smaller(of.periods, of.notice)))
  if (of.deposit < needed) throw refusedTerms('deposit', 'it does not pay for the notice')
}

const signerOf = (digest: Hash32, signature: Signature): Address => {
  try {
    return recoverSigner(digest, signature)
  } catch (cause) {
    if (HoldfastError.is(cause, 'SIGNATURE_INVALID')) return ZERO_ADDRESS
    throw cause
  }
}

/** Both parties signed the digest. */
export const checkSignatures = (
  world: World,
  { client, provider }: Pick<DealTerms, 'client' | 'provider'>,
  digest: Hash32,
  signatures: { readonly client: Signature; readonly operator: Signature },
): void => {
  const { operator } = knownProvider(world, provider)
  const signer = signerOf(digest, signatures.operator)
  if (signer !== operator) {
    throw new HoldfastError({ code: 'SIGNATURE_INVALID', expected: operator, actual: signer })
  }
  if (signerOf(digest, signatures.client) !== client) {
    const actual = 'a signature that it did not make'
    throw new HoldfastError({ code: 'SIGNATURE_INVALID', expected: client, actual })
  }
}

const checkAccepting = (world: World, provider: ProviderId): void => {
  if (knownProvider(world, provider).accepting) return
  const reason = 'it takes no new deals'
  throw new HoldfastError({ code: 'PROVIDER_STATE', provider, reason })
}

export const openDeal = (world: World, open: OpenDealParameters): void => {
  const { terms: of, path } = open
  const id = dealIdOf(of, signingDomain(world.network))
  if (world.deals.has(id)) throw new HoldfastError({ code: 'DEAL_EXISTS', deal: id })
  checkTerms(world, of)
  checkAccepting(world, of.provider)
  const signatures = { client: open.clientSignature, operator: open.providerSignature }
  // The id is the digest that both parties sign.
  checkSignatures(world, of, hash32(id), signatures)
  const { start, end } = dealSpan({ ...of, period: world.network.period }, world.currentPeriod)
  checkEnd(end)
  checkToken(world, of.token)
  const record: MarketRecord = {
    ...{ id, terms: of, slot: path.slot, start, ownEnd: end, noticeGiven: false },
    ...{ deposit: of.deposit, settledThrough: start, proven: 0n, faults: NO_FAULTS },
    ...{ inTree: true, closed: false },
  }
  world.deals.set(id, record)
  world.emit({ kind: 'deal-opened', deal: id, terms: of, slot: path.slot, start, end })
  debit(world, of.token, of.client, of.deposit)
  debit(world, of.token, of.provider, of.collateral)
  fillSlot(world, of.provider, path, leafOf(record))
}

/** Where a deal ends, and whether because its bytes are lost. */
export const endOf = (
  world: World,
  { terms: of, start, ownEnd, faults }: MarketRecord,
): DealEnd => {
  const { terminatedAt } = stateOf(world, of.provider)
  const { end, lost } = dealEnd(ownEnd, faults, terminatedAt)
  return { end: larger(end, start), lost }
}

/** Counts the marked periods of a range, up to the end of the provider. */
const accrued = (
  world: World,
  provider: ProviderId,
  range: { readonly from: Period; readonly to: Period },
): { readonly through: Period; readonly proven: bigint } => {
  const through = smaller(range.to, finalBefore(world, provider))
  const { terminatedAt } = stateOf(world, provider)
  const until = terminatedAt === undefined ? through : smaller(through, terminatedAt)
  const counted = provenBetween(world, provider, { from: range.from, to: until })
  return { through, proven: BigInt(counted.length) }
}

/** What a settlement finds: how far it goes, what is proven besides, and the fault it leaves. */
const progress = (
  world: World,
  { terms: { provider }, settledThrough: from, ownEnd, faults }: MarketRecord,
): { readonly through: Period; readonly more: bigint; readonly faults: DealFaults } => {
  const payEnd = faults.from === undefined ? ownEnd : smaller(faults.from, ownEnd)
  const first =
    from < payEnd ? accrued(world, provider, { from, to: payEnd }) : { through: from, proven: 0n }
  const { through, proven } = first
  const { until } = faults
  const crosses = through >= payEnd && until !== undefined && finalBefore(world, provider) >= until
  if (!crosses) return { through, more: proven, faults }
  const next = accrued(world, provider, { from: until, to: ownEnd })
  const folded = foldFaults(faults, until)
  return { through: next.through, more: proven + next.proven, faults: folded }
}

/** Brings a deal up to date and pays it. Nothing to pay is no error. */
export const settleOne = (world: World, record: MarketRecord): MarketRecord => {
  const { id, terms: of, settledThrough: from } = record
  const { through, more, faults } = progress(world, record)
  if (through <= from) {
    const same = { ...record, faults }
    world.deals.set(id, same)
    return same
  }
  const proven = record.proven + more
  const [before, after] = [gross(world, of, record.proven), gross(world, of, proven)]
  const { feeBps } = world.network
  const fee = amount(feeOf(after, feeBps) - feeOf(before, feeBps))
  const paid = amount(after - before)
  const settled = { ...record, proven, faults, settledThrough: through }
  world.deals.set(id, settled)
  world.emit({ kind: 'deal-settled', deal: id, through, paid, fee })
  pay(world, of, { toProvider: amount(paid - fee), fee })
  return settled
}

export const settle = (world: World, deals: readonly DealId[]): void => {
  for (const deal of deals) settleOne(world, knownDeal(world, deal))
}

const dealState = (world: World, record: MarketRecord, end: Period): DealState => {
  if (record.closed) return 'closed'
  if (world.currentPeriod >= end) return 'ended'
  return isFaulty(record.faults) ? 'faulty' : 'active'
}

/** A deal as the port shows it. */
export const dealView = (world: World, record: MarketRecord): Deal => {
  const paid = gross(world, record.terms, record.proven)
  const { end, lost } = endOf(world, record)
  return {
    id: record.id,
    terms: record.terms,
    state: dealState(world, record, end),
    slot: record.slot,
    start: record.start,
    end,
    settledThrough: record.settledThrough,
    deposit: record.deposit,
    escrow: record.closed ? amount(0n) : minus(record.deposit, paid),
    paid,
    faultedFrom: record.faults.from,
    recoveredAt: record.faults.until,
    lost: lost && world.currentPeriod >= end,
  }
}
