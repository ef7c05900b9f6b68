/**
 * Prices, funding, payouts and the schedule, from definitions evaluated by search and long division.
 */
import { money } from './reference.mjs'

const TIB = 1n << 40n
const strings = (record) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, String(value)]))

const smaller = (a, b) => [a, b].sort((x, y) => (x < y ? -1 : 1))[0]

export const pricing = () => {
  const cases = []
  for (const length of [1n, 1024n, 3_000_001n, TIB / 1024n, TIB - 1n, TIB, 1n << 50n]) {
    for (const [price, fee] of [
      [0n, 0n],
      [1n, 0n],
      [0n, 1n],
      [2_500_000n, 10_000n],
      [(1n << 64n) - 1n, 123_456_789n],
    ]) {
      const rate = money.rate(length, price, fee)
      const period = cases.length % 2 === 0 ? 86_400n : 20n
      const periods = [1n, 30n, 360n, 4_294_967_295n][cases.length % 4]
      const cost = money.cost(rate, period, periods)
      cases.push(
        strings({
          length,
          pricePerTibMonth: price,
          provingFeeMonth: fee,
          rate,
          period,
          periods,
          cost,
          costTwice: money.cost(rate, period, 2n * periods),
          collateral: money.cost(rate, period, 90n),
          feeBps: 500n,
          fee: money.fee(cost, 500n),
        }),
      )
    }
  }
  return cases
}

export const funding = () => {
  const cases = []
  for (const rate of [
    0n,
    1n,
    999_999_999_999n,
    1_000_000_000_000n,
    3_617_123_456_789n,
    1n << 100n,
  ]) {
    for (const period of [20n, 86_400n]) {
      const three = money.cost(rate, period, 3n)
      for (const deposit of [
        0n,
        1n,
        three,
        three + 1n,
        three === 0n ? 0n : three - 1n,
        10n ** 15n,
      ]) {
        cases.push(strings({ rate, period, deposit, funded: money.funded(deposit, rate, period) }))
      }
    }
  }
  return cases
}

/** One settlement of one deal, from `settled` to `proven` periods, and its closing at that point. */
const settlement = (deal, settled, proven) => {
  const totalOf = (count) => money.cost(deal.rate, deal.period, count)
  const feeAt = (count) => money.fee(totalOf(count), deal.feeBps)
  const paid = totalOf(proven) - totalOf(settled)
  const fee = feeAt(proven) - feeAt(settled)
  return strings({
    ...deal,
    settled,
    proven,
    paid,
    fee,
    toProvider: paid - fee,
    paidTotal: totalOf(proven),
    feeTotal: feeAt(proven),
    refund: deal.deposit - totalOf(proven),
  })
}

export const accounting = () => {
  const cases = []
  for (const [rate, period, periods, extra] of [
    [1n, 86_400n, 30n, 0n],
    [999_999_999n, 20n, 12n, 5n],
    [3_617_123_456_789n, 86_400n, 360n, 0n],
    [3_617_123_456_789n, 86_400n, 360n, -1n],
    [41_666_666_666n, 20n, 90n, 1_000_000n],
    [1n << 90n, 86_400n, 7n, 0n],
  ]) {
    const full = money.cost(rate, period, periods)
    const deposit = full + extra < 0n ? 0n : full + extra
    const funded = money.funded(deposit, rate, period)
    const counted = smaller(funded, periods)
    const opened = 41n
    const deal = {
      rate,
      period,
      periods,
      deposit,
      collateral: money.cost(rate, period, 90n),
      feeBps: 500n,
      opened,
      start: opened + 1n,
      end: opened + 1n + counted,
    }
    const marks = [0n, 1n, 2n, counted / 2n, counted].filter((mark) => mark <= counted)
    for (let i = 1; i < marks.length; i++) {
      if (marks[i] < marks[i - 1]) continue
      cases.push(settlement(deal, marks[i - 1], marks[i]))
    }
    cases.push(settlement(deal, 0n, counted), settlement(deal, counted, counted))
  }
  return cases
}

/** The first round at least `delay` after the start, found by counting up. */
const firstRound = (notBefore, drand) => {
  let round = 1n
  while (drand.genesis + (round - 1n) * drand.period < notBefore) round++
  return round
}

export const schedules = () => {
  const cases = []
  for (const params of [
    {
      genesis: 1_000n,
      period: 20n,
      window: 15n,
      seedDelay: 1n,
      drandGenesis: 900n,
      drandPeriod: 1n,
    },
    {
      genesis: 1_000n,
      period: 20n,
      window: 15n,
      seedDelay: 0n,
      drandGenesis: 1_500n,
      drandPeriod: 3n,
    },
    {
      genesis: 1_800_000_000n,
      period: 86_400n,
      window: 14_400n,
      seedDelay: 30n,
      drandGenesis: 1_799_999_000n,
      drandPeriod: 3n,
    },
  ]) {
    for (const after of [0n, 1n, params.period - 1n, params.period, 3n * params.period + 7n]) {
      const at = params.genesis + after
      let index = 0n
      while (params.genesis + (index + 1n) * params.period <= at) index++
      const start = params.genesis + index * params.period
      const drand = { genesis: params.drandGenesis, period: params.drandPeriod }
      const round = firstRound(start + params.seedDelay, drand)
      cases.push(
        strings({
          ...params,
          at,
          index,
          start,
          deadline: start + params.window,
          round,
          roundTime: drand.genesis + (round - 1n) * drand.period,
        }),
      )
    }
  }
  return cases
}
