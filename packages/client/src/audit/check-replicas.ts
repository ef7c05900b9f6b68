/**
 * The newest committed period of each replica, checked at its provider: `checkDeal` for all replicas
 * of a dataset, one after the other. A provider that does not answer is said to be silent, which is
 * not the same as wrong.
 */
import type { LedgerReader } from '@holdfast/chain'
import {
  type CallOptions,
  type DealId,
  HoldfastError,
  type Period,
  type ProviderId,
} from '@holdfast/protocol'
import type { ReplicaStatus } from '../status.ts'
import type { ConnectPeer } from '../transfer/provider-peer.ts'
import { checkDeal, type DealCheck } from './check-deal.ts'

export type ReplicaCheck = { readonly deal: DealId; readonly provider: ProviderId } & (
  | DealCheck
  | { readonly state: 'silent'; readonly period: Period; readonly reason: string }
  | { readonly state: 'nothing-proven' }
)

export const checkReplicas = async (
  { ledger, connect }: { readonly ledger: LedgerReader; readonly connect: ConnectPeer },
  replicas: readonly ReplicaStatus[],
  options: CallOptions = {},
): Promise<readonly ReplicaCheck[]> => {
  const checks: ReplicaCheck[] = []
  for (const { deal, proven } of replicas) {
    const about = { deal: deal.id, provider: deal.terms.provider }
    const newest = proven.at(-1)
    if (newest === undefined) checks.push({ ...about, state: 'nothing-proven' })
    else checks.push({ ...about, ...(await checkOne({ ledger, connect }, deal, newest, options)) })
  }
  return checks
}

const checkOne = async (
  { ledger, connect }: { readonly ledger: LedgerReader; readonly connect: ConnectPeer },
  deal: ReplicaStatus['deal'],
  period: Period,
  options: CallOptions,
): Promise<DealCheck | { state: 'silent'; period: Period; reason: string }> => {
  const { provider } = deal.terms
  const record = await ledger.provider(provider, options)
  if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
  try {
    const peer = await connect(record, options)
    try {
      return await checkDeal(ledger, peer, deal, period, options)
    } finally {
      peer.close()
    }
  } catch (error) {
    if (!HoldfastError.is(error) || !SILENT.has(error.code)) throw error
    return { state: 'silent', period, reason: error.message }
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
