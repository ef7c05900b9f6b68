/**
 * What missed periods and lost bytes cost, in units: one unit is one period's pay of a deal. Pure.
 * Source: docs/spec/settlement.md, sections 4 to 6. Twins: contracts/src/ProofLedger.sol (misses)
 * and DealMarket.sol (faults of deals).
 */
import { invariant } from '../errors.ts'
import { type Period, type Periods, period, periods, plus, smaller } from '../units.ts'

/** Misses are counted in blocks of this many periods ... */
export const MISS_BLOCK = 30n
/** ... of which this many are free ... */
export const FREE_MISSES = 2n
/** ... and each further one charges this many units. */
export const UNITS_PER_MISS = 3n
/** Periods missed in a row end all deals; periods of fault end a deal. */
export const PERIODS_TO_AN_END: Periods = periods(14n)

const chargeOf = (misses: bigint): bigint =>
  misses > FREE_MISSES ? UNITS_PER_MISS * (misses - FREE_MISSES) : 0n

/**
 * F(before): all units charged to a provider before a period, from its written-down misses. Order
 * does not matter; each period counts once.
 */
export const missUnits = (missed: Iterable<Period>, before: Period): bigint => {
  const blocks = new Map<bigint, bigint>()
  for (const p of new Set(missed)) {
    if (p >= before) continue
    const block = p / MISS_BLOCK
    blocks.set(block, (blocks.get(block) ?? 0n) + 1n)
  }
  let units = 0n
  for (const misses of blocks.values()) units += chargeOf(misses)
  return units
}

/** Units that missed periods cost a deal: F(end) - F(start). */
export const missUnitsBetween = (
  missed: Iterable<Period>,
  span: { readonly start: Period; readonly end: Period },
): bigint => {
  const all = [...missed]
  return missUnits(all, span.end) - missUnits(all, span.start)
}

/**
 * The faulty time of a deal. Only one interval [from, until) is kept at a time; earlier ones, once
 * settled, are a sum.
 */
export interface DealFaults {
  /** Settled faulty periods. */
  readonly counted: Periods
  /** The first unpaid period of the interval that is kept; undefined when there is none. */
  readonly from: Period | undefined
  /** The first period of the present fault, which a widened interval began before. */
  readonly since: Period | undefined
  /** The first period that is paid again; undefined while the deal is faulty. */
  readonly until: Period | undefined
  /** While the deal is faulty: `until` of the interval that this fault widened, if it did. */
  readonly before: Period | undefined
}

export const NO_FAULTS: DealFaults = {
  counted: periods(0n),
  from: undefined,
  since: undefined,
  until: undefined,
  before: undefined,
}

/** True while the deal is out of its provider's tree because its bytes are lost. */
export const isFaulty = (faults: DealFaults): boolean => faults.since !== undefined

/** Moves an interval that is over and settled into the sum. */
export const foldFaults = (faults: DealFaults, settledThrough: Period): DealFaults => {
  const { from, until, counted } = faults
  if (from === undefined || until === undefined || settledThrough < until) return faults
  return { ...NO_FAULTS, counted: plus(counted, periods(until - from)) }
}

/**
 * A fault from `from` on. One that is recovered but not folded away (`foldFaults`, by a settlement) is
 * widened, for the payer.
 */
export const withFault = (faults: DealFaults, from: Period): DealFaults => {
  invariant(!isFaulty(faults), 'a faulty deal is not declared faulty again')
  const { until: before } = faults
  return { ...faults, from: faults.from ?? from, since: from, until: undefined, before }
}

/**
 * Recovered: paid from `until` on. A fault that has not begun by then never was: it leaves what was
 * there before it, an earlier interval or none.
 */
export const withRecovery = (faults: DealFaults, until: Period): DealFaults => {
  const { since, before, counted } = faults
  invariant(since !== undefined, 'a deal that is not faulty is not recovered')
  const sound = { ...faults, since: undefined, before: undefined }
  if (since < until) return { ...sound, until }
  return before === undefined ? { ...NO_FAULTS, counted } : { ...sound, until: before }
}

/** Where a deal ends, and whether because its bytes are lost. */
export interface DealEnd {
  readonly end: Period
  /** It was faulty for 14 periods, or its provider was terminated at or before its own end. */
  readonly lost: boolean
}

/**
 * The smallest of the deal's own end, 14 periods of fault, and the end of its provider.
 * @param own by term, funding, notice or consent.
 */
export const dealEnd = (
  own: Period,
  faults: DealFaults,
  terminatedAt: Period | undefined,
): DealEnd => {
  const { since } = faults
  const worn = since === undefined ? undefined : period(since + PERIODS_TO_AN_END)
  const gone = worn !== undefined && worn <= own
  const orphaned = terminatedAt !== undefined && terminatedAt <= own
  let end = own
  if (gone) end = smaller(end, worn)
  if (orphaned) end = smaller(end, terminatedAt)
  return { end, lost: gone || orphaned }
}

/** Faulty periods inside start <= p < end. */
export const faultyPeriods = (faults: DealFaults, end: Period): Periods => {
  const { from, until, counted } = faults
  if (from === undefined || from >= end) return counted
  return plus(counted, periods(smaller(until ?? end, end) - from))
}
