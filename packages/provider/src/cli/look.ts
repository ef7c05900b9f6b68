/**
 * `status`, `deals` and `earnings`: what the ledger and a running node say, without touching the
 * home's stores, so they may be asked at any time.
 */
import { get } from 'node:https'
import { resolve } from 'node:path'
import {
  type Deal,
  type LedgerReader,
  type NetworkFile,
  openEvmLedger,
  readNetwork,
  systemClock,
} from '@holdfast/chain'
import { feeOf, HoldfastError, periodAt, periodDeadline, silentLogger } from '@holdfast/protocol'
import { type ProviderConfig, readConfig } from '../config.ts'
import { holderOf, homePaths } from '../home.ts'
import { formatBytes, formatTokens } from '../quantity.ts'
import { readTlsIdentity } from '../tls.ts'
import { type CommandResult, table } from './output.ts'

export interface LookFlags {
  readonly home: string
  readonly network?: string
}

interface Look {
  readonly home: string
  readonly config: ProviderConfig
  readonly network: NetworkFile
  readonly ledger: LedgerReader
}

const looking = async (
  flags: LookFlags,
  look: (look: Look) => Promise<CommandResult>,
): Promise<CommandResult> => {
  const home = resolve(flags.home)
  const config = await readConfig(homePaths(home).config)
  const network = await readNetwork(flags.network ?? config.network)
  const ambient = { clock: systemClock, logger: silentLogger }
  const ledger = await openEvmLedger({ network, rpc: config.rpcs ?? network.rpc, ...ambient })
  try {
    return await look({ home, config, network, ledger })
  } finally {
    await ledger.close()
  }
}

export const status = (flags: LookFlags): Promise<CommandResult> =>
  looking(flags, async ({ home, config, network, ledger }) => {
    const paths = homePaths(home)
    const { provider, token } = config
    const record = await ledger.provider(provider)
    if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
    const pid = await holderOf(paths.lock)
    const node = pid === undefined ? undefined : await askHealth(config, paths.tls)
    const tip = await ledger.tip()
    const now = periodAt(network, tip.timestamp)
    const snapshot = await ledger.snapshot(provider, now)
    const proven = (await ledger.proven(provider, now, periodAfter(now))).length > 0
    const open = tip.timestamp < periodDeadline(network, now)
    const json = {
      provider,
      operator: record.operator,
      running: pid !== undefined,
      pid,
      endpoint: record.endpoint,
      accepting: record.accepting,
      stake: record.stake,
      vaultBalance: await ledger.balance(provider, token),
      operatorGas: await ledger.gasBalance(record.operator),
      deals: countStates(await ledger.deals({ provider })),
      weightLeaves: snapshot.weight,
      period: now,
      periodProven: proven,
      safeToStop: snapshot.weight === 0n || proven || !open,
      node,
    }
    return { json, lines: table(Object.entries(json).map(([name, value]) => [name, said(value)])) }
  })

const periodAfter = (now: bigint): ReturnType<typeof periodAt> =>
  (now + 1n) as ReturnType<typeof periodAt>

const said = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? Object.entries(value)
        .map(([name, part]) => `${name} ${String(part)}`)
        .join(', ')
    : String(value)

const countStates = (deals: readonly Deal[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { state } of deals) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

export const deals = (flags: LookFlags): Promise<CommandResult> =>
  looking(flags, async ({ config, ledger }) => {
    const all = await ledger.deals({ provider: config.provider })
    const json = {
      deals: all.map(({ id, terms, state, start, end, settledThrough, paid, faultedFrom }) => ({
        id,
        client: terms.client,
        root: terms.root,
        length: terms.length,
        state,
        start,
        end,
        settledThrough,
        paid,
        faultedFrom,
      })),
    }
    const rows = all.map(({ id, terms, state, start, end }) => [
      id,
      state,
      formatBytes(terms.length),
      `${start}..${end}`,
      terms.client,
    ])
    return { json, lines: table([['deal', 'state', 'size', 'periods', 'client'], ...rows]) }
  })

export const earnings = (flags: LookFlags): Promise<CommandResult> =>
  looking(flags, async ({ config, network, ledger }) => {
    const all = await ledger.deals({ provider: config.provider })
    const lines = all.map(({ id, paid, terms }) => {
      const fee = feeOf(paid, network.feeBps)
      return { deal: id, paid, fee, earned: paid - fee, collateral: terms.collateral }
    })
    const sum = (pick: (line: (typeof lines)[number]) => bigint): bigint =>
      lines.reduce((total, line) => total + pick(line), 0n)
    const totals = {
      paid: sum((l) => l.paid),
      fee: sum((l) => l.fee),
      earned: sum((l) => l.earned),
    }
    const token = network.tokens.find(({ address }) => address === config.token)
    const tokens = (value: bigint): string => formatTokens(value, token?.decimals ?? 0)
    const row = (name: string, l: typeof totals): string[] => [
      name,
      tokens(l.paid),
      tokens(l.fee),
      tokens(l.earned),
    ]
    return {
      json: { token: config.token, totals, deals: lines },
      lines: table([
        ['deal', 'paid', 'fee', `earned (${token?.symbol ?? config.token})`],
        ...lines.map((line) => row(line.deal, line)),
        row('all', totals),
      ]),
    }
  })

const ASK_MS = 3000
const HEALTH_BYTES_MAX = 65_536

/** The running node's own word, over its pinned certificate; undefined when it does not answer. */
const askHealth = async (config: ProviderConfig, tlsDirectory: string): Promise<unknown> => {
  const { certPem } = await readTlsIdentity(tlsDirectory)
  const { host, httpPort: port } = config
  const options = { host, port, path: '/health', ca: certPem, timeout: ASK_MS }
  return new Promise((answer) => {
    const request = get({ ...options, checkServerIdentity: () => undefined }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > HEALTH_BYTES_MAX) request.destroy()
      })
      response.on('end', () => answer(JSON.parse(text)))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => answer(undefined))
  })
}
