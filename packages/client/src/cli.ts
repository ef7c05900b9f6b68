/**
 * The `holdfast` command: the one place where ports meet their adapters. Parses the command line,
 * builds the runtime, runs one command, prints one result, exits with its code.
 */
import { EXIT_CODES, HoldfastError, type Logger, silentLogger } from '@holdfast/protocol'
import { Command, CommanderError } from 'commander'
import { loadCommands } from './commands/all.ts'
import type { CommandBody, GlobalFlags, Register, Run, Runtime } from './commands/runtime.ts'
import { loadSettings } from './config/settings.ts'
import { systemClock, systemRandom } from './system-ambient.ts'
import { refuseSecrets } from './ui/argv-guard.ts'
import { toHoldfastError } from './ui/json.ts'
import { Output } from './ui/output.ts'
import { createProgress, type ProgressMode } from './ui/progress.ts'

const VERSION = '0.1.0'

const usage = (reason: string): HoldfastError => new HoldfastError({ code: 'USAGE', reason })

/** Fires on the first Ctrl-C or SIGTERM; the second one ends the process at once. */
const stopSignal = (): AbortSignal => {
  const controller = new AbortController()
  const stop = (name: string): void => {
    if (controller.signal.aborted) process.exit(EXIT_CODES.error)
    controller.abort(new Error(name))
  }
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGTERM', () => stop('SIGTERM'))
  return controller.signal
}

const progressMode = (flags: GlobalFlags): ProgressMode => {
  switch (flags.progress ?? 'auto') {
    case 'auto':
      return process.stderr.isTTY === true && flags.json !== true ? 'terminal' : 'none'
    case 'terminal':
      return 'terminal'
    case 'jsonl':
      return 'jsonl'
    case 'none':
      return 'none'
    default:
      throw usage(`--progress ${flags.progress} is none of auto, terminal, jsonl, none`)
  }
}

const openRuntime = async (flags: GlobalFlags, output: Output): Promise<Runtime> => ({
  output,
  flags,
  progress: createProgress({
    mode: progressMode(flags),
    clock: systemClock,
    write: (text) => process.stderr.write(text),
  }),
  settings: await loadSettings(flags, process.env),
  clock: systemClock,
  random: systemRandom,
  logger: flags.verbose === true ? await verboseLogger() : silentLogger,
  signal: stopSignal(),
})

const verboseLogger = async (): Promise<Logger> => {
  const { createJsonLogger } = await import('@holdfast/chain')
  return createJsonLogger(process.stderr, { level: 'debug' })
}

const buildProgram = (commands: readonly Register[], run: Run, json: boolean): Command => {
  const program = new Command('holdfast')
    .description('Publish datasets to storage that proves itself, and read them back verified.')
    .version(VERSION)
    .option('--json', 'print exactly one JSON value on stdout')
    .option('--network <file>', 'network file (env HOLDFAST_NETWORK)')
    .option('--home <dir>', 'where configuration and records live (env HOLDFAST_HOME)')
    .option('--keystore <file>', 'the key to use (env HOLDFAST_KEYSTORE)')
    .option('--passphrase-file <file>', 'its passphrase (env HOLDFAST_PASSPHRASE_FILE)')
    .option('--passphrase-fd <n>', 'read the passphrase from an open descriptor')
    .option('--progress <mode>', 'auto, terminal, jsonl or none', 'auto')
    .option('--verbose', 'log to stderr as JSON lines')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => (json ? undefined : write(text)) })
    .addHelpText('after', EXIT_HELP)
    .exitOverride()
  for (const register of commands) register(program, run)
  return program
}

const EXIT_HELP = `
Exit codes: 0 done, 1 error, 2 usage, 3 not found, 4 partial, 5 try again later,
6 funds missing, 7 verification failed, 8 declined, 9 nothing to do, 10 timed out.`

/** Parses and runs; returns the exit code. Everything printed is flushed. */
const main = async (argv: readonly string[]): Promise<number> => {
  const json = argv.includes('--json')
  const output = new Output({ stdout: process.stdout, stderr: process.stderr }, json)
  let exit: number = EXIT_CODES.done
  const run: Run = (body) =>
    async function runBody(...args) {
      const flags = this.optsWithGlobals<GlobalFlags>()
      const runtime = await openRuntime(flags, output)
      const texts = args.filter((arg): arg is string => typeof arg === 'string')
      const result = await (body as CommandBody<unknown>)(runtime, this.opts(), ...texts)
      exit = output.result(result)
    }
  try {
    refuseSecrets(argv)
    const commands = await loadCommands(argv)
    await buildProgram(commands, run, json).parseAsync(argv, { from: 'user' })
  } catch (error) {
    exit = failed(error, output)
  }
  await output.flush()
  return exit
}

const failed = (error: unknown, output: Output): number => {
  if (!(error instanceof CommanderError)) return output.failure(toHoldfastError(error))
  if (error.exitCode === 0) return EXIT_CODES.done
  // Commander has told people already; programs get one JSON value.
  if (output.json) output.failure(usage(error.message.replace(/^error: /, '')))
  return EXIT_CODES.usage
}

// A reader that went away (`holdfast cat … | head`) is no reason for a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT_CODES.done : EXIT_CODES.error)
})

process.exit(await main(process.argv.slice(2)))
