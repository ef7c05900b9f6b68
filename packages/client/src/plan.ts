/**
 * A plan: what would be stored, by whom, under which signed quotes, for which total. Making one
 * spends nothing; a plan file carries the quotes, so that publishing it charges exactly its bill or
 * fails because a quote ran out.
 */
import type { LedgerReader, NetworkParams, TokenInfo } from '@holdfast/chain'
import {
  type Amount,
  address,
  amount,
  type CallOptions,
  type Clock,
  fromHex,
  HoldfastError,
  larger,
  type Periods,
  periods,
  quoteResponse,
  type Timestamp,
  timestamp,
  toHex,
} from '@holdfast/protocol'
import { CID } from 'multiformats/cid'
import { unlessAborted } from './abort.ts'
import { measurePayload, type Packed, type PackOptions } from './pack.ts'
import {
  checkOffer,
  eligibleProviders,
  type Offer,
  type OfferRequest,
  requestOffer,
} from './publish/offers.ts'
import { PeerPool } from './publish/peers.ts'
import type { ConnectPeer } from './transfer/provider-peer.ts'

export interface PlanRequest extends Omit<OfferRequest, 'length'> {
  readonly path: string
  readonly replicas: number
  readonly pack: PackOptions
}

export interface Plan {
  readonly request: PlanRequest
  readonly packed: Packed
  readonly offers: readonly Offer[]
  readonly total: Amount
}

export interface PlanDependencies {
  readonly ledger: LedgerReader
  readonly connect: ConnectPeer
  readonly clock: Clock
}

/** @throws HoldfastError `PARTIAL` when too few providers make a valid offer. */
export const makePlan = async (
  { ledger, connect, clock }: PlanDependencies,
  request: PlanRequest,
  options: CallOptions = {},
): Promise<Plan> => {
  const packed = await measurePayload(request.path, { ...request.pack, ...options })
  const peers = new PeerPool(connect)
  const offers: Offer[] = []
  const refusals: string[] = []
  try {
    const offerRequest = { ...request, length: packed.length }
    const now = await currentTime(ledger, clock, options)
    const records = await ledger.providers(options)
    for (const record of eligibleProviders(records, offerRequest, new Set())) {
      if (offers.length === request.replicas) break
      try {
        const peer = await peers.peer(record, options)
        const context = { network: ledger.network, now, ...options }
        offers.push(await requestOffer(peer, record, offerRequest, context))
      } catch (error) {
        refusals.push(`${record.provider} ${unlessAborted(error).message}`)
      }
    }
  } finally {
    await peers.close()
  }
  if (offers.length < request.replicas) throw tooFew(request.replicas, offers.length, refusals)
  const total = amount(offers.reduce((sum, { cost }) => sum + cost, 0n))
  return { request, packed, offers, total }
}

const tooFew = (wanted: number, actual: number, refusals: readonly string[]): HoldfastError => {
  const why = refusals.length === 0 ? 'no other provider fits' : refusals.join('; ')
  const reason = `${actual} of ${wanted} distinct providers offer: ${why}`
  return new HoldfastError({ code: 'PARTIAL', wanted, actual, reason })
}

/** The later of block time and wall time. */
export const currentTime = async (
  ledger: LedgerReader,
  clock: Clock,
  options: CallOptions = {},
): Promise<Timestamp> => {
  const tip = await ledger.tip(options)
  const wall = timestamp(Math.floor(clock.now() / 1000))
  return larger(tip.timestamp, wall)
}

const FORMAT = 'holdfast-plan/1'

/** The plan as JSON: readable, and complete enough to be published from. */
export const encodePlan = (plan: Plan, network: NetworkParams): Record<string, unknown> => {
  const { request, packed, offers, total } = plan
  const { token } = request
  return {
    format: FORMAT,
    path: request.path,
    dataset: packed.root.toString(),
    profile: packed.profile,
    hash: packed.hash,
    hidden: request.pack.hidden === true,
    bytes: Number(packed.bytes),
    blocks: packed.blocks,
    payload: { scheme: 'sha256-1k', length: Number(packed.length) },
    network: { chainId: network.chainId, market: network.contracts.market },
    replicas: request.replicas,
    periods: Number(request.periods),
    region: request.region,
    offers: offers.map(({ record, response, cost }) => ({
      provider: record.provider,
      region: record.region,
      rate: response.quote.rate,
      collateral: response.quote.collateral,
      expiry: Number(response.quote.expiry),
      cost,
      signed: toHex(quoteResponse.encode(response)),
    })),
    cost: { token: token.symbol, address: token.address, decimals: token.decimals, total },
  }
}

export interface SavedPlan {
  readonly path: string
  readonly dataset: CID
  readonly profile: string
  readonly hash: string
  readonly hidden: boolean
  readonly length: bigint
  readonly replicas: number
  readonly periods: Periods
  readonly region: string
  readonly token: string
  readonly network: { readonly chainId: string; readonly market: string }
  /** The signed quotes, in their wire form. */
  readonly signed: readonly string[]
}

type Fields = Readonly<Record<string, unknown>>

const object = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {}

/** Undefined when the text is no plan; a dataset may hold JSON files too. */
export const decodePlan = (text: string, file: string): SavedPlan | undefined => {
  let body: Fields
  try {
    body = object(JSON.parse(text))
  } catch {
    return undefined
  }
  if (body['format'] !== FORMAT) return undefined
  try {
    const network = object(body['network'])
    return {
      path: String(body['path']),
      dataset: CID.parse(String(body['dataset'])),
      profile: String(body['profile']),
      hash: String(body['hash']),
      hidden: body['hidden'] === true,
      length: BigInt(String(object(body['payload'])['length'])),
      replicas: Number(body['replicas']),
      periods: periods(BigInt(String(body['periods']))),
      region: String(body['region'] ?? ''),
      token: address(String(object(body['cost'])['address'])),
      network: { chainId: String(network['chainId']), market: String(network['market']) },
      signed: (body['offers'] as readonly unknown[]).map((offer) =>
        String(object(offer)['signed']),
      ),
    }
  } catch (cause) {
    const reason = 'the plan is damaged; make it again with holdfast plan'
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: file, reason }, { cause })
  }
}

/**
 * The plan's offers, checked again against the ledger as it is now.
 * @throws HoldfastError `QUOTE_EXPIRED`, `CONFIG_INVALID` for a plan of another network.
 */
export const planOffers = async (
  plan: SavedPlan,
  token: TokenInfo,
  { ledger, clock }: Pick<PlanDependencies, 'ledger' | 'clock'>,
  options: CallOptions = {},
): Promise<readonly Offer[]> => {
  const { network } = ledger
  if (
    plan.network.chainId !== String(network.chainId) ||
    plan.network.market !== network.contracts.market
  ) {
    const reason = 'the plan was made for another network'
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: plan.path, reason })
  }
  const now = await currentTime(ledger, clock, options)
  const { periods, region } = plan
  const request = {
    length: plan.length as Packed['length'],
    periods,
    token,
    region,
    maxPrice: undefined,
  }
  return Promise.all(
    plan.signed.map(async (hex) => {
      const response = quoteResponse.decode(fromHex(hex))
      const { provider } = response.quote
      const record = await ledger.provider(provider, options)
      if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
      return checkOffer({ record, response, request }, { network, now })
    }),
  )
}
