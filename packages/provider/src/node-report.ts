/**
 * What the node says about itself: health for a balancer, metrics for a monitor. Reads parts, changes
 * none.
 */
import type { LedgerReader, NetworkParams } from '@holdfast/chain'
import { type Bytes, type Clock, periodAt, type Signer } from '@holdfast/protocol'
import type { ProviderConfig } from './config.ts'
import type { Performer } from './duties/performer.ts'
import type { Follower } from './follow/follower.ts'
import type { Intake } from './intake/intake.ts'
import type { PromiseBook } from './journal/promise-book.ts'
import type { Admission } from './limits/admission.ts'
import type { ConnectionGuard } from './limits/connection-guard.ts'
import type { LiveConfig } from './live-config.ts'
import { callMetric, counter, formatMetrics, gauge, type Metric } from './metrics.ts'
import type { CallCounter } from './rpc/call-counter.ts'
import type { VolumeSet } from './store/volume-set.ts'
import type { TlsKeeper } from './tls-keeper.ts'

export interface ReportedNode {
  readonly config: ProviderConfig
  readonly network: NetworkParams
  readonly ledger: Pick<LedgerReader, 'gasBalance'>
  readonly operator: Signer
  readonly clock: Clock
  readonly store: VolumeSet
  readonly book: PromiseBook
  readonly follower: Follower
  readonly intake: Intake
  readonly performer: Performer
  readonly calls: CallCounter
  readonly live: LiveConfig
  readonly tls: TlsKeeper
  readonly admission: Admission
  readonly guards: { readonly grpc: ConnectionGuard; readonly http: ConnectionGuard }
}

/** Damaged payloads and a read-only disk are said here, and do not stop the node from proving. */
export const nodeHealth = (
  node: ReportedNode,
): { readonly ok: boolean } & Readonly<Record<string, unknown>> => {
  const { cursor } = node.follower.state
  const readOnly = node.store.readOnlyReason
  return {
    ok: readOnly === undefined && cursor !== undefined,
    provider: node.config.provider,
    block: cursor?.number,
    readOnly,
    damagedPayloads: node.book.promises.damages.size,
    configProblem: node.live.problem,
    certificateProblem: node.tls.problem,
    certificateDaysLeft: node.tls.daysLeft,
  }
}

/** Prometheus text. */
export const nodeMetrics = async (node: ReportedNode, servedBytes: Bytes): Promise<string> =>
  formatMetrics([
    ...(await storeMetrics(node)),
    ...chainMetrics(node),
    ...dutyMetrics(node),
    ...limitMetrics(node),
    callMetric(node.calls),
    gauge('holdfast_grpc_calls_running', 'gRPC calls that run now.', node.calls.running),
    gauge('holdfast_uploads_open', 'Upload sessions that are open.', node.intake.openSessions),
    gauge(
      'holdfast_upload_parts_running',
      'Requests that send a part now.',
      node.intake.partsInFlight,
    ),
    counter('holdfast_served_bytes_total', 'Payload bytes served.', [{ value: servedBytes }]),
    gauge(
      'holdfast_process_resident_bytes',
      'Resident memory of the process.',
      process.memoryUsage.rss(),
    ),
  ])

const storeMetrics = async ({ store, book }: ReportedNode): Promise<readonly Metric[]> => {
  const { capacity, used, reserved, free } = await store.usage()
  const payloads = [...store.stored()].length
  const readOnly = store.readOnlyReason === undefined ? 0 : 1
  return [
    gauge('holdfast_store_capacity_bytes', 'What the operator allows.', capacity),
    gauge('holdfast_store_used_bytes', 'What sealed records take.', used),
    gauge('holdfast_store_reserved_bytes', 'What open uploads may still take.', reserved),
    gauge('holdfast_store_free_bytes', 'What a new upload can have.', free),
    gauge('holdfast_store_payloads', 'Payloads stored.', payloads),
    gauge('holdfast_store_read_only', '1 after a failed write.', readOnly),
    gauge('holdfast_payloads_damaged', 'Payloads found damaged.', book.promises.damages.size),
    gauge('holdfast_journal_bytes', 'Length of the journal.', book.size),
  ]
}

const chainMetrics = ({ follower, network }: ReportedNode): readonly Metric[] => {
  const { state } = follower
  const tip = state.cursor
  if (tip === undefined) return []
  const now = periodAt(network, tip.timestamp)
  const deals = state.deals()
  const active = deals.filter((d) => !d.closed && d.faultedFrom === undefined && now < d.end)
  const faulty = deals.filter((d) => !d.closed && d.faultedFrom !== undefined && now < d.end)
  return [
    gauge('holdfast_chain_block', 'Number of the last block folded.', tip.number),
    gauge('holdfast_chain_block_timestamp_seconds', 'Its time.', tip.timestamp),
    gauge('holdfast_period', 'The current proof period.', now),
    gauge('holdfast_period_proven', '1 when the current period is proven.', proven(state, now)),
    gauge('holdfast_deals_active', 'Deals that are proven and paid.', active.length),
    gauge('holdfast_deals_faulty', 'Deals whose bytes were declared lost.', faulty.length),
  ]
}

const proven = (
  state: Follower['state'],
  now: Parameters<Follower['state']['isProven']>[0],
): number => (state.isProven(now) ? 1 : 0)

const dutyMetrics = ({ performer }: ReportedNode): readonly Metric[] => {
  const { performed, failed } = performer.counts
  const samples = (counts: Readonly<Record<string, number>>): Metric['samples'] =>
    Object.entries(counts).map(([duty, value]) => ({ labels: { duty }, value }))
  return [
    gauge('holdfast_duties_due', 'Duties that are due now.', performer.duties().length),
    counter('holdfast_duties_performed_total', 'Duties performed.', samples(performed)),
    counter('holdfast_duties_failed_total', 'Tries of a duty that failed.', samples(failed)),
  ]
}

const limitMetrics = ({ admission, guards, tls, live }: ReportedNode): readonly Metric[] => {
  const connections = Object.entries(guards).map(([listener, { open }]) => ({
    labels: { listener },
    value: open,
  }))
  const refused = Object.entries(admission.refused).map(([limit, value]) => ({
    labels: { limit },
    value,
  }))
  const cut = Object.entries(guards).flatMap(([listener, guard]) =>
    Object.entries(guard.refused).map(([why, value]) => ({
      labels: { limit: `${listener}-${why}` },
      value,
    })),
  )
  return [
    { ...gauge('holdfast_connections', 'Open connections.', 0), samples: connections },
    gauge('holdfast_reads', 'Reads that run now.', admission.reads),
    counter('holdfast_refused_total', 'What a limit refused or cut.', [...refused, ...cut]),
    gauge('holdfast_tls_days_left', 'Days until the certificate expires.', tls.daysLeft),
    gauge('holdfast_config_refused', '1 when the file is not the one in use.', wrong(live)),
  ]
}

const wrong = ({ problem }: LiveConfig): number => (problem === undefined ? 0 : 1)
