/**
 * What every command gets: streams, progress, settings, the ambient ports, a signal that fires on
 * Ctrl-C. Commands are thin: parse, call the library, describe the result.
 */
import type { Clock, Logger, Random } from '@holdfast/protocol'
import type { Command } from 'commander'
import type { Settings } from '../config/settings.ts'
import type { CommandResult, Output } from '../ui/output.ts'
import type { Progress } from '../ui/progress.ts'

export interface GlobalFlags {
  readonly json?: boolean
  readonly home?: string
  readonly network?: string
  readonly progress?: string
  readonly keystore?: string
  readonly passphraseFile?: string
  readonly passphraseFd?: string
  readonly verbose?: boolean
}

export interface Runtime {
  readonly output: Output
  readonly progress: Progress
  readonly settings: Settings
  readonly flags: GlobalFlags
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** A command's body. `options` are the command's own, unchecked strings and booleans. */
export type CommandBody<Options> = (
  runtime: Runtime,
  options: Options,
  ...args: string[]
) => Promise<CommandResult>

/** Runs a body with a runtime, prints what it returns or throws, remembers the exit code. */
export type Run = <Options>(
  body: CommandBody<Options>,
) => (this: Command, ...args: unknown[]) => Promise<void>

/** Adds one or more commands to the program. */
export type Register = (program: Command, run: Run) => void
