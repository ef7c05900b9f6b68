/** `holdfast terminate <dataset>`: ends your deals on it and brings back what is left of the escrow. */
import type { Deal, TokenInfo } from '@holdfast/chain'
import {
  dealId,
  EXIT_CODES,
  HoldfastError,
  periodStart,
  type Timestamp,
  timestamp,
  toNumber,
} from '@holdfast/protocol'
import { parseAddress } from '../retrieve.ts'
import {
  type Ending,
  planEndings,
  type Step,
  type Terminated,
  type TerminateRequest,
  takeSteps,
} from '../terminate.ts'
import { errorText } from '../ui/error-text.ts'
import type { CommandResult } from '../ui/output.ts'
import { confirm } from '../ui/prompt.ts'
import { formatAmount, formatSeconds, formatTable } from '../ui/text.ts'
import type { Register } from './runtime.ts'
import { type SigningSession, withSigner } from './session.ts'

interface TerminateFlags {
  readonly deal?: string
  readonly yes?: boolean
}

export const registerTerminate: Register = (program, run) => {
  program
    .command('terminate <dataset>')
    .description('end your deals on it; run again when they are over, to get the rest back')
    .option('--deal <id>', 'only this deal; all of yours unless given')
    .option('--yes', 'do not ask')
    .action(
      run<TerminateFlags>((runtime, flags, dataset = '') =>
        withSigner(runtime, async (session) => {
          const request = requestOf(flags, dataset)
          const { ledger, signer, options } = session
          const now = timestamp(Math.floor(runtime.clock.now() / 1000))
          const own = { client: signer.address, request }
          const plan = await planEndings(ledger, own, { ...options, now })
          await approve(flags, plan, { session, now })
          const outcome = await takeSteps(ledger, plan, options)
          for (const { provider, error } of outcome.failures) {
            runtime.output.warn(`${provider}: ${errorText(error)}`)
          }
          const [first] = plan
          const token = session.network.tokens.find(
            ({ address }) => address === first?.deal.terms.token,
          )
          return describe(request, outcome, { token, now })
        }),
      ),
    )
}

const requestOf = ({ deal }: TerminateFlags, dataset: string): TerminateRequest => {
  const { root, path } = parseAddress(dataset)
  if (path.length > 0) {
    throw new HoldfastError({ code: 'USAGE', reason: 'give the dataset alone, without a path' })
  }
  return { root, ...(deal === undefined ? {} : { deal: dealId(deal) }) }
}

/** Asked at a terminal only, and only before bytes may be dropped: notice cannot be taken back. */
const approve = async (
  { yes }: TerminateFlags,
  plan: readonly { readonly deal: Deal; readonly step: Step }[],
  { session, now }: { readonly session: SigningSession; readonly now: Timestamp },
): Promise<void> => {
  const notices = plan.flatMap(({ step }) => (step.kind === 'notice' ? [step.end] : []))
  if (notices.length === 0 || yes === true || process.stdin.isTTY !== true) return
  const { network } = session.ledger
  const ends = notices.map((end) => untilThen(periodStart(network, end), now))
  const many = notices.length === 1 ? '1 deal' : `${notices.length} deals`
  if (await confirm(`end ${many} ${[...new Set(ends)].join(', ')}, for good?`)) return
  throw new HoldfastError({ code: 'DECLINED', reason: 'not confirmed' })
}

const describe = (
  { root }: TerminateRequest,
  { endings, failures }: Terminated,
  { token, now }: { readonly token: TokenInfo | undefined; readonly now: Timestamp },
): CommandResult => {
  const value = {
    dataset: root.toString(),
    token: token?.symbol ?? null,
    deals: endings.map(endingValue),
    failures: failures.map(({ deal, provider, error }) => ({
      deal,
      provider,
      code: error.code,
      message: errorText(error),
    })),
  }
  const rows = [
    ...endings.map((ending) => [ending.provider, sayState(ending, now), sayMoney(ending, token)]),
    ...failures.map(({ provider }) => [provider, 'failed', '-']),
  ]
  const text = formatTable(['provider', 'deal', 'back'], rows)
  const done = endings.some(({ did }) => did !== 'nothing')
  const exit = failures.length > 0 ? EXIT_CODES.partial : EXIT_CODES.done
  return { value, text, exit: done || failures.length > 0 ? exit : EXIT_CODES.nothingToDo }
}

const endingValue = (ending: Ending): Record<string, unknown> => {
  const { endsAt, closesAt, refunded, compensation, ...rest } = ending
  return {
    ...rest,
    endsAt: toNumber(endsAt),
    closesAt: closesAt === undefined ? null : toNumber(closesAt),
    refunded: refunded ?? null,
    compensation: compensation ?? null,
  }
}

const untilThen = (then: Timestamp, now: Timestamp): string =>
  then > now ? `in ${formatSeconds(then - now)}` : 'now'

const sayState = ({ state, endsAt, closesAt }: Ending, now: Timestamp): string => {
  if (state === 'closed' || closesAt === undefined) return 'closed'
  const closes = `can be closed ${untilThen(closesAt, now)}`
  return state === 'ending' ? `ends ${untilThen(endsAt, now)}, ${closes}` : `is over, ${closes}`
}

const sayMoney = ({ refunded, compensation }: Ending, token: TokenInfo | undefined): string => {
  if (refunded === undefined) return '-'
  const decimals = token?.decimals ?? 0
  const back = `${formatAmount(refunded, decimals)} ${token?.symbol ?? 'units'}`
  if (compensation === undefined || compensation === 0n) return back
  return `${back} and ${formatAmount(compensation, decimals)} from its collateral`
}
