/**
 * The house rules about imports, each shown failing on a small tree that breaks it, and silent on
 * the one that keeps it. Nothing is written to disk.
 */
import { describe, expect, test } from '@jest/globals'
import * as graph from '../tidy/graph.mjs'
import { deadFiles } from '../tidy/reach.mjs'
import { client, found, HEAD } from './tidy-trees.mjs'

describe('package graph', () => {
  test('an arrow of the picture passes', () => {
    expect(found(graph.packageGraph, client("import { a } from '@holdfast/protocol'\n"))).toEqual(
      [],
    )
  })

  test('an arrow that is not in the picture fails, in code and in package.json', () => {
    const [inCode] = found(graph.packageGraph, client("import { a } from '@holdfast/provider'\n"))
    expect(inCode).toMatch(/^packages\/client\/src\/a\.ts:2 .*imports @holdfast\/provider/)
    const dependencies = { '@holdfast/client': '0.1.0' }
    const manifest = JSON.stringify({ name: '@holdfast/protocol', dependencies })
    expect(found(graph.packageGraph, { 'packages/protocol/package.json': manifest })).toHaveLength(
      1,
    )
  })

  test('a type-only import is an arrow too', () => {
    const files = client("import type { A } from '@holdfast/provider'\n")
    expect(found(graph.packageGraph, files)).toHaveLength(1)
  })

  test('a package that imports itself by name fails', () => {
    const files = client("import { a } from '@holdfast/client'\n")
    expect(found(graph.packageGraph, files)).toHaveLength(1)
  })

  test('a deep import fails, by name and by path', () => {
    const byName = client("import { a } from '@holdfast/protocol/dist/src/units.js'\n")
    expect(found(graph.deepImports, byName)).toHaveLength(1)
    const byPath = {
      ...client("import { a } from '../../protocol/src/units.ts'\n"),
      'packages/protocol/src/units.ts': `${HEAD}export const a = 1\n`,
    }
    expect(found(graph.deepImports, byPath)).toHaveLength(1)
    expect(found(graph.deepImports, client("import { a } from '@holdfast/protocol'\n"))).toEqual([])
  })

  test('the floor may not use Node', () => {
    const files = { 'packages/protocol/src/a.ts': `${HEAD}import { readFile } from 'node:fs'\n` }
    expect(found(graph.pureProtocol, files)).toHaveLength(1)
    expect(found(graph.pureProtocol, client("import { readFile } from 'node:fs'\n"))).toEqual([])
  })

  test('an undeclared package fails; test code may use what the root declares', () => {
    expect(found(graph.undeclaredImports, client("import { a } from 'left-pad'\n"))).toEqual([
      'packages/client/src/a.ts:2 left-pad is not declared in packages/client/package.json',
    ])
    const inTest = "import { test } from '@jest/globals'\n"
    expect(found(graph.undeclaredImports, { 'packages/client/test/a.test.ts': inTest })).toEqual([])
    expect(found(graph.undeclaredImports, client(inTest))).toHaveLength(1)
  })

  test('a dependency that nothing names fails', () => {
    expect(found(graph.unusedDependencies, {})).toHaveLength(1)
    const files = client("import { a } from '@holdfast/protocol'\n")
    expect(found(graph.unusedDependencies, files)).toEqual([])
  })
})

describe('files and their imports', () => {
  test('a circle of imports fails, also one of types', () => {
    const files = {
      'packages/client/src/a.ts': "import type { B } from './b.ts'\n",
      'packages/client/src/b.ts': "import type { C } from './c.ts'\n",
      'packages/client/src/c.ts': "import type { A } from './a.ts'\n",
    }
    const [circle, ...more] = found(graph.importCircles, files)
    expect(circle).toMatch(/a\.ts, packages\/client\/src\/b\.ts, packages\/client\/src\/c\.ts/)
    expect(more).toEqual([])
    const open = { ...files, 'packages/client/src/c.ts': 'export const c = 1\n' }
    expect(found(graph.importCircles, open)).toEqual([])
  })

  test('an index.ts that declares something fails', () => {
    const index = (body) => ({ 'packages/client/src/index.ts': HEAD + body })
    expect(found(graph.indexFiles, index("export { a } from './a.ts'\n"))).toEqual([])
    expect(found(graph.indexFiles, index('export const a = 1\n'))).toHaveLength(1)
    expect(
      found(graph.indexFiles, index("import { a } from './a.ts'\nexport { a }\n")),
    ).toHaveLength(2)
  })

  test('an index.ts imported from inside fails', () => {
    const files = {
      ...client("import { b } from './index.ts'\n"),
      'packages/client/src/index.ts': `${HEAD}export { b } from './b.ts'\n`,
    }
    expect(found(graph.indexFiles, files)).toHaveLength(1)
  })

  test('a file that nothing reaches fails, as does shipped code that only tests reach', () => {
    const files = {
      'packages/client/src/index.ts': "export { a } from './a.ts'\n",
      'packages/client/src/a.ts': "new Worker(new URL('./worker.js', import.meta.url))\n",
      'packages/client/src/worker.ts': '',
      'packages/client/src/tested.ts': '',
      'packages/client/src/dead.ts': '',
      'packages/client/test/tested.test.ts': "import '../src/tested.ts'\nimport './helper.ts'\n",
      'packages/client/test/helper.ts': '',
    }
    expect(found(deadFiles, files)).toEqual([
      'packages/client/src/tested.ts:1 only tests reach this file; use it, export it or delete it',
      'packages/client/src/dead.ts:1 nothing reaches this file; use it, export it or delete it',
    ])
  })

  test('what package.json exports is a face: others may import it, and it is reached', () => {
    const exports = { './light': { default: './dist/src/light.js' } }
    const files = {
      ...client("import { a } from '@holdfast/protocol/light'\n"),
      'packages/protocol/package.json': JSON.stringify({ name: '@holdfast/protocol', exports }),
      'packages/protocol/src/light.ts': `${HEAD}export const a = 1\n`,
    }
    expect(found(graph.deepImports, files)).toEqual([])
    expect(found(deadFiles, files).join()).not.toMatch('light')
  })

  test('a program named by its compiled path is reached', () => {
    const files = {
      'packages/client/bin/holdfast.mjs': "import '../dist/src/cli.js'\n",
      'packages/client/src/cli.ts': '',
      'tools/bench.mjs': "run(inRoot('bench', 'dist', 'src', 'main.js'))\n",
      'bench/src/main.ts': '',
    }
    expect(found(deadFiles, files)).toEqual([])
  })
})
