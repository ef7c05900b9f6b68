/**
 * Reads of the contracts, one function per question. Each answers for the newest block; calls made
 * in one turn of the event loop travel as one request. What only some states have comes back as
 * undefined, never as an error.
 */
import {
  type Amount,
  address,
  amount,
  type CallOptions,
  type DealId,
  type Hash32,
  HoldfastError,
  type HoldfastErrorCode,
  hash32,
  leaves,
  type Period,
  type ProviderId,
  period,
  slotIndex,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@holdfast/protocol'
import { readContract } from 'viem/actions'
import {
  dealMarketAbi,
  drandBeaconAbi,
  proofLedgerAbi,
  providerRegistryAbi,
} from '../generated/contracts.ts'
import type { DealState, ProviderRecord, TreeSnapshot } from '../ledger.ts'
import { type EvmClient, reach } from './client.ts'
import { decodeFailure } from './decode.ts'

/** Providers read at once when all are listed. */
const PAGE = 64

export const orRefusal = async <T>(read: Promise<T>): Promise<T> => {
  try {
    return await read
  } catch (cause) {
    throw decodeFailure(cause)
  }
}

/** Undefined instead of the error of one code. */
export const unless = async <T>(
  code: HoldfastErrorCode,
  read: Promise<T>,
): Promise<T | undefined> => {
  try {
    return await read
  } catch (cause) {
    if (HoldfastError.is(cause, code)) return undefined
    throw cause
  }
}

/** Who a provider is, or undefined when it is not registered. */
export const readProvider = async (
  client: EvmClient,
  id: ProviderId,
  options?: CallOptions,
): Promise<ProviderRecord | undefined> => {
  const call = {
    address: client.network.contracts.registry,
    abi: providerRegistryAbi,
    functionName: 'getProvider',
    args: [id],
  } as const
  const found = await unless(
    'PROVIDER_NOT_FOUND',
    orRefusal(reach(client, (rpc) => readContract(rpc, call), options)),
  )
  if (found === undefined) return undefined
  const [settings, stake] = found
  const beneficiary = address(settings.beneficiary)
  return {
    provider: id,
    operator: address(settings.operator),
    beneficiary: beneficiary === ZERO_ADDRESS ? undefined : beneficiary,
    tlsKeyHash: hash32(settings.tlsKeyHash),
    endpoint: settings.endpoint,
    region: settings.region,
    token: address(settings.token),
    pricePerTibMonth: amount(settings.pricePerTibMonth),
    provingFeeMonth: amount(settings.provingFeeMonth),
    egressPerTib: amount(settings.egressPerTib),
    stake: amount(stake),
    accepting: settings.accepting,
  }
}

/** A constant of the registry. */
export const readMinimumStake = async (
  client: EvmClient,
  options?: CallOptions,
): Promise<Amount> => {
  const call = {
    address: client.network.contracts.registry,
    abi: providerRegistryAbi,
    functionName: 'minimumStake',
  } as const
  return amount(await orRefusal(reach(client, (rpc) => readContract(rpc, call), options)))
}

/** Every provider ever registered, oldest first. */
export const readProviders = async (
  client: EvmClient,
  options?: CallOptions,
): Promise<readonly ProviderRecord[]> => {
  const registry = { address: client.network.contracts.registry, abi: providerRegistryAbi } as const
  const count = await orRefusal(
    reach(
      client,
      (rpc) => readContract(rpc, { ...registry, functionName: 'providerCount' }),
      options,
    ),
  )
  const records: ProviderRecord[] = []
  for (let from = 0n; from < count; from += BigInt(PAGE)) {
    const left = count - from
    const indexes = Array.from(
      { length: left < PAGE ? Number(left) : PAGE },
      (_, i) => from + BigInt(i),
    )
    const page = await Promise.all(
      indexes.map(async (index) => {
        const at = { ...registry, functionName: 'providerAt', args: [index] } as const
        const id = await orRefusal(reach(client, (rpc) => readContract(rpc, at), options))
        return readProvider(client, address(id), options)
      }),
    )
    for (const record of page) if (record !== undefined) records.push(record)
  }
  return records
}

/** The market's record of a deal; its terms are in the log (terms.ts). */
export interface DealRecord {
  readonly provider: ProviderId
  readonly state: DealState
  readonly slot: ReturnType<typeof slotIndex>
  readonly start: Period
  readonly end: Period
  readonly settledThrough: Period
  readonly paid: Amount
  /** Added to the signed deposit. */
  readonly toppedUp: Amount
  readonly faultedFrom: Period | undefined
  readonly recoveredAt: Period | undefined
  readonly lost: boolean
}

/** In the order of IDealMarket.DealState; the first is None. */
const STATES: readonly (DealState | undefined)[] = [
  undefined,
  'active',
  'faulty',
  'ended',
  'closed',
]

/** Zero stands for none: no deal counts period 0. */
const orNone = (of: bigint): Period | undefined => (of === 0n ? undefined : period(of))

/** A deal's record, or undefined when it was never opened. */
export const readDealRecord = async (
  client: EvmClient,
  id: DealId,
  options?: CallOptions,
): Promise<DealRecord | undefined> => {
  const call = {
    address: client.network.contracts.market,
    abi: dealMarketAbi,
    functionName: 'getDeal',
    args: [id],
  } as const
  const record = await orRefusal(reach(client, (rpc) => readContract(rpc, call), options))
  const state = STATES[record.state]
  if (state === undefined) return undefined
  return {
    provider: address(record.provider),
    state,
    slot: slotIndex(record.slot),
    start: period(record.start),
    end: period(record.end),
    settledThrough: period(record.settledThrough),
    paid: amount(record.paid),
    toppedUp: amount(record.toppedUp),
    faultedFrom: orNone(record.faultedFrom),
    recoveredAt: orNone(record.recoveredAt),
    lost: record.lost,
  }
}

/** The seed of a period, or undefined while it has none. */
export const readSeed = async (
  client: EvmClient,
  of: Period,
  options?: CallOptions,
): Promise<Hash32 | undefined> => {
  const call = {
    address: client.network.contracts.beacon,
    abi: drandBeaconAbi,
    functionName: 'seedOf',
    args: [of],
  } as const
  const seed = hash32(await orRefusal(reach(client, (rpc) => readContract(rpc, call), options)))
  return seed === ZERO_HASH ? undefined : seed
}

/** See `LedgerReader.snapshot`. */
export const readSnapshot = async (
  client: EvmClient,
  provider: ProviderId,
  of: Period,
  options?: CallOptions,
): Promise<TreeSnapshot> => {
  const call = {
    address: client.network.contracts.proofs,
    abi: proofLedgerAbi,
    functionName: 'snapshotAt',
    args: [provider, of],
  } as const
  const snapshot = await orRefusal(reach(client, (rpc) => readContract(rpc, call), options))
  return { root: hash32(snapshot.root), weight: leaves(snapshot.weight), depth: snapshot.depth }
}

const provenCount = async (
  client: EvmClient,
  range: { readonly provider: ProviderId; readonly from: bigint; readonly to: bigint },
  options?: CallOptions,
): Promise<bigint> => {
  const call = {
    address: client.network.contracts.proofs,
    abi: proofLedgerAbi,
    functionName: 'provenBetween',
    args: [range.provider, range.from, range.to],
  } as const
  return await orRefusal(reach(client, (rpc) => readContract(rpc, call), options))
}

/**
 * The proven periods of a range. Ranges that are proven wholly or not at all cost one call; others
 * are halved, so that few gaps in a long history cost few calls.
 */
export const readProven = async (
  client: EvmClient,
  range: { readonly provider: ProviderId; readonly from: Period; readonly to: Period },
  options?: CallOptions,
): Promise<readonly Period[]> => {
  const { from, to } = range
  if (to <= from) return []
  const count = await provenCount(client, range, options)
  if (count === 0n) return []
  if (count === to - from) {
    return Array.from({ length: Number(count) }, (_, i) => period(from + BigInt(i)))
  }
  const middle = period((from + to) / 2n)
  const [left, right] = await Promise.all([
    readProven(client, { ...range, to: middle }, options),
    readProven(client, { ...range, from: middle }, options),
  ])
  return [...left, ...right]
}
