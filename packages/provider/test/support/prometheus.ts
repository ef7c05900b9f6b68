/**
 * A strict reader of the Prometheus text format 0.0.4, written from its description and sharing no
 * code with what it checks: anything out of order, unnamed, doubled or unescaped is an error.
 */

export interface ParsedMetric {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  /** Label pairs as text in order of appearance, and the value. */
  readonly samples: ReadonlyMap<string, number>
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Inf)|NaN)$/

/** `name="value",…` up to the closing brace; returns the rest of the line. */
const readLabels = (line: string): { readonly labels: string; readonly rest: string } => {
  if (!line.startsWith('{')) return { labels: '', rest: line }
  const seen = new Set<string>()
  let at = 1
  for (;;) {
    const equals = line.indexOf('="', at)
    if (equals < 0) throw new Error(`a label without a value: ${line}`)
    const label = line.slice(at, equals)
    if (!LABEL.test(label) || label.startsWith('__')) throw new Error(`bad label ${label}`)
    if (seen.has(label)) throw new Error(`label ${label} twice: ${line}`)
    seen.add(label)
    at = equals + 2
    while (line[at] !== '"') {
      if (at >= line.length) throw new Error(`a label that does not end: ${line}`)
      if (line[at] === '\\' && !/[\\"n]/.test(line[at + 1] ?? '')) {
        throw new Error(`a bad escape: ${line}`)
      }
      at += line[at] === '\\' ? 2 : 1
    }
    at += 1
    if (line[at] === '}') return { labels: line.slice(1, at), rest: line.slice(at + 1) }
    if (line[at] !== ',') throw new Error(`no comma between labels: ${line}`)
    at += 1
  }
}

/** @throws Error naming the first line that is not right. */
export const parsePrometheus = (text: string): ReadonlyMap<string, ParsedMetric> => {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const metrics = new Map<string, ParsedMetric & { samples: Map<string, number> }>()
  let help: { readonly name: string; readonly text: string } | undefined
  let current: (ParsedMetric & { samples: Map<string, number> }) | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment
      if (kind === 'HELP') {
        help = { name, text: rest }
        continue
      }
      if (help?.name !== name) throw new Error(`TYPE of ${name} without its HELP`)
      if (metrics.has(name)) throw new Error(`${name} comes twice`)
      if (rest !== 'gauge' && rest !== 'counter') throw new Error(`no type ${rest}`)
      if (!NAME.test(name)) throw new Error(`bad name ${name}`)
      if ((rest === 'counter') !== name.endsWith('_total')) {
        throw new Error(`${name} is a ${rest}: only counters end in _total`)
      }
      current = { name, type: rest, help: help.text, samples: new Map() }
      metrics.set(name, current)
      continue
    }
    const name = /^[^\s{]+/.exec(line)?.[0] ?? ''
    if (current === undefined || name !== current.name) throw new Error(`a stray sample: ${line}`)
    const { labels, rest } = readLabels(line.slice(name.length))
    const value = rest.slice(1)
    if (!rest.startsWith(' ') || !VALUE.test(value)) throw new Error(`not a value: ${line}`)
    if (current.samples.has(labels)) throw new Error(`a sample twice: ${line}`)
    if (current.type === 'counter' && !(Number(value) >= 0)) throw new Error(`below zero: ${line}`)
    current.samples.set(labels, Number(value))
  }
  for (const { name, samples } of metrics.values()) {
    if (samples.size === 0) throw new Error(`${name} has no sample`)
  }
  return metrics
}
