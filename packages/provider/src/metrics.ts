/**
 * Prometheus text, by hand: few metrics, each with its unit in its name and a line of help. A gauge
 * for every bound stands beside what it bounds.
 */
import type { CallCounter } from './rpc/call-counter.ts'

export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'gauge' | 'counter'
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number | bigint
}

export const gauge = (name: string, help: string, value: number | bigint): Metric => ({
  name,
  help,
  type: 'gauge',
  samples: [{ value }],
})

export const counter = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  name,
  help,
  type: 'counter',
  samples,
})

/** gRPC calls by name and outcome. */
export const callMetric = (calls: CallCounter): Metric =>
  counter(
    'holdfast_grpc_calls_total',
    'gRPC calls that ended, by call and error code.',
    [...calls.finished()].map(({ name, code, count }) => ({
      labels: { call: name, code },
      value: count,
    })),
  )

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const labelsOf = ({ labels }: Sample): string => {
  const pairs = Object.entries(labels ?? {}).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** The exposition format, version 0.0.4. */
export const formatMetrics = (metrics: readonly Metric[]): string =>
  metrics
    .flatMap(({ name, help, type, samples }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples.map((sample) => `${name}${labelsOf(sample)} ${sample.value}`),
    ])
    .join('\n')
    .concat('\n')
