/**
 * Money as its definitions read, by exact fractions and by search instead of closed formulas.
 */

/** The largest n >= 0 with n x below <= above: floor by long division in base 10. */
export const floorDiv = (above: bigint, below: bigint): bigint => {
  let rest = 0n
  let quotient = 0n
  for (const digit of above.toString()) {
    rest = rest * 10n + BigInt(digit)
    let times = 0n
    while (rest >= below) {
      rest -= below
      times++
    }
    quotient = quotient * 10n + times
  }
  return quotient
}

const SCALE = 1_000_000_000_000n
const TIB = 1_099_511_627_776n
const MONTH = 2_592_000n

export const rate = (length: bigint, price: bigint, fee: bigint): bigint =>
  floorDiv((price * length + fee * TIB) * SCALE, TIB * MONTH)

export const cost = (perSecond: bigint, period: bigint, periods: bigint): bigint =>
  floorDiv(perSecond * period * periods, SCALE)

/** By bisection: the last n up to 2^32 - 1 that the deposit still covers. */
export const funded = (deposit: bigint, perSecond: bigint, period: bigint): bigint => {
  let enough = 0n
  let tooMuch = 1n << 32n
  while (tooMuch - enough > 1n) {
    const middle = (enough + tooMuch) / 2n
    if (cost(perSecond, period, middle) <= deposit) enough = middle
    else tooMuch = middle
  }
  return enough
}

export const fee = (paid: bigint, bps: bigint): bigint => floorDiv(paid * bps, 10_000n)
