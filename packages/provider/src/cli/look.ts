/**
 * `status`, `deals` and `earnings`: a running node is asked over its admin socket; while it is down
 * the ledger and the node's books are read instead. Nothing here changes anything.
 */
import { resolve } from 'node:path'
import { openEvmLedger, readNetwork, systemClock } from '@holdfast/chain'
import { HoldfastError, silentLogger } from '@holdfast/protocol'
import { holderOf } from '@holdfast/prover'
import { type AdminAnswer, askAdmin } from '../admin/client.ts'
import { readConfig } from '../config.ts'
import { type HomePaths, homePaths } from '../home.ts'
import { dealLines, earningsLines, type Money, statusLines } from './look-lines.ts'
import { type Offline, offlineDeals, offlineEarnings, offlineStatus } from './look-offline.ts'
import { type CommandResult, toJson } from './output.ts'

export interface LookFlags {
  readonly home: string
  readonly network?: string
}

export interface EarningsFlags extends LookFlags {
  readonly by?: string
}

/** An operation of the node, or the same answer without it. */
interface Question {
  readonly name: string
  readonly input?: Readonly<Record<string, unknown>>
  readonly offline: (offline: Offline) => Promise<object>
  readonly lines: (answer: AdminAnswer, money: Money) => readonly string[]
}

const ask = async (flags: LookFlags, question: Question): Promise<CommandResult> => {
  const paths = homePaths(resolve(flags.home))
  const config = await readConfig(paths.config)
  const network = await readNetwork(flags.network ?? config.network)
  const token = network.tokens.find(({ address }) => address === config.token)
  const money = { decimals: token?.decimals ?? 0, symbol: token?.symbol ?? config.token }
  const pid = await holderOf(paths.lock)
  const found =
    (pid === undefined ? undefined : await askRunning(paths, question)) ??
    (await askLedger({ paths, config, network }, question))
  const json = { running: pid !== undefined, ...(pid === undefined ? {} : { pid }), ...found }
  return { json, lines: question.lines(json, money) }
}

/** Undefined while a node holds the home but does not answer yet: it is starting or stopping. */
const askRunning = async (
  paths: HomePaths,
  { name, input }: Question,
): Promise<AdminAnswer | undefined> => {
  try {
    return await askAdmin(paths.admin, name, input)
  } catch (error) {
    if (HoldfastError.is(error, 'PEER_UNREACHABLE')) return undefined
    if (HoldfastError.is(error, 'SHUTTING_DOWN')) return undefined
    throw error
  }
}

/** The answer in the form in which it would have come over the socket: big integers as text. */
const askLedger = async (
  place: Omit<Offline, 'ledger'>,
  { offline }: Question,
): Promise<AdminAnswer> => {
  const { network, config } = place
  const ambient = { clock: systemClock, logger: silentLogger }
  const ledger = await openEvmLedger({ network, rpc: config.rpcs ?? network.rpc, ...ambient })
  try {
    const answer: unknown = JSON.parse(toJson(await offline({ ...place, ledger })))
    return { ...(answer as AdminAnswer) }
  } finally {
    await ledger.close()
  }
}

export const status = (flags: LookFlags): Promise<CommandResult> =>
  ask(flags, { name: 'status', offline: offlineStatus, lines: statusLines })

export const deals = (flags: LookFlags): Promise<CommandResult> =>
  ask(flags, { name: 'deals', offline: offlineDeals, lines: dealLines })

export const earnings = (flags: EarningsFlags): Promise<CommandResult> => {
  const { by } = flags
  if (by !== undefined && by !== 'day' && by !== 'period') {
    throw new HoldfastError({ code: 'USAGE', reason: `--by is "${by}"; give day or period` })
  }
  return ask(flags, {
    name: 'earnings',
    ...(by === undefined ? {} : { input: { by } }),
    offline: (offline) => offlineEarnings(offline, by),
    lines: earningsLines,
  })
}
