/**
 * What a transaction offers for gas, as pure arithmetic: from the market, the share of its time that
 * is over, and what it may cost. EIP-1559 only.
 *
 *   offer(u) = { tip: market tip x 50^u, fee: (2 + 6u) x base + tip },  0 <= u <= 1
 *   fee <= (1 + u)/2 of the cap, or what the next block asks when that is more and within the cap
 *
 * At u = 0 the base fee may double before the next look; at u = 1 it may grow eightfold. What is not
 * needed of the fee is never charged; the tip is, so it rises late and by a bounded factor. The cap is
 * not offered at once: a replacement offers more on both fees, so what has offered all of its budget
 * with a small tip can never raise the tip (the simulation missed proofs by that). What leaves no room
 * for another eighth is the last word, so it tips at once what the greatest urgency would:
 *
 *   tip = 50 x market tip, at least base / 16, within the fee
 *
 * Invariants: tip <= fee <= cap; a replacement offers at least an eighth more on both; more urgency
 * never offers less.
 */

/** Per gas, in wei. */
export interface Offer {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

export interface Market {
  /** Base fee of the next block. */
  readonly base: bigint
  /** What others tip now. */
  readonly tip: bigint
}

/** Nodes ask 10 % for replacing; some 12.5 %. */
const BUMP_DIVISOR = 8n
const TIP_RISE_MAX = 50
/** Where a block costs this much, others may soon tip a sixteenth of it. */
const LAST_TIP_DIVISOR = 16n
const MILLION = 1_000_000n

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** The least that replaces a fee. */
export const bumped = (fee: bigint): bigint =>
  fee + most(1n, (fee + BUMP_DIVISOR - 1n) / BUMP_DIVISOR)

/** 50^u in millionths. */
const rise = (urgency: number): bigint => BigInt(Math.round(TIP_RISE_MAX ** urgency * 1e6))

/**
 * The offer at an urgency, within the cap.
 * @param cap wei per gas; undefined for none.
 */
export const offerAt = (market: Market, urgency: number, cap: bigint | undefined): Offer => {
  const u = Math.min(1, Math.max(0, urgency))
  const share = BigInt(Math.round(u * 1e6))
  const wanted = (market.tip * rise(u)) / MILLION
  const fee = (market.base * (2n * MILLION + 6n * share)) / MILLION + wanted
  if (cap === undefined) return { maxFeePerGas: fee, maxPriorityFeePerGas: wanted }
  const held = (cap * (MILLION + share)) / (2n * MILLION)
  const needed = market.base + market.base / BUMP_DIVISOR + market.tip
  const maxFeePerGas = least(fee, needed > cap ? held : most(held, needed))
  // What is paid is cut by the fee anyway: a tip may be as high.
  return asLastWord(
    { maxFeePerGas, maxPriorityFeePerGas: least(wanted, maxFeePerGas) },
    market,
    cap,
  )
}

/** The same, with the tip of a last word when no replacement could follow within the cap. */
const asLastWord = (offer: Offer, { base, tip }: Market, cap: bigint): Offer => {
  const { maxFeePerGas, maxPriorityFeePerGas } = offer
  if (bumped(maxFeePerGas) <= cap) return offer
  const last = least(maxFeePerGas, most(tip * BigInt(TIP_RISE_MAX), base / LAST_TIP_DIVISOR))
  return { maxFeePerGas, maxPriorityFeePerGas: most(maxPriorityFeePerGas, last) }
}

/** True when the next block would take it and pay its miner no less than others do. */
export const isAttractive = (
  { maxFeePerGas, maxPriorityFeePerGas }: Offer,
  market: Market,
): boolean => maxPriorityFeePerGas >= market.tip && maxFeePerGas >= market.base + market.tip

/** True when the cap is below what the next block asks: only a falling base fee helps. */
export const isShort = (market: Market, cap: bigint | undefined): boolean =>
  cap !== undefined && cap < market.base + market.tip

/**
 * What replaces `last` when `wanted` would be offered today; undefined when `last` is good enough, or
 * when no replacement fits the cap.
 */
export const replacementFor = (
  last: Offer,
  wanted: Offer,
  market: Market,
  cap: bigint | undefined,
): Offer | undefined => {
  const rises = wanted.maxPriorityFeePerGas >= bumped(last.maxPriorityFeePerGas)
  if (!rises && isAttractive(last, market)) return undefined
  return dearer(last, wanted, market, cap)
}

/** `wanted`, raised to what a node accepts in place of `last`; undefined when that passes the cap. */
export const dearer = (
  last: Offer,
  wanted: Offer,
  market: Market,
  cap: bigint | undefined,
): Offer | undefined => {
  const tip = most(wanted.maxPriorityFeePerGas, bumped(last.maxPriorityFeePerGas))
  const fee = most(most(wanted.maxFeePerGas, bumped(last.maxFeePerGas)), tip)
  if (cap === undefined) return { maxFeePerGas: fee, maxPriorityFeePerGas: tip }
  if (fee <= cap) return asLastWord({ maxFeePerGas: fee, maxPriorityFeePerGas: tip }, market, cap)
  const leastFee = bumped(last.maxFeePerGas)
  const leastTip = bumped(last.maxPriorityFeePerGas)
  if (leastFee > cap || leastTip > cap) return undefined
  return asLastWord({ maxFeePerGas: cap, maxPriorityFeePerGas: least(tip, cap) }, market, cap)
}

/**
 * How urgent: 0 when it begins, 1 when half of the time until the deadline is over.
 * @param openEnded seconds that count as the whole time of something without a deadline.
 */
export const urgencyAt = (
  time: { readonly since: bigint; readonly now: bigint; readonly deadline: bigint | undefined },
  openEnded: bigint,
): number => {
  const until = time.deadline ?? time.since + 2n * openEnded
  const half = Number(until - time.since) / 2
  if (half <= 0) return 1
  return Math.min(1, Math.max(0, Number(time.now - time.since) / half))
}
