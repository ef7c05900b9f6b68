/** The flags of `plan` and `publish`: how many replicas, how long, where, for how much. */
import type { NetworkFile, TokenInfo } from '@holdfast/chain'
import {
  type Amount,
  divUp,
  HoldfastError,
  PERIODS_MAX,
  type Periods,
  periods,
} from '@holdfast/protocol'
import type { Command } from 'commander'
import { tokenOf } from '../config/open-network.ts'
import { parseAmount, parseDuration } from '../ui/text.ts'
import { type PackFlags, withPackFlags } from './pack-flags.ts'

export interface PublishFlags extends PackFlags {
  readonly replicas: string
  readonly term: string
  readonly region?: string
  readonly maxPrice?: string
  readonly token?: string
  readonly encrypt?: boolean
  readonly yes?: boolean
  readonly out?: string
}

export interface Wishes {
  readonly replicas: number
  readonly periods: Periods
  readonly region: string
  readonly maxPrice: Amount | undefined
  readonly token: TokenInfo
}

const REPLICAS_MAX = 64

export const withPublishFlags = (command: Command): Command =>
  withPackFlags(command)
    .option('--replicas <n>', 'copies, each at another provider', '2')
    .option('--term <duration>', 'how long, for example 30d', '30d')
    .option('--region <name>', 'only providers of this region')
    .option('--max-price <amount>', 'tokens per TiB-month, at most')
    .option('--token <symbol>', "the network's default token unless given")
    .option('--encrypt', 'encrypt every replica under its own key (not available yet)')

/** @throws HoldfastError `USAGE`. */
export const parseWishes = (flags: PublishFlags, network: NetworkFile): Wishes => {
  const usage = (reason: string): HoldfastError => new HoldfastError({ code: 'USAGE', reason })
  if (flags.encrypt === true) throw usage('--encrypt is not available in this version')
  const replicas = Number(flags.replicas)
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > REPLICAS_MAX) {
    throw usage(`--replicas ${flags.replicas}: a number of replicas from 1 to ${REPLICAS_MAX}`)
  }
  const token = tokenOf(network, flags.token)
  const term = divUp(parseDuration(flags.term), network.period)
  if (term < 1n || term > PERIODS_MAX) throw usage(`--term ${flags.term} is out of range`)
  return {
    replicas,
    periods: periods(term),
    region: flags.region ?? '',
    maxPrice:
      flags.maxPrice === undefined ? undefined : parseAmount(flags.maxPrice, token.decimals),
    token,
  }
}
