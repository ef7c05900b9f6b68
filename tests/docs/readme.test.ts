/**
 * Code in READMEs is compiled: every `ts` block of every package's page, against the packages as
 * they are built, so that an example that no longer fits fails here and not at a reader's desk.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import ts from 'typescript'
import { ROOT } from '../support/process.ts'

const PAGES = ['README.md', ...readdirSync(join(ROOT, 'packages')).map(pageOf)]

function pageOf(name: string): string {
  return `packages/${name}/README.md`
}

const snippetsOf = (page: string): readonly string[] =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(
    ([, code = '']) => code,
  )

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: true,
  types: ['node'],
}

/** What the compiler says about modules that exist in memory only, as if they lay in `tests/`. */
const complaints = (modules: ReadonlyMap<string, string>): readonly string[] => {
  const host = ts.createCompilerHost(OPTIONS)
  const { readFile, fileExists, getSourceFile } = host
  host.readFile = (path) => modules.get(path) ?? readFile.call(host, path)
  host.fileExists = (path) => modules.has(path) || fileExists.call(host, path)
  host.getSourceFile = (path, version, ...rest) => {
    const text = modules.get(path)
    if (text === undefined) return getSourceFile.call(host, path, version, ...rest)
    return ts.createSourceFile(path, text, version, true)
  }
  const program = ts.createProgram([...modules.keys()], OPTIONS, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const where = file?.fileName.slice(ROOT.length) ?? 'somewhere'
    return `${where}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}

test('every package has a page with an example', () => {
  for (const page of PAGES.slice(1))
    expect([page, snippetsOf(page).length > 0]).toEqual([page, true])
})

test('the examples compile', () => {
  const modules = new Map(
    PAGES.flatMap((page) =>
      snippetsOf(page).map((code, index): [string, string] => {
        const name = `${page.replaceAll('/', '-').replace('.md', '')}-${index}.mts`
        return [join(ROOT, 'tests', name), code]
      }),
    ),
  )
  expect(modules.size).toBeGreaterThan(3)
  expect(complaints(modules)).toEqual([])
})
