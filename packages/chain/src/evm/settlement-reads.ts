/** Reads about committed periods, misses and disputes, one function per question, as in read.ts. */
import {
  type Address,
  address,
  amount,
  auditDueAt,
  bondFor,
  type CallOptions,
  type DisputedEntry,
  disputeIdOf,
  type Hash32,
  HoldfastError,
  hash32,
  type Period,
  type ProviderId,
  period,
  timestamp,
} from '@holdfast/protocol'
import { encodeEventTopics, type Hex as ViemHex } from 'viem'
import { readContract } from 'viem/actions'
import { disputesAbi, proofLedgerAbi } from '../generated/contracts.ts'
import type { Dispute, LedgerEvent, ProviderRecord, ProviderStanding } from '../ledger.ts'
import { getHead } from './blocks.ts'
import { type EvmClient, reach } from './client.ts'
import { decodeEvent } from './events.ts'
import { getLogsBetween, type MinedLog } from './logs.ts'
import { orRefusal, unless } from './read.ts'

type Topics = readonly (ViemHex | readonly ViemHex[] | null)[]

/** See `SettlementReader.standing`. */
export const readStanding = async (
  client: EvmClient,
  provider: ProviderId,
  options?: CallOptions,
): Promise<ProviderStanding> => {
  const { network } = client
  const call = {
    address: network.contracts.proofs,
    abi: proofLedgerAbi,
    functionName: 'standingOf',
    args: [provider],
  } as const
  const found = await orRefusal(reach(client, (rpc) => readContract(rpc, call), options))
  const last = period(found.last)
  return {
    finalBefore: period(found.finalThrough),
    newest: found.any ? last : undefined,
    auditNext: found.auditNext,
    audit: found.auditOwed ? { period: last, dueAt: auditDueAt(network, last) } : undefined,
    openDisputes: found.openDisputes,
    bond: bondFor(network.disputeBond, found.openDisputes),
    terminatedAt: found.terminatedAt === 0n ? undefined : period(found.terminatedAt),
  }
}

/** See `SettlementReader.committed`. */
export const readCommitted = async (
  client: EvmClient,
  of: { readonly provider: ProviderId; readonly period: Period },
  options?: CallOptions,
): Promise<Hash32 | undefined> => {
  const call = {
    address: client.network.contracts.proofs,
    abi: proofLedgerAbi,
    functionName: 'committedOf',
    args: [of.provider, of.period],
  } as const
  const found = await unless(
    'PROVIDER_STATE',
    orRefusal(reach(client, (rpc) => readContract(rpc, call), options)),
  )
  return found === undefined ? undefined : hash32(found.root)
}

/**
 * The contract takes a commitment for whatever provider its sender operates. Who means another one
 * has the wrong key, and would commit to a bundle that its own provider cannot show.
 * @throws HoldfastError `UNAUTHORIZED`.
 */
export const requireOperator = (
  record: Pick<ProviderRecord, 'operator'> | undefined,
  { provider, account }: { readonly provider: ProviderId; readonly account: Address },
): void => {
  if (record?.operator === account) return
  const reason = `only the operator proves (${provider}, ${account})`
  throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
}

/**
 * The contract is told no period: it takes the answers for whatever audit is owed. Who means another
 * one shows the wrong bundle. When none is owed, the contract says so itself.
 * @throws HoldfastError `NOTHING_TO_DO`.
 */
export const requireAuditOf = (
  { audit }: Pick<ProviderStanding, 'audit'>,
  { provider, period: of }: { readonly provider: ProviderId; readonly period: Period },
): void => {
  if (audit === undefined || audit.period === of) return
  const reason = `${provider} owes no audit of ${of}, but one of ${audit.period}`
  throw new HoldfastError({ code: 'NOTHING_TO_DO', reason })
}

/** See `SettlementReader.missUnits`. */
export const readMissUnits = async (
  client: EvmClient,
  provider: ProviderId,
  before: Period,
  options?: CallOptions,
): Promise<bigint> => {
  const call = {
    address: client.network.contracts.proofs,
    abi: proofLedgerAbi,
    functionName: 'faultUnits',
    args: [provider, 0n, before],
  } as const
  return await orRefusal(reach(client, (rpc) => readContract(rpc, call), options))
}

/** All events of one kind from one contract, oldest first. */
const eventsOf = async (
  client: EvmClient,
  contract: Address,
  topics: Topics,
  options?: CallOptions,
): Promise<readonly { readonly event: LedgerEvent; readonly log: MinedLog }[]> => {
  const { number: to } = await getHead(client, options)
  const query = { from: client.network.deployedAt, to, addresses: [contract], topics }
  const logs = await getLogsBetween(client, query, options)
  return logs.flatMap((log) => {
    const event = decodeEvent(client.network, log)
    return event === undefined ? [] : [{ event, log }]
  })
}

/** See `SettlementReader.missed`. Misses are rare and never unwritten: the log is the list. */
export const readMissed = async (
  client: EvmClient,
  range: { readonly provider: ProviderId; readonly from: Period; readonly to: Period },
  options?: CallOptions,
): Promise<readonly Period[]> => {
  const topics: Topics = encodeEventTopics({
    abi: proofLedgerAbi,
    eventName: 'PeriodMissed',
    args: { provider: range.provider },
  })
  const found = await eventsOf(client, client.network.contracts.proofs, topics, options)
  return found
    .flatMap(({ event }) => (event.kind === 'period-missed' ? [event.period] : []))
    .filter((of) => of >= range.from && of < range.to)
    .sort((a, b) => Number(a - b))
}

/** In the order of IDisputes.Status; the first is None. */
const STATES: readonly (Dispute['state'] | undefined)[] = [
  undefined,
  'open',
  'answered',
  'lost',
  'expired',
]

/** See `SettlementReader.dispute`. */
export const readDispute = async (
  client: EvmClient,
  entry: DisputedEntry,
  options?: CallOptions,
): Promise<Dispute | undefined> => {
  const call = {
    address: client.network.contracts.disputes,
    abi: disputesAbi,
    functionName: 'disputeOf',
    args: [disputeIdOf(entry)],
  } as const
  const found = await orRefusal(reach(client, (rpc) => readContract(rpc, call), options))
  const state = STATES[found.status]
  if (state === undefined) return undefined
  return {
    ...{ provider: entry.provider, period: entry.period, question: entry.question, state },
    opener: address(found.opener),
    openedAt: timestamp(found.openedAt),
    bond: amount(found.bond),
  }
}

/** See `SettlementReader.disputes`. Nothing is searched while none is open. */
export const readDisputes = async (
  client: EvmClient,
  provider: ProviderId,
  options?: CallOptions,
): Promise<readonly Dispute[]> => {
  const { openDisputes } = await readStanding(client, provider, options)
  if (openDisputes === 0) return []
  const topics: Topics = encodeEventTopics({
    abi: disputesAbi,
    eventName: 'DisputeOpened',
    args: { provider },
  })
  const found = await eventsOf(client, client.network.contracts.disputes, topics, options)
  const open: Dispute[] = []
  // The open ones are among the newest; there are `openDisputes` of them.
  for (const { event } of found.toReversed()) {
    if (event.kind !== 'dispute-opened') continue
    const { period: of, question } = event
    const dispute = await readDispute(client, { provider, period: of, question }, options)
    if (dispute?.state === 'open') open.push(dispute)
    if (open.length === openDisputes) break
  }
  return open.reverse()
}
