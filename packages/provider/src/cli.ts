/**
 * The `holdfast-provider` command: flags to functions, errors to exit codes. No secret is ever taken
 * from the command line: keys come from keystore files, passphrases from files.
 */
import { systemClock } from '@holdfast/chain'
import { EXIT_CODES, HoldfastError } from '@holdfast/protocol'
import { Argument, Command, CommanderError, Option } from 'commander'
import { type DashboardFlags, dashboard } from './cli/dashboard.ts'
import { type ExitFlags, exit } from './cli/exit.ts'
import { type InitFlags, init } from './cli/init.ts'
import { drained } from './cli/log-sink.ts'
import { deals, type EarningsFlags, earnings, type LookFlags, status } from './cli/look.ts'
import { claim, stake, withdraw } from './cli/money.ts'
import { type CommandResult, printError, printResult } from './cli/output.ts'
import type { OwnerFlags } from './cli/owner.ts'
import { type RebuildFlags, rebuild } from './cli/rebuild.ts'
import { type RunFlags, run } from './cli/run.ts'
import { type ScrubFlags, scrub } from './cli/scrub.ts'
import { VOLUME_ACTIONS, type VolumeAction, type VolumesFlags, volumes } from './cli/volumes.ts'

const VERSION = '0.1.0'
/** What a node still has to say when it ends is waited for so long. */
const LAST_WORDS_MS = 1000

interface JsonFlag {
  readonly json?: boolean
}

const fromEnvironment = (flags: string, description: string, variable: string): Option =>
  new Option(flags, description).env(variable)

const home = (): Option =>
  fromEnvironment(
    '--home <dir>',
    "the provider's directory",
    'HOLDFAST_PROVIDER_HOME',
  ).makeOptionMandatory(true)

const network = (): Option =>
  fromEnvironment('--network <file>', 'the network file', 'HOLDFAST_NETWORK')

const finish = async (work: Promise<CommandResult>, json: boolean): Promise<void> => {
  try {
    printResult(await work, json)
  } catch (error) {
    process.exitCode = printError(error, json)
  }
}

const initCommand = (program: Command): void => {
  program
    .command('init')
    .description('make a provider: its directory, its keys for TLS, its entry on the ledger')
    .addOption(home())
    .addOption(network().makeOptionMandatory(true))
    .requiredOption('--region <name>', 'where the bytes are, for clients that care')
    .requiredOption('--price <tokens>', 'per TiB and 30 days')
    .requiredOption('--capacity <size>', 'disk to offer, for example 10GiB')
    .option('--proving-fee <tokens>', 'per deal and 30 days', '0')
    .option('--egress-price <tokens>', 'per TiB read', '0')
    .option('--host <host>', 'where to listen, and what clients are told', '127.0.0.1')
    .option('--grpc-port <port>', '0 takes a free one and keeps it', '0')
    .option('--http-port <port>', '0 takes a free one and keeps it', '0')
    .requiredOption('--owner-keystore <file>', 'the account that registers and is paid')
    .requiredOption('--owner-passphrase-file <file>', 'its passphrase')
    .requiredOption('--operator-keystore <file>', 'the account that proves and signs')
    .requiredOption('--operator-passphrase-file <file>', 'its passphrase')
    .option('--stake <tokens>', 'locked while registered', '100')
    .option('--collateral-fund <tokens>', 'deposited for the collateral of deals', '1000')
    .option('--beneficiary <address>', 'who gets what deals earn: an address, or owner')
    .option('--settle-every <periods>', 'proven periods after which a deal is settled')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON value')
    .action((flags: InitFlags & JsonFlag) => finish(init(flags), flags.json === true))
}

const runCommand = (program: Command): void => {
  program
    .command('run')
    .description('serve, prove and settle until told to stop')
    .addOption(home())
    .addOption(network())
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (flags: RunFlags) => {
      try {
        await run(flags, `holdfast-provider/${VERSION}`)
      } catch (error) {
        process.exitCode = printError(error, false)
      }
      // A full pipe that nobody reads would keep the process alive for ever.
      await drained(process.stderr, systemClock, LAST_WORDS_MS)
      process.exit()
    })
}

const lookCommand = (
  program: Command,
  name: string,
  description: string,
  look: (flags: LookFlags) => Promise<CommandResult>,
): void => {
  program
    .command(name)
    .description(description)
    .addOption(home())
    .addOption(network())
    .option('--json', 'print one JSON value')
    .action((flags: LookFlags & JsonFlag) => finish(look(flags), flags.json === true))
}

