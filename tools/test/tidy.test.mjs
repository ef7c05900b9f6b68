/**
 * The house rules about code and text, each shown failing on a small tree that breaks it, and
 * silent on the one that keeps it. Nothing is written to disk.
 */
import { describe, expect, test } from '@jest/globals'
import { excuse, tidy } from '../tidy/check.mjs'
import * as code from '../tidy/code.mjs'
import * as text from '../tidy/text.mjs'
import { treeFrom } from '../tidy/tree.mjs'
import { client, found, MANIFEST } from './tidy-trees.mjs'

describe('the page of faults', () => {
  const rows = (from, to, title) =>
    Array.from(
      { length: to - from + 1 },
      (_, i) => `| F${from + i} | \`a.test.ts\` | "${title}" |\n`,
    )
  const page = (lines) => ({
    'a.test.ts': "test('it holds', () => {})\n",
    'docs/faults.md': `# Faults\n\n${lines.join('')}`,
  })

  test('passes when each fault names a test that is there', () => {
    expect(found(text.faultTests, page(rows(1, 40, 'it holds')))).toEqual([])
    expect(found(text.faultTests, {})).toEqual([])
  })

  test('fails for a fault without a test, and for a test that is not there', () => {
    const [untold, ...rest] = found(text.faultTests, page(rows(1, 39, 'it holds')))
    expect([untold, rest]).toEqual(['docs/faults.md:1 F40 has no row or no named test', []])
    const lines = [...rows(1, 39, 'it holds'), ...rows(40, 40, 'it flies')]
    const [stranger] = found(text.faultTests, page(lines))
    expect(stranger).toMatch(/^docs\/faults\.md:42 F40: no test "it flies" in a\.test\.ts$/)
  })
})

describe('single files', () => {
  test.each([
    'export default 1\n',
    'export default function f() {}\n',
    'const a = 1\nexport { a as default }\n',
  ])('a default export fails: %j', (body) => {
    expect(found(code.defaultExports, client(body))).toHaveLength(1)
  })

  test('a configuration file may have a default export', () => {
    const files = { 'packages/client/some.config.mjs': 'export default {}\n' }
    expect(found(code.defaultExports, files)).toEqual([])
  })

  test('any fails wherever it stands; the word alone does not', () => {
    expect(found(code.anyTypes, client('const a = (b: any): any[] => b\n'))).toHaveLength(2)
    expect(found(code.anyTypes, client("const any = 'any' // any\n"))).toEqual([])
  })

  const body = (lines) => 'const x = 1\n'.repeat(lines)

  test('a function of 71 lines fails, one of 70 passes', () => {
    const [long] = found(code.functionLength, client(`function f() {\n${body(69)}}\n`))
    expect(long).toMatch(/^packages\/client\/src\/a\.ts:2 f has 71 lines, at most 70/)
    expect(found(code.functionLength, client(`function f() {\n${body(68)}}\n`))).toEqual([])
  })

  test('a describe is a table of contents, its tests are functions', () => {
    const tests = `describe('a', () => {\n${body(80)}})\n`
    expect(found(code.functionLength, client(tests))).toEqual([])
    expect(found(code.functionLength, client(`test('a', () => {\n${body(80)}})\n`))).toHaveLength(1)
  })

  test('so is a conformance suite, in tests', () => {
    const suite = `export const dealSuite = () => {\n${body(70)}test('a', () => {})\n}\n`
    expect(found(code.functionLength, { 'packages/client/test/deals.ts': suite })).toEqual([])
    expect(found(code.functionLength, { 'packages/client/src/deals.ts': suite })).toHaveLength(1)
  })

  test('a file of 301 lines fails, one of 300 passes', () => {
    expect(found(code.fileLength, client(body(300)))).toHaveLength(1)
    expect(found(code.fileLength, client(body(299)))).toEqual([])
  })

  test.each(['Date.now()', 'Math.random()', 'setTimeout(f, 1)', 'setInterval(f, 1)', 'new Date()'])(
    '%s fails outside an adapter',
    (call) => {
      expect(found(code.bannedGlobals, client(`${call}\n`))).toHaveLength(1)
      for (const path of ['system-clock.ts', 'cli.ts', 'cli/main.ts', 'http-adapter.ts']) {
        expect(found(code.bannedGlobals, { [`packages/client/src/${path}`]: call })).toEqual([])
      }
      expect(found(code.bannedGlobals, { 'packages/client/test/a.test.ts': call })).toEqual([])
    },
  )

  test('a file that implements the clock may read it', () => {
    const clock = 'export const real: Clock = { now: () => milliseconds(Date.now()), sleep }\n'
    expect(found(code.bannedGlobals, client(clock))).toEqual([])
    expect(found(code.bannedGlobals, client('new Date(clock.now())\n'))).toEqual([])
  })

  test('the timers module fails outside an adapter', () => {
    const files = client("import { setTimeout } from 'node:timers/promises'\n")
    expect(found(code.bannedGlobals, files)).toHaveLength(1)
  })

  test('a file without an opening paragraph fails', () => {
    const bare = { 'packages/client/src/a.ts': 'export const a = 1\n' }
    expect(found(code.openingParagraph, bare)).toHaveLength(1)
    const terse = { 'packages/client/src/a.ts': '/** A. */\nexport const a = 1\n' }
    expect(found(code.openingParagraph, terse)).toHaveLength(1)
    expect(found(code.openingParagraph, client('export const a = 1\n'))).toEqual([])
  })

  test('a generated file names its generator, and is spared the other rules', () => {
    const path = 'packages/client/src/generated/abi.ts'
    expect(found(code.generatedHeader, { [path]: 'export const abi = 1\n' })).toHaveLength(1)
    const named = { [path]: '// Generated by tools/generate.mjs.\nexport default 1\n' }
    expect(found(code.generatedHeader, named)).toEqual([])
    expect(found(code.defaultExports, named)).toEqual([])
  })

  test.each([
    'export interface A { readonly sizeBytes: number }',
    'export const f = (price: number): void => undefined',
    'export class A { fee: number | undefined }',
    'export const totalBytes: number = count()',
  ])('a bare number for a measured thing fails: %s', (line) => {
    expect(found(code.bareNumbers, client(`${line}\n`))).toHaveLength(1)
  })

  test.each([
    'export interface A { readonly sizeBytes: Bytes; readonly timeoutMs: number }',
    'const f = (price: number): void => undefined',
    'export const f = (): void => { const bytes: number = 1 }',
    'export class A { #fee: number = 1 }',
    'export const BLOCK_BYTES: number = 16384',
  ])('other numbers pass: %s', (line) => {
    expect(found(code.bareNumbers, client(`${line}\n`))).toEqual([])
  })
})

