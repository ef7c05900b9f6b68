/**
 * What the ledger says about a dataset: its replicas, which periods each has proven, how long the
 * money lasts. Read from the chain alone; no provider is asked and nothing is believed.
 */
import type { Deal, DealState, LedgerReader, NetworkParams } from '@holdfast/chain'
import {
  type Address,
  type Amount,
  type CallOptions,
  type Clock,
  HoldfastError,
  larger,
  milliseconds,
  type Period,
  period,
  periodAt,
  periodDeadline,
  periodStart,
  type Seconds,
  smaller,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import { datasetDigest } from './publish/terms.ts'

export interface ReplicaStatus {
  readonly deal: Deal
  readonly state: DealState
  /** Counted periods that are proven, oldest first. */
  readonly proven: readonly Period[]
  /** Counted periods whose deadline has passed without a proof. */
  readonly missed: readonly Period[]
  /** Until the deal's end, which its funding covers. */
  readonly runway: Seconds
}

export interface DatasetStatus {
  readonly network: NetworkParams
  readonly now: Timestamp
  readonly period: Period
  readonly replicas: readonly ReplicaStatus[]
}

export interface StatusRequest {
  readonly root: CID
  /** Shows this account's deals only, when it has any for the dataset. */
  readonly account: Address | undefined
}

/** @throws HoldfastError `DATASET_NOT_FOUND`. */
export const datasetStatus = async (
  ledger: LedgerReader,
  { root, account }: StatusRequest,
  { clock, ...options }: CallOptions & { readonly clock: Clock },
): Promise<DatasetStatus> => {
  const all = await ledger.deals({ dataset: datasetDigest(root) }, options)
  const own = all.filter(({ terms }) => terms.client === account)
  const deals = own.length > 0 ? own : all
  if (deals.length === 0) {
    throw new HoldfastError({ code: 'DATASET_NOT_FOUND', dataset: root.toString() })
  }
  const { network } = ledger
  const { timestamp: tip } = await ledger.tip(options)
  const wall = timestamp(Math.floor(clock.now() / 1000))
  const now = larger(tip, wall)
  const replicas = await Promise.all(
    deals.map((deal) => replicaStatus(ledger, deal, { now, ...options })),
  )
  return { network, now, period: periodAt(network, now), replicas }
}

const replicaStatus = async (
  ledger: LedgerReader,
  deal: Deal,
  { now, ...options }: CallOptions & { readonly now: Timestamp },
): Promise<ReplicaStatus> => {
  const { network } = ledger
  const { provider } = deal.terms
  const through = smaller(countedEnd(deal), period(periodAt(network, now) + 1n))
  const proven =
    through > deal.start ? await ledger.proven(provider, deal.start, through, options) : []
  const known = new Set(proven)
  const missed: Period[] = []
  for (let p = deal.start; p < through; p = period(p + 1n)) {
    if (!known.has(p) && periodDeadline(network, p) <= now) missed.push(p)
  }
  const ends = periodStart(network, deal.end)
  const runway = (ends > now && deal.state === 'active' ? ends - now : 0n) as Seconds
  return { deal, state: deal.state, proven, missed, runway }
}

/** A faulty deal counts no period from its fault on. */
const countedEnd = ({ end, faultedFrom }: Deal): Period =>
  faultedFrom !== undefined && faultedFrom < end ? faultedFrom : end

export type WaitGoal = 'stored' | 'proven'

export interface WaitOptions extends CallOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  /** Told about each look that was not enough. */
  readonly onLook?: (status: DatasetStatus) => void
}

const LOOK_MS = 500

/** A closed deal is history; the others must all have arrived where the caller waits for them. */
const reached = ({ replicas }: DatasetStatus, goal: WaitGoal): boolean => {
  const live = replicas.filter(({ state }) => state === 'active')
  if (live.length === 0) return false
  return goal === 'stored' || live.every(({ proven }) => proven.length > 0)
}

/**
 * Waits until every active replica is stored (its deal is open) or proven (at least one period).
 * @throws HoldfastError `TIMED_OUT`.
 */
export const waitForStatus = async (
  ledger: LedgerReader,
  request: StatusRequest & { readonly goal: WaitGoal },
  { clock, timeoutMs, onLook, ...options }: WaitOptions,
): Promise<DatasetStatus> => {
  const end = clock.now() + timeoutMs
  for (;;) {
    const status = await lookQuietly(ledger, request, { clock, ...options })
    if (status !== undefined && reached(status, request.goal)) return status
    if (status !== undefined) onLook?.(status)
    if (clock.now() >= end) {
      const what = `${request.root.toString()} to be ${request.goal}`
      throw new HoldfastError({ code: 'TIMED_OUT', what, afterMs: timeoutMs })
    }
    await clock.sleep(milliseconds(LOOK_MS), options)
  }
}

/** A dataset that is not there yet is waited for like one that is not proven yet. */
const lookQuietly = async (
  ledger: LedgerReader,
  request: StatusRequest,
  options: CallOptions & { readonly clock: Clock },
): Promise<DatasetStatus | undefined> => {
  try {
    return await datasetStatus(ledger, request, options)
  } catch (error) {
    if (HoldfastError.is(error, 'DATASET_NOT_FOUND')) return undefined
    throw error
  }
}

/** Sum of what was paid so far, fee included. */
export const paidSoFar = ({ replicas }: DatasetStatus): Amount =>
  replicas.reduce((sum, { deal }) => (sum + deal.paid) as Amount, 0n as Amount)
