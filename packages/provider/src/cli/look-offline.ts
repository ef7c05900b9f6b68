/**
 * What can be said of a provider whose node is down: the ledger's view, with gas and egress from the
 * node's books where they can be read.
 */
import type { Deal, LedgerReader, NetworkFile } from '@holdfast/chain'
import {
  feeOf,
  HoldfastError,
  type Period,
  period,
  periodAt,
  periodDeadline,
  silentLogger,
  smaller,
  timestamp,
} from '@holdfast/protocol'
import type { ProviderConfig } from '../config.ts'
import { Accounts } from '../earnings/accounts.ts'
import { type EarningDeal, type Earnings, earningsOf } from '../earnings/earnings.ts'
import { finalThroughOf, type ProofRecord } from '../earnings/revenue.ts'
import { windowFor } from '../earnings/series.ts'
import type { HomePaths } from '../home.ts'
import { safeToStop } from '../status/safe-to-stop.ts'

/** A home whose node is down, and the ledger. */
export interface Offline {
  readonly paths: HomePaths
  readonly config: ProviderConfig
  readonly network: NetworkFile
  readonly ledger: LedgerReader
}

interface Tip {
  readonly time: bigint
  readonly now: Period
  readonly deadline: bigint
  readonly proven: boolean
}

const tipOf = async ({ ledger, network, config }: Offline): Promise<Tip> => {
  const { timestamp: time } = await ledger.tip()
  const now = periodAt(network, time)
  const proven = await ledger.proven(config.provider, now, period(now + 1n))
  return { time, now, deadline: periodDeadline(network, now), proven: proven.length > 0 }
}

export const offlineStatus = async (offline: Offline): Promise<object> => {
  const { ledger, config, network } = offline
  const { provider, token } = config
  const record = await ledger.provider(provider)
  if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
  const { time, now, deadline, proven } = await tipOf(offline)
  const { weight } = await ledger.snapshot(provider, now)
  const counts = { accepted: 0, active: 0, faulty: 0, ended: 0, closed: 0 }
  for (const { state } of await ledger.deals({ provider })) counts[state]++
  const stop = safeToStop({
    ...{ schedule: network, time: timestamp(time), period: now, weight, nextWeight: weight },
    ...{ proven, inFlight: [], openBefore: undefined, unsure: undefined },
  })
  return {
    provider,
    operator: record.operator,
    region: record.region,
    endpoint: record.endpoint,
    accepting: record.accepting,
    chain: { time, period: now, deadline, proven, weight },
    safeToStop: stop,
    wallet: {
      gas: await ledger.gasBalance(record.operator),
      vault: await ledger.balance(provider, token),
      stake: record.stake,
    },
    deals: counts,
  }
}

const earningDeal = (deal: Deal, feeBps: number): EarningDeal => ({
  id: deal.id,
  client: deal.terms.client,
  root: deal.terms.root,
  terms: deal.terms,
  start: deal.start,
  end: deal.end,
  faultedFrom: deal.faultedFrom,
  settledThrough: deal.settledThrough,
  earned: deal.paid - feeOf(deal.paid, feeBps),
  closed: deal.state === 'closed',
})

export const offlineEarnings = async (
  offline: Offline,
  by: 'day' | 'period' | undefined,
): Promise<Earnings> => {
  const { ledger, config, network, paths } = offline
  const all = await ledger.deals({ provider: config.provider })
  const tip = await tipOf(offline)
  const record = await recordOf(offline, all, tip)
  const accounts = await openBooks(paths.accounts)
  try {
    return await earningsOf({
      deals: all.map((deal) => earningDeal(deal, network.feeBps)),
      ...{ record, network, token: config.token, accounts },
      window: windowFor(network.period, tip.now, by),
      lastScrub: () => undefined,
    })
  } finally {
    await accounts?.close()
  }
}

const recordOf = async (
  { ledger, config }: Offline,
  all: readonly Deal[],
  tip: Tip,
): Promise<ProofRecord> => {
  const from = all.reduce((least, { start }) => smaller(least, start), tip.now)
  const proven = await ledger.proven(config.provider, from, period(tip.now + 1n))
  const current = { period: tip.now, deadline: timestamp(tip.deadline), proven: tip.proven }
  const finalThrough = finalThroughOf(current, timestamp(tip.time))
  return { proven, completeFrom: from, finalThrough }
}

/** Undefined when there are none yet, or when a node that starts just now has them open. */
const openBooks = (directory: string): Promise<Accounts | undefined> =>
  Accounts.open(directory, timestamp(0), silentLogger).catch(() => undefined)

export const offlineDeals = async (offline: Offline): Promise<object> => {
  const all = await offline.ledger.deals({ provider: offline.config.provider })
  const { deals: lines } = await offlineEarnings(offline, undefined)
  return {
    deals: all.map(({ id, terms, state, start, end, settledThrough, faultedFrom }, i) => ({
      ...{ id, state, client: terms.client, root: terms.root, length: terms.length },
      ...{ rate: terms.rate, start, end, settledThrough, faultedFrom },
      provenPeriods: lines[i]?.provenPeriods,
      unprovenPeriods: lines[i]?.unprovenPeriods,
      lastProven: lines[i]?.lastProven,
    })),
  }
}
