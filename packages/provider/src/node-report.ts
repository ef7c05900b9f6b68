/**
 * What the node says about itself to machines: health for a balancer, metrics for a monitor. Health
 * comes from memory alone and answers at once; metrics are the operator's status in numbers, and what
 * the limits of the listeners did.
 */
import type { ProviderConfig } from './config.ts'
import type { Follower } from './follow/follower.ts'
import type { PromiseBook } from './journal/promise-book.ts'
import type { Admission } from './limits/admission.ts'
import type { ConnectionGuard } from './limits/connection-guard.ts'
import type { LiveConfig } from './live-config.ts'
import { callMetric, counter, formatMetrics, gauge, labelled, type Metric } from './metrics.ts'
import { statusMetrics } from './node-metrics.ts'
import type { CallCounter } from './rpc/call-counter.ts'
import type { NodeStatus } from './status/node-status.ts'
import type { VolumeSet } from './store/volume-set.ts'
import type { TlsKeeper } from './tls-keeper.ts'

export interface ReportedNode {
  readonly config: ProviderConfig
  readonly store: Pick<VolumeSet, 'readOnlyReason'>
  readonly book: PromiseBook
  readonly follower: Follower
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
    journalRoom: node.book.room.state,
    damagedPayloads: node.book.promises.damages.size,
    configProblem: node.live.problem,
    certificateProblem: node.tls.problem,
    certificateDaysLeft: node.tls.daysLeft,
  }
}

/** Prometheus text. */
export const nodeMetrics = (node: ReportedNode, status: NodeStatus): string =>
  formatMetrics([...statusMetrics(status), ...limitMetrics(node), ...callMetric(node.calls)])

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
    labelled('gauge', { name: 'holdfast_connections', help: 'Open connections.' }, connections),
    gauge('holdfast_reads', 'Reads that run now.', admission.reads),
    counter('holdfast_refused_total', 'What a limit refused or cut.', [...refused, ...cut]),
    gauge('holdfast_tls_days_left', 'Days until the certificate expires.', tls.daysLeft),
    gauge('holdfast_config_refused', '1 when the file is not the one in use.', wrong(live)),
  ]
}

const wrong = ({ problem }: LiveConfig): number => (problem === undefined ? 0 : 1)