describe('text', () => {
  test('a page has one title and opens with it; code fences do not count', () => {
    const page = (body) => ({ 'docs/a.md': body })
    expect(found(text.markdownTitle, page('# A\n\n```sh\n# comment\n```\n\n## B\n'))).toEqual([])
    expect(found(text.markdownTitle, page('# A\n\n# B\n'))).toHaveLength(1)
    expect(found(text.markdownTitle, page('words\n\n# A\n'))).toHaveLength(1)
    expect(found(text.markdownTitle, page('words\n'))).toHaveLength(1)
  })

  const place = (...parts) => `/${parts.join('/')}`
  test.each([
    ['registry', 'example', 'org'].join('.'),
    `"resolved": "${'https'}:${'//host/package.tgz'}"`,
    place('work', 'main', 'packages'),
    place('home', 'someone', 'file'),
    place('tmp', 'state'),
  ])('a trace of one machine fails: %s', (line) => {
    expect(found(text.machineTraces, { 'docs/a.md': `# A\n\n${line}\n` })).toHaveLength(1)
  })

  test('paths inside the repository and on the web pass', () => {
    const lines = ['tools/work/main.ts', 'https://example.org/work/main', 'a/tmp/b', './tmp/x']
    expect(found(text.machineTraces, { 'docs/a.md': `# A\n\n${lines.join('\n')}\n` })).toEqual([])
  })

  test('a page that names a file or a name that is not there fails', () => {
    const page = (body) => ({ ...client('export const a = 1\n'), 'docs/a.md': `# A\n\n${body}\n` })
    const source = '`packages/client/src/a.ts`'
    expect(found(text.deadReferences, page(`See ${source}, \`packages/client/src\`.`))).toEqual([])
    expect(found(text.deadReferences, page(`\`a\` in ${source}, \`src/x.ts\``))).toEqual([])
    expect(found(text.deadReferences, page(`\`absent\` in ${source}`))).toHaveLength(1)
    expect(found(text.deadReferences, page('`packages/client/src/gone.ts`'))).toHaveLength(1)
  })

  test('a promise without an issue fails', () => {
    const promise = ['TO', 'DO'].join('')
    expect(found(text.todos, client(`// ${promise}: later\n`))).toHaveLength(1)
    expect(found(text.todos, client(`// ${promise}(#12): later\n`))).toEqual([])
  })
})

describe('the whole', () => {
  test('findings come by file and line', () => {
    const files = { ...MANIFEST, ...client('export default 1\nconst a: any = 1\n') }
    const rules = tidy(treeFrom(files), {}).map(({ rule }) => rule)
    expect(rules).toEqual(['unused-dependency', 'dead-file', 'default-export', 'any'])
  })

  test('an exception excuses its finding and no other, and is a finding once it is idle', () => {
    const finding = { rule: 'any', path: 'a.ts', line: 1, message: 'any', key: 'a.ts' }
    expect(excuse([finding], { any: { 'a.ts': 'reason' } })).toEqual([])
    expect(excuse([finding], { todo: { 'a.ts': 'reason' } })).toHaveLength(2)
    const [idle] = excuse([], { any: { 'a.ts': 'reason' } })
    expect(idle).toMatchObject({ rule: 'allow-list', key: 'a.ts' })
  })
})
