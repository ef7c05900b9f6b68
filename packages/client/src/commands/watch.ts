/** `holdfast watch [dataset]`: checks what providers commit to, and disputes what they cannot show. */
import { EXIT_CODES, HoldfastError, milliseconds, toNumber } from '@holdfast/protocol'
import { tokenOf } from '../config/open-network.ts'
import { readConfig, type WatchConfig } from '../config/settings.ts'
import { datasetDigest } from '../publish/terms.ts'
import { parseAddress } from '../retrieve.ts'
import type { CommandResult } from '../ui/output.ts'
import { parseAmount, parseDuration } from '../ui/text.ts'
import type { WatchBudget } from '../watch/budget.ts'
import { WatchBook } from '../watch/watch-book.ts'
import type { WatchEvent } from '../watch/watch-events.ts'
import { watchLine } from '../watch/watch-line.ts'
import { Watcher, type WatchRequest } from '../watch/watcher.ts'
import type { Register, Runtime } from './runtime.ts'
import { type SigningSession, withSigner } from './session.ts'

interface WatchFlags {
  readonly gasBudget?: string
  readonly bondBudget?: string
  readonly dispute: boolean
  readonly global: boolean
  readonly once?: boolean
  readonly checkTimeout: string
}

/** Of the native coin, which has 18 decimals on every chain this runs on. */
const GAS_BUDGET = '0.05'
/** Of the network's first token. */
const BOND_BUDGET = '10'
const COIN_DECIMALS = 18

const HELP = `
Each period, once a provider has committed to it, your deals' entries and its 460 global ones (about
1 MB, which notice the loss of 1 % anywhere with 99 %) are fetched and verified. What a provider cannot show twice, or has not shown halfway through the time for disputes, is disputed on
chain; the slash is claimed when nobody answers. Opening a dispute puts a bond from your vault balance
at stake: an answer takes it, no answer returns it with half of the slash.

Budgets count per 30 periods. A flag goes before config.json ("watch": {"gasBudget": "0.05",
"bondBudget": "10"}). What cannot be afforded is said and not disputed.

With --json every event is one line of JSON. Ctrl-C ends it; started again it goes on where it was.`

export const registerWatch: Register = (program, run) => {
  program
    .command('watch [dataset]')
    .description('check what providers commit to about your deals, dispute what they cannot show')
    .option('--gas-budget <coin>', `native coin for gas per 30 periods (default ${GAS_BUDGET})`)
    .option(
      '--bond-budget <amount>',
      `bonds at stake or lost per 30 periods (default ${BOND_BUDGET})`,
    )
    .option('--no-dispute', 'look and tell, spend nothing')
    .option(
      '--no-global',
      'only your own deals’ entries, not the 460 over all that a provider holds',
    )
    .option('--once', 'look once and end; exit code 7 when something is wrong')
    .option('--check-timeout <duration>', 'how long to wait for one provider', '10s')
    .addHelpText('after', HELP)
    .action(
      run<WatchFlags>((runtime, flags, dataset) =>
        withSigner(runtime, (session) => watch(runtime, session, flags, dataset)),
      ),
    )
}

const watch = async (
  runtime: Runtime,
  session: SigningSession,
  flags: WatchFlags,
  dataset: string | undefined,
): Promise<CommandResult> => {
  const { ledger, connect, network } = session
  const home = runtime.settings.home.value
  const { watch: config = {} } = await readConfig(home)
  const request: WatchRequest = {
    budget: budgetOf(flags, config, tokenOf(network).decimals),
    disputes: flags.dispute,
    globals: flags.global,
    dataset: dataset === undefined ? undefined : digestOf(dataset),
    checkTimeoutMs: milliseconds(toNumber(parseDuration(flags.checkTimeout)) * 1000),
  }
  const book = await WatchBook.open(home, network, ledger.account)
  const tell = (event: WatchEvent): void =>
    runtime.output.line({ value: event, text: watchLine(event, tokenOf(network)) })
  try {
    const watcher = new Watcher({ ledger, connect, clock: runtime.clock, book, tell }, request)
    const counts =
      flags.once === true
        ? await watcher.once({ signal: runtime.signal })
        : await watcher.run(runtime.signal)
    const { gas, bonds } = watcher.spent
    const disputes = book.notes.disputes.size
    tell({ event: 'stopped', ...counts, disputes, gasUsed: gas, bondsAtStake: bonds })
    const isWrong = flags.once === true && counts.wrong > 0
    return { value: undefined, text: '', exit: isWrong ? EXIT_CODES.verification : EXIT_CODES.done }
  } finally {
    await book.close()
  }
}

const digestOf = (text: string): WatchRequest['dataset'] => {
  const { root, path } = parseAddress(text)
  if (path.length === 0) return datasetDigest(root)
  throw new HoldfastError({ code: 'USAGE', reason: 'give the dataset alone, without a path' })
}

const budgetOf = (flags: WatchFlags, config: WatchConfig, decimals: number): WatchBudget => ({
  gas: parseAmount(flags.gasBudget ?? config.gasBudget ?? GAS_BUDGET, COIN_DECIMALS),
  bonds: parseAmount(flags.bondBudget ?? config.bondBudget ?? BOND_BUDGET, decimals),
})
