/** `holdfast plan <path>`: signed quotes and the exact bill; nothing is spent. */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { NetworkFile } from '@holdfast/chain'
import { encodePlan, makePlan, type Plan } from '../plan.ts'
import { toJson } from '../ui/json.ts'
import { formatAmount, formatBytes, formatTable } from '../ui/text.ts'
import { packOptions } from './pack-flags.ts'
import { type PublishFlags, parseWishes, withPublishFlags } from './publish-flags.ts'
import type { Register } from './runtime.ts'
import { withNetwork } from './session.ts'

export const registerPlan: Register = (program, run) => {
  withPublishFlags(program.command('plan <path>'))
    .description('signed quotes and the exact bill, nothing spent')
    .option('--out <file>', 'write the plan, to be published later')
    .action(
      run<PublishFlags>((runtime, flags, path = '') =>
        withNetwork(runtime, async (session) => {
          const { network, options } = session
          const request = {
            ...parseWishes(flags, network),
            path: resolve(path),
            pack: packOptions(runtime, flags),
          }
          const plan = await makePlan({ ...session, clock: runtime.clock }, request, options)
          const value = encodePlan(plan, network)
          if (flags.out !== undefined) await writeFile(flags.out, `${toJson(value)}\n`)
          return { value, text: describePlan(plan, network) }
        }),
      ),
    )
}

/** The bill for people; also shown by `publish` before it asks. */
export const describePlan = (
  { packed, offers, total, request }: Plan,
  network: NetworkFile,
): string => {
  const { symbol, decimals } = request.token
  const days = Number(request.periods * network.period) / 86_400
  const rows = offers.map(({ record, response, cost }) => [
    record.provider,
    record.region,
    formatAmount(record.pricePerTibMonth, decimals),
    formatAmount(response.quote.collateral, decimals),
    `${formatAmount(cost, decimals)} ${symbol}`,
  ])
  return [
    `dataset  ${packed.root.toString()}`,
    `payload  ${formatBytes(packed.length)} in ${packed.blocks} blocks, ${packed.files} files`,
    `term     ${request.periods} periods (${days < 1 ? days.toFixed(3) : days.toFixed(1)} days)`,
    '',
    formatTable(['provider', 'region', 'per TiB-month', 'its collateral', 'whole term'], rows),
    '',
    `total    ${formatAmount(total, decimals)} ${symbol}, the most that can be charged`,
  ].join('\n')
}
