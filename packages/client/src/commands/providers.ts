/** `holdfast providers`: who stores, at what price, with what record. */
import { HoldfastError } from '@holdfast/protocol'
import { tokenOf } from '../config/open-network.ts'
import { listProviders, type ProviderSummary } from '../provider-list.ts'
import { formatAmount, formatTable, parseAmount } from '../ui/text.ts'
import type { Register } from './runtime.ts'
import { withNetwork } from './session.ts'

interface Flags {
  readonly region?: string
  readonly maxPrice?: string
  readonly minScore?: string
}

export const registerProviders: Register = (program, run) => {
  program
    .command('providers')
    .description('who stores, at what price, with what proof record')
    .option('--region <name>', 'only this region')
    .option('--max-price <amount>', 'tokens per TiB-month, at most')
    .option('--min-score <percent>', 'proven periods of the last 30 that counted, at least')
    .action(
      run<Flags>((runtime, flags) =>
        withNetwork(runtime, async ({ ledger, network, options }) => {
          const { decimals, symbol } = tokenOf(network)
          const { region, maxPrice, minScore } = flags
          const filter = {
            ...(region === undefined ? {} : { region }),
            ...(maxPrice === undefined ? {} : { maxPrice: parseAmount(maxPrice, decimals) }),
            ...(minScore === undefined ? {} : { minScore: parseScore(minScore) }),
          }
          const found = await listProviders(ledger, filter, options)
          const providers = found.map((summary) => toValue(summary))
          return { value: { token: symbol, decimals, providers }, text: toTable(found, decimals) }
        }),
      ),
    )
}

const parseScore = (text: string): number => {
  const score = Number(text)
  if (text.trim() !== '' && score >= 0 && score <= 100) return score
  throw new HoldfastError({ code: 'USAGE', reason: `--min-score ${text} is not from 0 to 100` })
}

const toValue = ({ record, deals, counted, proven, score }: ProviderSummary): unknown => ({
  provider: record.provider,
  operator: record.operator,
  endpoint: record.endpoint,
  region: record.region,
  accepting: record.accepting,
  token: record.token,
  pricePerTibMonth: record.pricePerTibMonth,
  provingFeeMonth: record.provingFeeMonth,
  egressPerTib: record.egressPerTib,
  stake: record.stake,
  deals,
  record: { counted, proven },
  score: score ?? null,
})

const toTable = (found: readonly ProviderSummary[], decimals: number): string =>
  formatTable(
    ['provider', 'region', 'per TiB-month', 'per deal-month', 'stake', 'deals', 'proven', ''],
    found.map(({ record, deals, counted, proven, score }) => [
      record.provider,
      record.region,
      formatAmount(record.pricePerTibMonth, decimals),
      formatAmount(record.provingFeeMonth, decimals),
      formatAmount(record.stake, decimals),
      String(deals),
      score === undefined ? '-' : `${proven}/${counted} (${score} %)`,
      record.accepting ? '' : 'takes no new deals',
    ]),
  )