const earningsCommand = (program: Command): void => {
  program
    .command('earnings')
    .description('what every deal earned and cost: settled, pending, gas, egress; and over time')
    .addOption(home())
    .addOption(network())
    .option('--by <span>', 'how earnings over time are summed up: day or period')
    .option('--json', 'print one JSON value')
    .action((flags: EarningsFlags & JsonFlag) => finish(earnings(flags), flags.json === true))
}

const dashboardCommand = (program: Command): void => {
  program
    .command('dashboard')
    .description("a link to the node's page that logs in once")
    .addOption(home())
    .option('--sign <challenge>', "sign what the page's login shows, with the operator's key")
    .option('--json', 'print one JSON value')
    .action((flags: DashboardFlags & JsonFlag) => finish(dashboard(flags), flags.json === true))
}

const ownerOptions = (command: Command): Command =>
  command
    .addOption(home())
    .addOption(network())
    .requiredOption('--owner-keystore <file>', 'the account that registered')
    .requiredOption('--owner-passphrase-file <file>', 'its passphrase')
    .option('--json', 'print one JSON value')

const moneyCommands = (program: Command): void => {
  ownerOptions(
    program
      .command('stake')
      .argument('<tokens>', 'how much to add, for example 50')
      .description('lock more stake, from the vault and then from the wallet of the owner'),
  ).action((tokens: string, flags: OwnerFlags & JsonFlag) =>
    finish(stake(tokens, flags), flags.json === true),
  )
  ownerOptions(
    program
      .command('withdraw')
      .argument('<tokens>', 'how much, or all')
      .description("move free money from the vault to the owner's account"),
  ).action((tokens: string, flags: OwnerFlags & JsonFlag) =>
    finish(withdraw(tokens, flags), flags.json === true),
  )
  ownerOptions(
    program
      .command('claim')
      .description('credit what deals earned to the beneficiary that init named'),
  ).action((flags: OwnerFlags & JsonFlag) => finish(claim(flags), flags.json === true))
  ownerOptions(
    program
      .command('exit')
      .description('take no new deals, see the others to their end, take stake and money home')
      .option('--wait', 'stay until all of it is done')
      .addHelpText(
        'after',
        '\nRun it again to go on; the node must run until the last deal is over. init undoes the notice.',
      ),
  ).action((flags: ExitFlags & JsonFlag) => finish(exit(flags), flags.json === true))
}

const scrubCommand = (program: Command): void => {
  program
    .command('scrub')
    .description('check every stored byte; of a running node, how its own scrubbing stands')
    .addOption(home())
    .option('--json', 'print one JSON value')
    .action((flags: ScrubFlags & JsonFlag) => finish(scrub(flags), flags.json === true))
}

const rebuildCommand = (program: Command): void => {
  program
    .command('rebuild')
    .description('read the indexes from the sectors again; the node must not be running')
    .addOption(home())
    .option('--deep', 'from the records themselves, not from footers')
    .option('--json', 'print one JSON value')
    .action((flags: RebuildFlags & JsonFlag) => finish(rebuild(flags), flags.json === true))
}

const volumesCommand = (program: Command): void => {
  program
    .command('volumes')
    .description('the disks that payloads lie on; a running node changes them at once')
    .addArgument(new Argument('<action>', 'what to do').choices(VOLUME_ACTIONS))
    .argument('[directory]', 'which volume')
    .addOption(home())
    .option('--capacity <size>', 'with add: how much of it may be taken, for example 2TiB')
    .option('--json', 'print one JSON value')
    .action((action: VolumeAction, directory: string | undefined, flags: VolumesFlags & JsonFlag) =>
      finish(volumes(action, directory, flags), flags.json === true),
    )
}

const main = async (): Promise<void> => {
  const program = new Command('holdfast-provider')
    .description('Store payloads, prove that you do, be paid for it.')
    .version(VERSION)
    .exitOverride()
  initCommand(program)
  runCommand(program)
  lookCommand(
    program,
    'status',
    'how the node is, whether it may be stopped, what is wrong',
    status,
  )
  lookCommand(program, 'deals', 'every deal: state, size, periods, proofs, damage', deals)
  earningsCommand(program)
  dashboardCommand(program)
  moneyCommands(program)
  scrubCommand(program)
  rebuildCommand(program)
  volumesCommand(program)
  try {
    await program.parseAsync()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage
    if (error.exitCode === 0 || !process.argv.includes('--json')) return
    const reason = error.message.replace(/^error: /, '')
    printError(new HoldfastError({ code: 'USAGE', reason }), true)
  }
}

await main()
