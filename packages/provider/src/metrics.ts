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

/** A metric with a sample for each of several things. */
export const labelled = (
  type: Metric['type'],
  { name, help }: Pick<Metric, 'name' | 'help'>,
  samples: readonly Sample[],
): Metric => ({ name, help, type, samples })

/** A state as samples: 1 for the one that holds, 0 for the others. */
export const oneOf = (
  labels: Readonly<Record<string, string>>,
  name: string,
  state: string,
  states: readonly string[],
): readonly Sample[] =>
  states.map((one) => ({ labels: { ...labels, [name]: one }, value: one === state ? 1 : 0 }))

/** gRPC calls by name and outcome. */
export const callMetric = (calls: CallCounter): readonly Metric[] => [
  counter(
    'holdfast_grpc_calls_total',
    'gRPC calls that ended, by call and error code.',
    [...calls.finished()].map(({ name, code, count }) => ({
      labels: { call: name, code },
      value: count,
    })),
  ),
  gauge('holdfast_grpc_calls_running', 'gRPC calls that run now.', calls.running),
]

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const labelsOf = ({ labels }: Sample): string => {
  const pairs = Object.entries(labels ?? {}).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** The exposition format, version 0.0.4: a metric without samples is left out. */
export const formatMetrics = (metrics: readonly Metric[]): string =>
  metrics
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, help, type, samples }) => [
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${type}`,
      ...samples.map((sample) => `${name}${labelsOf(sample)} ${sample.value}`),
    ])
    .join('\n')
    .concat('\n')
