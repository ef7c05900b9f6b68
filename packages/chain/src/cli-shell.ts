/**
 * What the small commands of this package share: a failure said once on stderr, with what to do
 * next, and the exit code of its row; SIGINT and SIGTERM as one signal.
 */
import { EXIT_CODES, HoldfastError, type Logger } from '@holdfast/protocol'
import { createJsonLogger } from './system-adapters.ts'

export interface Shell {
  readonly args: readonly string[]
  readonly logger: Logger
  /** Fires when the person or the system wants the command to end. */
  readonly signal: AbortSignal
  print(line: string): void
}

const told = (failure: unknown): number => {
  if (!HoldfastError.is(failure)) {
    const text = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)
    process.stderr.write(`${text}\n`)
    return EXIT_CODES.error
  }
  process.stderr.write(`${failure.message}\n${failure.hint}\n`)
  return EXIT_CODES[failure.row.exit]
}

/** Runs a command and sets the exit code. */
export const runCommand = async (command: (shell: Shell) => Promise<void>): Promise<void> => {
  const stop = new AbortController()
  const abort = (): void => stop.abort()
  process.once('SIGINT', abort)
  process.once('SIGTERM', abort)
  try {
    await command({
      args: process.argv.slice(2),
      logger: createJsonLogger(process.stderr),
      signal: stop.signal,
      print: (line) => process.stdout.write(`${line}\n`),
    })
  } catch (failure) {
    process.exitCode = told(failure)
  } finally {
    process.removeListener('SIGINT', abort)
    process.removeListener('SIGTERM', abort)
  }
}

/** @throws HoldfastError `USAGE` instead of what `parseArgs` throws. */
export const usageError = (cause: unknown, usage: string): HoldfastError => {
  const reason = `${cause instanceof Error ? cause.message : String(cause)}\n${usage}`
  return new HoldfastError({ code: 'USAGE', reason }, { cause })
}
