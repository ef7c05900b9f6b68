/** `holdfast publish <path|plan.json>`: pack, upload, deals; continues when it is run again. */
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { EXIT_CODES, schemeName, toNumber } from '@holdfast/protocol'
import { openProver } from '@holdfast/prover'
import { tokenOf } from '../config/open-network.ts'
import { decodePlan, planOffers, type SavedPlan } from '../plan.ts'
import type { Bill } from '../publish/job-types.ts'
import { type Published, type PublishRequest, publish } from '../publish.ts'
import { errorText } from '../ui/error-text.ts'
import type { CommandResult } from '../ui/output.ts'
import { confirm } from '../ui/prompt.ts'
import { formatAmount, formatBytes, formatTable } from '../ui/text.ts'
import { packOptions } from './pack-flags.ts'
import { type PublishFlags, parseWishes, withPublishFlags } from './publish-flags.ts'
import type { Register, Runtime } from './runtime.ts'
import { type SigningSession, withSigner } from './session.ts'

export const registerPublish: Register = (program, run) => {
  withPublishFlags(program.command('publish <path>'))
    .description('pack, upload, open deals; takes a path or a plan file, resumes when run again')
    .option('--yes', 'accept the bill without asking')
    .action(
      run<PublishFlags>((runtime, flags, path = '') =>
        withSigner(runtime, async (session) => {
          const request = await requestOf(runtime, session, flags, path)
          const prover = await openProver()
          try {
            const { clock, random, progress, settings } = runtime
            const ambient = { clock, random, progress, prover, home: settings.home.value }
            const published = await publish({ ...session, ...ambient }, request, session.options)
            warnFailures(runtime, published)
            return describe(published)
          } finally {
            await prover.close()
          }
        }),
      ),
    )
}

const requestOf = async (
  runtime: Runtime,
  session: SigningSession,
  flags: PublishFlags,
  path: string,
): Promise<PublishRequest> => {
  const approve = (bill: Bill): Promise<boolean> => approveBill(runtime, flags, bill)
  const plan = await readPlan(path)
  if (plan !== undefined) return planRequest(runtime, session, plan, approve)
  const wishes = parseWishes(flags, session.network)
  return { ...wishes, path: resolve(path), pack: packOptions(runtime, flags), approve }
}

/** A plan is a small JSON file that says so; everything else is data to publish. */
const PLAN_BYTES_MAX: number = 1024 * 1024

const readPlan = async (path: string): Promise<SavedPlan | undefined> => {
  if (!path.endsWith('.json')) return undefined
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() !== true || found.size > PLAN_BYTES_MAX) return undefined
  return decodePlan(await readFile(path, 'utf8'), path)
}

const planRequest = async (
  runtime: Runtime,
  { network, ledger, options }: SigningSession,
  plan: SavedPlan,
  approve: (bill: Bill) => Promise<boolean>,
): Promise<PublishRequest> => {
  const token = tokenOf(network, plan.token)
  const offers = await planOffers(plan, token, { ledger, clock: runtime.clock }, options)
  const { path, dataset: expected, profile, hash, hidden, replicas, periods, region } = plan
  const pack = packOptions(runtime, { profile, hash, hidden })
  return {
    path,
    expected,
    pack,
    replicas,
    periods,
    region,
    token,
    offers,
    approve,
    maxPrice: undefined,
  }
}

/** Asked at a terminal only; elsewhere running the command is the answer. */
const approveBill = async (
  runtime: Runtime,
  flags: PublishFlags,
  { token, total, offers }: Bill,
): Promise<boolean> => {
  if (flags.yes === true || process.stdin.isTTY !== true) return true
  const rows = offers.map(({ record, cost }) => [
    record.provider,
    record.region,
    `${formatAmount(cost, token.decimals)} ${token.symbol}`,
  ])
  runtime.output.note(formatTable(['provider', 'region', 'whole term'], rows))
  return confirm(`Pay at most ${formatAmount(total, token.decimals)} ${token.symbol}?`)
}

const warnFailures = ({ output }: Runtime, { failures }: Published): void => {
  for (const { provider, error } of failures) output.warn(`${provider}: ${errorText(error)}`)
}

const exitOf = ({ deals, wanted, unchanged }: Published): number => {
  if (deals.length < wanted) return EXIT_CODES.partial
  return unchanged ? EXIT_CODES.nothingToDo : EXIT_CODES.done
}

const describe = (published: Published): CommandResult => {
  const { packed, commitment, deals, total, token, wanted, failures, unchanged } = published
  const dataset = packed.root.toString()
  const value = {
    dataset,
    profile: packed.profile,
    bytes: toNumber(packed.bytes),
    blocks: packed.blocks,
    files: packed.files,
    payload: {
      scheme: schemeName(commitment.scheme),
      root: commitment.root,
      length: toNumber(commitment.length),
    },
    deals: deals.map(({ id, terms, start, end }) => ({
      id,
      provider: terms.provider,
      rate: terms.rate,
      start,
      end,
    })),
    cost: { token: token.symbol, total, decimals: token.decimals, address: token.address },
    replicas: { wanted, open: deals.length },
    unchanged,
    failures: failures.map(({ provider, error }) => ({
      provider,
      code: error.code,
      message: errorText(error),
    })),
  }
  const rows = deals.map(({ id, terms }) => [terms.provider, id])
  const text = [
    dataset,
    `${formatBytes(packed.bytes)} in ${packed.blocks} blocks, ${deals.length} of ${wanted} replicas`,
    formatTable(['provider', 'deal'], rows),
    `at most ${formatAmount(total, token.decimals)} ${token.symbol}`,
    ...(unchanged ? ['Nothing to do: all of it is stored already.'] : []),
  ].join('\n')
  return { value, text, exit: exitOf(published) }
}
