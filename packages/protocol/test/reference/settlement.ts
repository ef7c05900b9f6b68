/**
 * Settlement as docs/spec/settlement.md reads, a period and a unit at a time instead of by closed
 * formulas.
 */
import { hex, keccak, keccakText, uint, unhex } from './bytes.ts'

/** F(before): every block of thirty periods forgives two misses, each further one is three units. */
export const units = (missed: readonly bigint[], before: bigint): bigint => {
  let charged = 0n
  let inBlock = 0
  for (let p = 0n; p < before; p++) {
    if (p % 30n === 0n) inBlock = 0
    if (!missed.includes(p)) continue
    inBlock++
    if (inBlock > 2) charged += 3n
  }
  return charged
}

export interface Timing {
  readonly genesis: bigint
  readonly period: bigint
  readonly window: bigint
  readonly disputeTime: bigint
  readonly answerTime: bigint
}

const startOf = ({ genesis, period }: Timing, p: bigint): bigint => genesis + p * period

const finalFrom = (timing: Timing, p: bigint): bigint =>
  startOf(timing, p) + timing.window + timing.disputeTime

/** The first period that is not final yet when nothing is in dispute. */
export const finalBefore = (timing: Timing, now: bigint): bigint => {
  let p = 0n
  while (now >= finalFrom(timing, p)) p++
  return p
}

/** The last second at which a period can be disputed. */
export const disputesUntil = (timing: Timing, p: bigint): bigint =>
  finalFrom(timing, p) - timing.answerTime

/** From here on an audit that is still owed can be slashed: the period after it is over. */
export const auditDue = (timing: Timing, p: bigint): bigint => startOf(timing, p + 2n)

/** How many whole periods it takes to cover the answer time. */
export const usableNeeded = (timing: Timing): bigint => {
  let periods = 0n
  while (periods * timing.period < timing.answerTime) periods++
  return periods
}

/** What chance draws for a committed period; it is audited when the chance divides this. */
export const auditDraw = (provider: string, p: bigint, nextSeed: string): bigint =>
  BigInt(hex(keccak(keccakText('holdfast/audit/v1'), unhex(nextSeed), unhex(provider), uint(p, 8))))

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

export interface Closing {
  readonly deposit: bigint
  readonly paid: bigint
  readonly collateral: bigint
  /** Cost of the charged units, before the collateral limits it. */
  readonly charged: bigint
  readonly replacementCost: bigint
  readonly lost: boolean
}

export interface Split {
  readonly refund: bigint
  readonly compensation: bigint
  readonly returned: bigint
  readonly forfeited: bigint
}

/** Section 6: who gets what of a deal that is over, taken from the collateral one claim at a time. */
export const closing = (deal: Closing): Split => {
  const charge = least(deal.charged, deal.collateral)
  const seized = deal.lost ? deal.collateral : charge
  const half = charge - (charge % 2n)
  const claim = deal.lost ? seized : half / 2n
  const compensation = least(claim, deal.replacementCost)
  return {
    refund: deal.deposit - deal.paid,
    compensation,
    returned: deal.collateral - seized,
    forfeited: seized - compensation,
  }
}

/** Sections 2 and 3: what leaves the stake, and how it is halved. */
export const slash = (
  stake: bigint,
  most: bigint,
): { readonly slashed: bigint; readonly reward: bigint; readonly forfeited: bigint } => {
  const slashed = least(stake, most)
  const reward = (slashed - (slashed % 2n)) / 2n
  return { slashed, reward, forfeited: slashed - reward }
}
