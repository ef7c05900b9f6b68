/**
 * Makes sure that everything is compiled: the native kernels, then all TypeScript projects. When no
 * source changed since the last good build, neither compiler is started.
 *
 * Outputs whose source is gone are deleted, because tests run on compiled output and a deleted test
 * would otherwise live on. Solidity is not compiled here: its outputs are committed.
 */
import { access, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inRoot, WORKSPACES } from './root.mjs'
import { runNode } from './run.mjs'
import { duration, say, ToolError } from './say.mjs'
import { buildInputs, fingerprint } from './sources.mjs'

const STAMP = inRoot('node_modules', '.holdfast-built')

const exists = async (path) => {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

const isBuilt = async (print) => {
  const stamp = await readFile(STAMP, 'utf8').catch(() => undefined)
  if (stamp !== print) return false
  const outputs = await Promise.all(WORKSPACES.map((folder) => exists(inRoot(folder, 'dist'))))
  return outputs.every(Boolean)
}

/** Compiled files below `dist`, relative to it. */
const compiledFiles = async (dist) => {
  const entries = await readdir(dist, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile() && /\.(?:js|d\.ts)(?:\.map)?$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

const pruneStale = async () => {
  for (const folder of WORKSPACES) {
    const dist = inRoot(folder, 'dist')
    for (const output of await compiledFiles(dist)) {
      const stem = output.slice(dist.length).replace(/\.(?:js|d\.ts)(?:\.map)?$/, '')
      if (!(await exists(inRoot(folder, `${stem}.ts`)))) await rm(output)
    }
  }
}

const buildNative = async () => {
  if (!(await exists(inRoot('native', 'build.mjs')))) return
  const { code } = await runNode([inRoot('native', 'build.mjs')], { show: 'stderr' })
  if (code !== 0) {
    throw new ToolError(
      `native/build.mjs ended with exit code ${code}; see its messages above.`,
      'Without a C compiler it must fall back to WASM alone; anything else is a bug of ours.',
    )
  }
}

const buildTypeScript = async () => {
  const tsc = inRoot('node_modules', 'typescript', 'bin', 'tsc')
  const { code } = await runNode([tsc, '-b', inRoot()], { show: 'stderr' })
  if (code !== 0) {
    throw new ToolError('The TypeScript build failed.', 'Each line above names file and position.')
  }
}

/** @throws ToolError when something does not compile. */
export const ensureBuilt = async () => {
  const print = await fingerprint(await buildInputs())
  if (await isBuilt(print)) return
  say('building ...')
  const began = performance.now()
  await buildNative()
  await buildTypeScript()
  await pruneStale()
  // Taken again: a file written while the compiler ran is to be seen by the next build.
  const after = await fingerprint(await buildInputs())
  if (after === print) await writeFile(STAMP, print)
  say(`built in ${duration(performance.now() - began)}`)
}
