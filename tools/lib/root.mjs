/**
 * Where things are in this repository. Paths are absolute; nothing here touches the disk.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root directory, without a trailing slash. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '')

/** A path below the root. */
export const inRoot = (...parts) => join(ROOT, ...parts)

/** The folders that hold a workspace package. */
export const WORKSPACES = [
  'native',
  'packages/protocol',
  'packages/prover',
  'packages/chain',
  'packages/client',
  'packages/provider',
  'bench',
  'tests',
]
