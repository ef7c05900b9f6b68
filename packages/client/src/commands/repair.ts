/** `holdfast repair <dataset>`: brings lost bytes back to the provider that lost them. */
import { dealId, EXIT_CODES, HoldfastError, toNumber } from '@holdfast/protocol'
import { openProver } from '@holdfast/prover'
import { type Repaired, type RepairRequest, repair } from '../repair.ts'
import { parseAddress } from '../retrieve.ts'
import { errorText } from '../ui/error-text.ts'
import type { CommandResult } from '../ui/output.ts'
import { formatTable, parseDuration } from '../ui/text.ts'
import type { Register } from './runtime.ts'
import { withSigner } from './session.ts'

interface RepairFlags {
  readonly deal?: string
  readonly wait: boolean
  readonly timeout: string
}

export const registerRepair: Register = (program, run) => {
  program
    .command('repair <dataset>')
    .description('send lost bytes back to the provider that lost them, from another replica')
    .option('--deal <id>', 'only this deal; every faulty one of yours unless given')
    .option('--no-wait', 'do not wait until the deal is active again')
    .option('--timeout <duration>', 'how long to wait for each deal', '5m')
    .action(
      run<RepairFlags>((runtime, flags, dataset = '') =>
        withSigner(runtime, async (session) => {
          const request = requestOf(flags, dataset)
          const prover = await openProver()
          try {
            const { clock, random, progress, settings } = runtime
            const ambient = { clock, random, progress, prover, home: settings.home.value }
            const outcome = await repair({ ...session, ...ambient }, request, session.options)
            for (const { provider, error } of [...outcome.left, ...outcome.failures]) {
              runtime.output.warn(`${provider}: ${errorText(error)}`)
            }
            return describe(request, outcome)
          } finally {
            await prover.close()
          }
        }),
      ),
    )
}

const requestOf = (flags: RepairFlags, dataset: string): RepairRequest => {
  const { root, path } = parseAddress(dataset)
  if (path.length > 0) {
    throw new HoldfastError({ code: 'USAGE', reason: 'give the dataset alone, without a path' })
  }
  const timeoutMs = flags.wait ? toNumber(parseDuration(flags.timeout)) * 1000 : 0
  return { root, timeoutMs, ...(flags.deal === undefined ? {} : { deal: dealId(flags.deal) }) }
}

const describe = (request: RepairRequest, outcome: Repaired): CommandResult => {
  const { root } = request
  const { repaired, failures, left } = outcome
  const value = {
    dataset: root.toString(),
    repaired,
    failures: failures.map(({ deal, provider, error }) => ({
      deal,
      provider,
      code: error.code,
      message: errorText(error),
    })),
    left: left.map(({ deal, provider, error }) => ({ deal, provider, code: error.code })),
  }
  const rows = [
    ...repaired.map(({ provider, deal, state }) => [provider, state, deal]),
    ...failures.map(({ provider, deal }) => [provider, 'failed', deal]),
  ]
  const text = formatTable(['provider', 'state', 'deal'], rows)
  return { value, text, exit: exitOf(request, outcome) }
}

/** Bytes that are stored and not active yet are what was asked for when nobody wanted to wait. */
const exitOf = ({ timeoutMs }: RepairRequest, { repaired, failures }: Repaired): number => {
  if (failures.length > 0) return EXIT_CODES.partial
  const active = repaired.every(({ state }) => state === 'active')
  return active || timeoutMs === 0 ? EXIT_CODES.done : EXIT_CODES.timedOut
}
