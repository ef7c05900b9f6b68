/** The metrics text: what it escapes, and that the strict reader of these tests would notice faults. */
import { describe, expect, test } from '@jest/globals'
import { formatMetrics, gauge, labelled } from '../src/metrics.ts'
import { parsePrometheus } from './support/prometheus.ts'

describe('the metrics text', () => {
  test('escapes labels and help so that any text can be in them', () => {
    const odd = 'a "quoted" back\\slash\nand a line'
    const text = formatMetrics([
      labelled('gauge', { name: 'holdfast_x', help: 'One\nand \\ two.' }, [
        { labels: { path: odd, other: 'plain' }, value: 1 },
        { labels: { path: '', other: 'é🌱' }, value: 2.5 },
      ]),
      gauge('holdfast_y_bytes', 'Big.', 2n ** 64n),
      labelled('counter', { name: 'holdfast_z_total', help: 'Nothing yet.' }, []),
    ])
    const parsed = parsePrometheus(text)
    expect([...parsed.keys()]).toEqual(['holdfast_x', 'holdfast_y_bytes'])
    expect([...(parsed.get('holdfast_x')?.samples.keys() ?? [])]).toEqual([
      'path="a \\"quoted\\" back\\\\slash\\nand a line",other="plain"',
      'path="",other="é🌱"',
    ])
  })

  test.each([
    ['a sample before its type', 'x 1\n'],
    ['a type without help', '# TYPE x gauge\nx 1\n'],
    ['a metric twice', '# HELP x a\n# TYPE x gauge\nx 1\n# HELP x a\n# TYPE x gauge\nx 1\n'],
    ['a sample twice', '# HELP x a\n# TYPE x gauge\nx{a="1"} 1\nx{a="1"} 2\n'],
    ['a raw quote', '# HELP x a\n# TYPE x gauge\nx{a="1"2"} 1\n'],
    ['a bad escape', '# HELP x a\n# TYPE x gauge\nx{a="\\q"} 1\n'],
    ['a counter without _total', '# HELP x a\n# TYPE x counter\nx 1\n'],
    ['text for a value', '# HELP x a\n# TYPE x gauge\nx undefined\n'],
    ['no line end', '# HELP x a\n# TYPE x gauge\nx 1'],
  ])('the reader refuses %s', (_what, text) => {
    expect(() => parsePrometheus(text)).toThrow()
  })
})
