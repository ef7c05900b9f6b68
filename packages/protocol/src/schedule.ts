/**
 * When things happen: periods as half-open intervals of block time, their deadlines, and the drand
 * round that seeds each. Pure arithmetic; the chain's `NetworkParams` satisfies `ScheduleParams`.
 * Source: docs/spec/schedule.md. Twin: contracts/src/libraries/Schedule.sol.
 */
import { HoldfastError } from './errors.ts'
import { divUp, type Period, period, type Seconds, type Timestamp, timestamp } from './units.ts'

export interface ScheduleParams {
  /** The start of period 0. */
  readonly genesis: Timestamp
  /** The length of a period, P. */
  readonly period: Seconds
  /** An answer must be on chain before start(p) + window. */
  readonly window: Seconds
  /** A period's drand round is the first at least this long after the period's start. */
  readonly seedDelay: Seconds
  readonly drand: { readonly genesis: Timestamp; readonly period: Seconds }
}

/**
 * The period whose interval [start, start + P) holds `at`.
 * @throws HoldfastError `UNIT_INVALID` before genesis.
 */
export const periodAt = (params: ScheduleParams, at: Timestamp): Period => {
  if (at < params.genesis) {
    throw new HoldfastError({ code: 'UNIT_INVALID', unit: 'time since genesis', value: `${at}` })
  }
  return period((at - params.genesis) / params.period)
}

/** The first second of a period. */
export const periodStart = (params: ScheduleParams, of: Period): Timestamp =>
  timestamp(params.genesis + of * params.period)

/** The first second at which a period can no longer be proven: start + window, itself too late. */
export const periodDeadline = (params: ScheduleParams, of: Period): Timestamp =>
  timestamp(periodStart(params, of) + params.window)

/** The drand round that seeds a period: the first at least `seedDelay` after its start. From 1. */
export const roundFor = (params: ScheduleParams, of: Period): bigint => {
  const notBefore = periodStart(params, of) + params.seedDelay
  if (notBefore <= params.drand.genesis) return 1n
  return divUp(notBefore - params.drand.genesis, params.drand.period) + 1n
}

/**
 * When a drand round is published.
 * @throws HoldfastError `UNIT_INVALID` for round 0: rounds count from 1.
 */
export const roundTime = (params: ScheduleParams, round: bigint): Timestamp => {
  if (round < 1n) {
    throw new HoldfastError({ code: 'UNIT_INVALID', unit: 'drand round', value: `${round}` })
  }
  return timestamp(params.drand.genesis + (round - 1n) * params.drand.period)
}
