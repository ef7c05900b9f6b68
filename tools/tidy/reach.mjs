/**
 * What is reached: the faces that packages export, and from them, the commands and the tests every
 * file that somebody uses. What nobody reaches is to be deleted.
 */
import { finding } from './tree.mjs'

/** The specifiers that our packages export, each with the source file behind it. */
export const facesOf = (tree) =>
  new Map(
    [...new Set(tree.files.map(({ workspace }) => workspace))].flatMap((workspace) => {
      if (workspace === undefined) return []
      const { name, exports = {} } = tree.manifest(workspace)
      return Object.entries(exports).map(([path, { default: built = '' }]) => {
        const inside = built.replace('./dist/', '').replace(/\.js$/, '.ts')
        return [`${name}${path.slice(1)}`, `${workspace}/${inside}`]
      })
    }),
  )

const ENTRY = [
  /^src\/index\.ts$/,
  /^bin\/[^/]+\.mjs$/,
  /^tools\/[^/]+\.mjs$/,
  /^[^/]+\.mjs$/,
  /^vectors\/[^/]+\.mjs$/,
  /\.bench\.ts$/,
]

/** Paths from the root as the tools put them together: `inRoot('bench', 'dist', 'src', 'main.js')`. */
const rootedPaths = (text) =>
  [...text.matchAll(/\binRoot\(((?:\s*'[^']*',?)+)\s*\)/g)].map(([, parts]) =>
    [...parts.matchAll(/'([^']*)'/g)].map(([, part]) => part).join('/'),
  )

/** Every file that a file's text names in quotes; workers and programs are started by such names. */
const namedFiles = (tree, file) => {
  const relative = [...file.text.matchAll(/['"`](\.{1,2}\/[\w./-]+\.(?:ts|js|mjs|cjs))['"`]/g)].map(
    ([, path]) => tree.resolve(file, path),
  )
  const rooted = rootedPaths(file.text).map((path) => tree.at(path))
  return [...relative, ...rooted].filter((target) => target !== undefined)
}

const reachable = (tree, starts) => {
  const seen = new Set(starts)
  for (const file of seen) for (const target of namedFiles(tree, file)) seen.add(target)
  return seen
}

/** Every file is reached from a face, a command or a test; shipped code not from tests alone. */
export const deadFiles = (tree) => {
  const faces = new Set(facesOf(tree).values())
  const isEntry = (file) => faces.has(file.path) || ENTRY.some((p) => p.test(file.inside))
  const entries = tree.files.filter((file) => file.isCode && !file.isTest && isEntry(file))
  const tests = tree.files.filter((file) => file.isCode && /\.test\.m?[jt]s$/.test(file.name))
  const shipped = reachable(tree, entries)
  const any = reachable(tree, [...entries, ...tests])
  return tree.code
    .filter((file) => !(file.isSource ? shipped : any).has(file))
    .map((file) => {
      const reason = any.has(file) ? 'only tests reach this file' : 'nothing reaches this file'
      return finding('dead-file', file, 1, `${reason}; use it, export it or delete it`)
    })
}
