/** The flags that decide a CID; the same on every command that reads a directory. */
import type { Command } from 'commander'
import type { PackOptions } from '../pack.ts'
import { DEFAULT_PROFILE, PROFILE_NAMES } from '../unixfs/profiles.ts'
import type { Runtime } from './runtime.ts'

export interface PackFlags {
  readonly profile?: string
  readonly hash?: string
  readonly hidden?: boolean
}

export const withPackFlags = (command: Command): Command =>
  command
    .option('--profile <name>', `CID profile: ${PROFILE_NAMES.join(', ')}`, DEFAULT_PROFILE)
    .option('--hash <name>', 'sha2-256 or blake3', 'sha2-256')
    .option('--hidden', 'include entries whose names start with a dot')

export const packOptions = (runtime: Runtime, flags: PackFlags): PackOptions => ({
  ...(flags.profile === undefined ? {} : { profile: flags.profile }),
  ...(flags.hash === undefined ? {} : { hash: flags.hash }),
  hidden: flags.hidden === true,
  progress: runtime.progress,
  signal: runtime.signal,
})
