/**
 * The newest committed period of each replica, checked at its provider: `checkDeal` for all replicas
 * of a dataset, a few side by side, each within its own time. A provider that does not answer, or not
 * in time, is said to be silent, which is not the same as wrong and never fails the others.
 */
import type { Deal, LedgerReader } from '@holdfast/chain'
import {
  type CallOptions,
  type Clock,
  type DealId,
  HoldfastError,
  type Milliseconds,
  type Period,
  type ProviderId,
} from '@holdfast/protocol'
import type { ReplicaStatus } from '../status.ts'
import type { ConnectPeer, ProviderPeer } from '../transfer/provider-peer.ts'
import { errorText } from '../ui/error-text.ts'
import { withinTime } from '../within-time.ts'
import { checkDeal, checkGlobals, type DealCheck } from './check-deal.ts'

export interface Silent {
  readonly state: 'silent'
  readonly period: Period
  readonly reason: string
}

export type ReplicaCheck = { readonly deal: DealId; readonly provider: ProviderId } & (
  | DealCheck
  | Silent
  | { readonly state: 'nothing-proven' }
)

export interface CheckDependencies {
  readonly ledger: LedgerReader
  readonly connect: ConnectPeer
  readonly clock: Clock
}

export interface CheckBounds extends CallOptions {
  /** For connecting to one provider, asking it, and verifying. */
  readonly timeoutMs: Milliseconds
}

/** Replicas checked at once: 8 connections and 8 answers of at most a few 100 KiB. */
const AT_ONCE = 8

/** In the order of the replicas. Rejects when the ledger does not answer. */
export const checkReplicas = async (
  dependencies: CheckDependencies,
  replicas: readonly ReplicaStatus[],
  bounds: CheckBounds,
): Promise<readonly ReplicaCheck[]> => {
  const checks: ReplicaCheck[] = []
  for (let at = 0; at < replicas.length; at += AT_ONCE) {
    const some = replicas.slice(at, at + AT_ONCE)
    checks.push(...(await Promise.all(some.map((one) => checkReplica(dependencies, one, bounds)))))
  }
  return checks
}

const checkReplica = async (
  dependencies: CheckDependencies,
  { deal, proven }: ReplicaStatus,
  bounds: CheckBounds,
): Promise<ReplicaCheck> => {
  const about = { deal: deal.id, provider: deal.terms.provider }
  const newest = proven.at(-1)
  if (newest === undefined) return { ...about, state: 'nothing-proven' }
  return { ...about, ...(await checkAtProvider(dependencies, deal, newest, bounds)) }
}

/** One deal and period, from connecting to the verdict. Rejects when the ledger does not answer. */
export const checkAtProvider = (
  dependencies: CheckDependencies,
  deal: Deal,
  period: Period,
  bounds: CheckBounds,
): Promise<DealCheck | Silent> => {
  const { ledger } = dependencies
  return askProvider(
    dependencies,
    { provider: deal.terms.provider, period },
    bounds,
    (peer, call) => checkDeal(ledger, peer, deal, period, call),
  )
}

/** The same for all global entries of a provider. */
export const checkGlobalsAtProvider = (
  dependencies: CheckDependencies,
  about: { readonly provider: ProviderId; readonly period: Period },
  bounds: CheckBounds,
): Promise<DealCheck | Silent> =>
  askProvider(dependencies, about, bounds, (peer, call) =>
    checkGlobals(dependencies.ledger, peer, about, call),
  )

const askProvider = async (
  { ledger, connect, clock }: CheckDependencies,
  { provider, period }: { readonly provider: ProviderId; readonly period: Period },
  { timeoutMs, signal }: CheckBounds,
  ask: (peer: ProviderPeer, options: CallOptions) => Promise<DealCheck>,
): Promise<DealCheck | Silent> => {
  const look = async (options: CallOptions): Promise<DealCheck> => {
    const record = await ledger.provider(provider, options)
    if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
    const peer = await connect(record, options)
    try {
      return await ask(peer, options)
    } finally {
      peer.close()
    }
  }
  const what = `provider ${provider} to show period ${period}`
  const options = signal === undefined ? {} : { signal }
  try {
    return await withinTime(look, { what, timeoutMs, clock, ...options })
  } catch (error) {
    if (!HoldfastError.is(error) || !SILENT.has(error.code)) throw error
    return { state: 'silent', period, reason: errorText(error) }
  }
}

/** Errors of the line, or of a peer that is not who it should be. */
const SILENT: ReadonlySet<string> = new Set([
  'PEER_UNREACHABLE',
  'PEER_MISBEHAVED',
  'TLS_KEY_MISMATCH',
  'TIMED_OUT',
  'RATE_LIMITED',
  'QUEUE_FULL',
  'SHUTTING_DOWN',
])
