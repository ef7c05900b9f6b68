/**
 * Small trees for the tests of the house rules: records of path to text, beside two package.json.
 */
import { treeFrom } from '../tidy/tree.mjs'

export const HEAD = '/** What this file is, what it guarantees, and what it does not do. */\n'

export const MANIFEST = {
  'package.json': JSON.stringify({ devDependencies: { '@jest/globals': '1.0.0' } }),
  'packages/protocol/package.json': JSON.stringify({ name: '@holdfast/protocol' }),
  'packages/client/package.json': JSON.stringify({
    name: '@holdfast/client',
    dependencies: { '@holdfast/protocol': '0.1.0' },
  }),
}

/** What `rule` finds in a tree of `files` beside the manifests, as `path:line message`. */
export const found = (rule, files) =>
  rule(treeFrom({ ...MANIFEST, ...files })).map(
    ({ path, line, message }) => `${path}:${line} ${message}`,
  )

/** One source file of the client with an opening paragraph; the body begins on line 2. */
export const client = (body) => ({ 'packages/client/src/a.ts': HEAD + body })
