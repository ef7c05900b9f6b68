/**
 * Earnings over time: what the proofs of each stretch of periods earned, what gas was spent and what
 * bytes were read in it. A stretch is as many whole periods as fit a
 * day, or a single period where periods are short.
 *
 * Invariant: over all stretches from a deal's start on, its earnings add up to exactly what the
 * contracts pay for its proven periods.
 */
import type { NetworkParams } from '@holdfast/chain'
import {
  type Bytes,
  bytes,
  type Period,
  period,
  periodStart,
  type Seconds,
  type Timestamp,
} from '@holdfast/protocol'
import type { PeriodAccount, Wei } from './account-types.ts'
import type { Accounts } from './accounts.ts'
import {
  countBelow,
  earnedBefore,
  figuresOf,
  type ProofRecord,
  type RevenueDeal,
} from './revenue.ts'

export interface SeriesInput {
  readonly deals: readonly RevenueDeal[]
  readonly record: ProofRecord
  readonly network: NetworkParams
  readonly accounts: Pick<Accounts, 'periods'> | undefined
}

export interface Stretch {
  /** Periods from <= p < to. */
  readonly from: Period
  readonly to: Period
  /** When the first of them began. */
  readonly at: Timestamp
  /** The fee taken off, settled or not. */
  readonly earned: bigint
  readonly gas: Wei
  readonly egress: Bytes
  readonly proven: number
  readonly missed: number
}

export interface EarningsSeries {
  readonly by: 'day' | 'period'
  readonly stretches: readonly Stretch[]
}

/** What a series covers: whole stretches up to and with the current period. */
export interface Window {
  readonly by: 'day' | 'period'
  readonly now: Period
  readonly stretches: number
}

const DAY = 86_400n
const HOUR = 3600n
const STRETCHES = 60
/** Deals summed up before other work may run. */
const SLICE = 500

/** Days where a period is long, periods where it is short. */
export const windowFor = (
  length: Seconds,
  now: Period,
  by: 'day' | 'period' = length >= HOUR ? 'day' : 'period',
): Window => ({ by, now, stretches: STRETCHES })

/** The first periods of the stretches, and the end of the last. */
const bounds = ({ by, now, stretches }: Window, length: Seconds): readonly Period[] => {
  const step = by === 'day' && length < DAY ? DAY / length : 1n
  const last = now / step
  const first = last - BigInt(stretches) + 1n
  const starts: Period[] = []
  for (let index = first < 0n ? 0n : first; index <= last + 1n; index++) {
    starts.push(period(index * step))
  }
  return starts
}

export const seriesOf = async (input: SeriesInput, window: Window): Promise<EarningsSeries> => {
  const { deals, record, network, accounts } = input
  const starts = bounds(window, network.period)
  const earned = starts.map(() => 0n)
  for (const [i, deal] of deals.entries()) {
    if (i % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve))
    const figures = figuresOf(deal, network)
    for (const [at, start] of starts.entries()) {
      const sum = earnedBefore(deal, figures, record.proven, start)
      earned[at] = (earned[at] ?? 0n) + sum
    }
  }
  const from = starts[0] ?? window.now
  const to = starts.at(-1) ?? window.now
  const booked = (await accounts?.periods(from, to)) ?? []
  const stretches = starts.slice(0, -1).map((start, i): Stretch => {
    const end = starts[i + 1] ?? start
    return {
      ...{ from: start, to: end, at: periodStart(network, start) },
      earned: (earned[i + 1] ?? 0n) - (earned[i] ?? 0n),
      ...sumOf(booked.filter(({ period: of }) => of >= start && of < end)),
      proven: countBelow(record.proven, end) - countBelow(record.proven, start),
    }
  })
  return { by: window.by, stretches }
}

const sumOf = (accounts: readonly PeriodAccount[]): Pick<Stretch, 'gas' | 'egress' | 'missed'> => ({
  gas: accounts.reduce((sum, { gas }) => sum + gas, 0n),
  egress: bytes(accounts.reduce((sum, { egress }) => sum + egress, 0n)),
  missed: accounts.filter(({ outcome }) => outcome === 'missed').length,
})
