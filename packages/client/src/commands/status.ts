/**
 * `holdfast status <dataset>` and `proofs <dataset>`: what the chain says, and whether providers can
 * show what they committed to.
 */
import {
  type Address,
  HoldfastError,
  periodStart,
  schemeName,
  smaller,
  toNumber,
} from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import { accountAddress } from '../config/open-network.ts'
import { parseAddress } from '../retrieve.ts'
import {
  type DatasetStatus,
  datasetStatus,
  paidSoFar,
  type ReplicaStatus,
  waitForStatus,
} from '../status.ts'
import type { CommandResult } from '../ui/output.ts'
import { formatAmount, formatSeconds, formatTable, parseDuration } from '../ui/text.ts'
import { addChecks, type CheckFlags, withCheckFlags } from './checks.ts'
import type { Register, Runtime } from './runtime.ts'
import { type Session, withNetwork } from './session.ts'

interface StatusFlags extends CheckFlags {
  readonly wait?: string
  readonly timeout: string
}

interface ProofsFlags extends CheckFlags {
  readonly last: string
}

export const registerStatus: Register = (program, run) => {
  withCheckFlags(
    program
      .command('status <dataset>')
      .description('replicas, deals, last proven period, funding runway; checks your own deals')
      .option('--wait <goal>', 'wait until every active replica is "stored" or "proven"')
      .option('--timeout <duration>', 'how long to wait', '5m'),
  ).action(
    run<StatusFlags>((runtime, flags, dataset = '') =>
      withNetwork(runtime, async (session) => {
        const root = datasetRoot(dataset)
        const account = await accountAddress(runtime.settings, session.network)
        const status = await look(runtime, session, { root, account, flags })
        const told = describeStatus(root, status, session)
        return addChecks(told, status, { runtime, session, account, flags })
      }),
    ),
  )
  withCheckFlags(
    program
      .command('proofs <dataset>')
      .description('which periods each replica has proven; checks your own deals')
      .option('--last <n>', 'periods shown per replica', '30'),
  ).action(
    run<ProofsFlags>((runtime, flags, dataset = '') =>
      withNetwork(runtime, async (session) => {
        const root = datasetRoot(dataset)
        const last = parseLast(flags.last)
        const account = await accountAddress(runtime.settings, session.network)
        const options = { ...session.options, clock: runtime.clock }
        const status = await datasetStatus(session.ledger, { root, account }, options)
        const told = describeProofs(root, status, last)
        return addChecks(told, status, { runtime, session, account, flags })
      }),
    ),
  )
}

const datasetRoot = (text: string): CID => {
  const { root, path } = parseAddress(text)
  if (path.length === 0) return root
  throw new HoldfastError({ code: 'USAGE', reason: 'give the dataset alone, without a path' })
}

const parseLast = (text: string): number => {
  const last = Number(text)
  if (Number.isInteger(last) && last > 0) return last
  throw new HoldfastError({ code: 'USAGE', reason: `--last ${text} is not a positive number` })
}

const look = async (
  runtime: Runtime,
  { ledger, options }: Session,
  parts: {
    readonly root: CID
    readonly account: Address | undefined
    readonly flags: StatusFlags
  },
): Promise<DatasetStatus> => {
  const { clock, progress } = runtime
  const { root, account, flags } = parts
  if (flags.wait === undefined) {
    return datasetStatus(ledger, { root, account }, { clock, ...options })
  }
  if (flags.wait !== 'stored' && flags.wait !== 'proven') {
    const reason = `--wait ${flags.wait} is none of stored, proven`
    throw new HoldfastError({ code: 'USAGE', reason })
  }
  const timeoutMs = toNumber(parseDuration(flags.timeout)) * 1000
  let told = ''
  const onLook = ({ replicas }: DatasetStatus): void => {
    const counts = replicas.map(({ proven }) => proven.length).join(', ')
    const text = `waiting until ${flags.wait}; periods proven so far: ${counts}`
    if (text !== told) progress.step(text)
    told = text
  }
  return waitForStatus(
    ledger,
    { root, account, goal: flags.wait },
    { clock, timeoutMs, onLook, ...options },
  )
}

const lastOf = ({ proven }: ReplicaStatus): number | null => {
  const last = proven.at(-1)
  return last === undefined ? null : toNumber(last)
}

const replicaValue = (replica: ReplicaStatus): Record<string, unknown> => {
  const { deal, state, proven, missed, runway } = replica
  return {
    deal: deal.id,
    provider: deal.terms.provider,
    client: deal.terms.client,
    state,
    provenPeriods: proven.length,
    lastProvenPeriod: lastOf(replica),
    missedPeriods: missed.length,
    start: deal.start,
    end: deal.end,
    settledThrough: deal.settledThrough,
    paid: deal.paid,
    escrow: deal.escrow,
    rate: deal.terms.rate,
    runwaySeconds: toNumber(runway),
    faultedFrom: deal.faultedFrom ?? null,
  }
}

const describeStatus = (root: CID, status: DatasetStatus, { network }: Session): CommandResult => {
  const { replicas, period } = status
  const [first] = replicas
  const terms = first?.deal.terms
  const token = network.tokens.find(({ address }) => address === terms?.token)
  const decimals = token?.decimals ?? 0
  const runways = replicas.filter(({ state }) => state === 'active').map(({ runway }) => runway)
  const runway = runways.length === 0 ? 0n : runways.reduce(smaller)
  const value = {
    dataset: root.toString(),
    ...(terms === undefined
      ? {}
      : {
          payload: {
            scheme: schemeName(terms.scheme),
            root: terms.root,
            length: toNumber(terms.length),
          },
        }),
    period,
    token: token?.symbol ?? terms?.token ?? null,
    paid: paidSoFar(status),
    runwaySeconds: toNumber(runway),
    replicas: replicas.map(replicaValue),
  }
  const rows = replicas.map((replica) => [
    replica.deal.terms.provider,
    replica.state,
    String(replica.proven.length),
    String(lastOf(replica) ?? '-'),
    String(replica.missed.length),
    formatAmount(replica.deal.paid, decimals),
    formatSeconds(replica.runway),
  ])
  const head = ['provider', 'state', 'proven', 'last', 'missed', 'paid', 'runway']
  return { value, text: `${root.toString()}  period ${period}\n${formatTable(head, rows)}` }
}

const describeProofs = (root: CID, status: DatasetStatus, last: number): CommandResult => {
  const replicas = status.replicas.map(({ deal, state, proven, missed }) => {
    const all = [
      ...proven.map((period) => ({ period, proven: true })),
      ...missed.map((period) => ({ period, proven: false })),
    ].sort((a, b) => (a.period < b.period ? -1 : 1))
    const periods = all.slice(-last).map(({ period, proven: ok }) => ({
      period: toNumber(period),
      startsAt: toNumber(periodStart(status.network, period)),
      proven: ok,
    }))
    const { provider } = deal.terms
    const counts = { provenPeriods: proven.length, missedPeriods: missed.length }
    return { deal: deal.id, provider, state, ...counts, periods }
  })
  const text = replicas
    .map(({ provider, provenPeriods, missedPeriods, periods }) => {
      const marks = periods.map(({ proven }) => (proven ? '+' : '-')).join('')
      const from = periods[0]?.period ?? '-'
      return `${provider}  ${provenPeriods} proven, ${missedPeriods} missed; from period ${from}: ${marks}`
    })
    .join('\n')
  return { value: { dataset: root.toString(), period: status.period, replicas }, text }
}
