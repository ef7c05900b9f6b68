/**
 * Lists what the build reads and fingerprints it by path, size and time of change, so that a build
 * that has nothing to do is recognised without starting the compiler.
 */
import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { inRoot, ROOT, WORKSPACES } from './root.mjs'

const SKIPPED = new Set(['node_modules', 'dist', 'build', 'out', 'cache', 'coverage', '.git'])
const READ_BY_BUILD = /\.(?:ts|mts|c|h|mjs|json)$/

/** Every file below `folder`, depth first, relative to the root; skips outputs. */
export const filesBelow = async (folder) => {
  const entries = await readdir(inRoot(folder), { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  const found = []
  for (const entry of entries) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) found.push(...(await filesBelow(path)))
    } else if (entry.isFile()) {
      found.push(path)
    }
  }
  return found
}

/** The files that decide what a build produces. */
export const buildInputs = async () => {
  const below = await Promise.all(WORKSPACES.map(filesBelow))
  const inputs = below.flat().filter((path) => READ_BY_BUILD.test(path))
  return ['package-lock.json', 'tsconfig.base.json', 'tsconfig.json', ...inputs]
}

/** A hash that changes when any of `paths` is added, removed or written. */
export const fingerprint = async (paths) => {
  const hash = createHash('sha256')
  for (const path of [...paths].sort()) {
    const { size, mtimeMs } = await stat(join(ROOT, path))
    hash.update(`${path}\0${size}\0${mtimeMs}\n`)
  }
  return hash.digest('hex')
}
