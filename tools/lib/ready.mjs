/**
 * The way from a fresh clone to something that runs, taken by every command of the repository:
 * Node new enough, dependencies installed, everything built. Each step is skipped when it is done.
 */
import { ensureBuilt } from './built.mjs'
import { ensureInstalled } from './installed.mjs'
import { requireNode } from './node-version.mjs'

/** @throws ToolError that says which step failed and what to do. */
export const ensureReady = async () => {
  requireNode()
  await ensureInstalled()
  await ensureBuilt()
}
