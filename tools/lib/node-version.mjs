/**
 * Refuses a Node that is too old before anything else runs, in words that say what is needed. The
 * bound is `engines.node` of the root package.json; nothing else in the tools repeats it.
 */
import { readFileSync } from 'node:fs'
import { inRoot } from './root.mjs'
import { ToolError } from './say.mjs'

const parts = (version) => version.split('.').map(Number)

/** True when `version` (`20.20.2`) is at least `bound` (`20.19.0`). */
export const atLeast = (version, bound) => {
  const have = parts(version)
  const want = parts(bound)
  const at = want.findIndex((number, index) => (have[index] ?? 0) !== number)
  return at === -1 || (have[at] ?? 0) > want[at]
}

/** @throws ToolError when this Node is older than the repository supports. */
export const requireNode = (version = process.versions.node) => {
  const { engines } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))
  const bound = engines.node.replace(/^>=/, '')
  if (atLeast(version, bound)) return
  throw new ToolError(
    `Holdfast needs Node ${bound} or newer; this is Node ${version}.`,
    'Install a current LTS release of Node, then run the same command again.',
  )
}
