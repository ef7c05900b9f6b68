/**
 * Which providers could store a payload, and what they offer. Choosing is pure: by listed price,
 * then by id, so the same ledger gives the same choice. An offer is believed only when the
 * registered operator signed exactly what was asked for, at no more than its listed price.
 */
import type { NetworkParams, ProviderRecord, TokenInfo } from '@holdfast/chain'
import { signingDomain } from '@holdfast/chain'
import {
  type Amount,
  attributesOf,
  type Bytes,
  type CallOptions,
  checkSigner,
  costOf,
  HoldfastError,
  type Periods,
  type ProviderId,
  type Quote,
  type QuoteResponse,
  quoteDigest,
  type Rate,
  rateFor,
  type Timestamp,
} from '@holdfast/protocol'
import type { ProviderPeer } from '../transfer/provider-peer.ts'

/** What must be stored, and what a provider must be like. */
export interface OfferRequest {
  readonly length: Bytes
  readonly periods: Periods
  readonly token: TokenInfo
  /** Empty accepts any. */
  readonly region: string
  /** Base units per TiB-month; undefined accepts any. */
  readonly maxPrice: Amount | undefined
}

/** A signed quote of one provider, checked. */
export interface Offer {
  readonly record: ProviderRecord
  readonly response: QuoteResponse
  /** All that can ever be charged under it. */
  readonly cost: Amount
}

const listedRate = (record: ProviderRecord, length: Bytes): Rate => rateFor({ ...record, length })

/** Providers that fit, cheapest first. */
export const eligibleProviders = (
  records: readonly ProviderRecord[],
  request: OfferRequest,
  exclude: ReadonlySet<ProviderId>,
): readonly ProviderRecord[] =>
  records
    .filter(
      (record) =>
        record.accepting &&
        !exclude.has(record.provider) &&
        record.token === request.token.address &&
        (request.region === '' || record.region === request.region) &&
        (request.maxPrice === undefined || record.pricePerTibMonth <= request.maxPrice),
    )
    .sort((a, b) => {
      const x = listedRate(a, request.length)
      const y = listedRate(b, request.length)
      if (x !== y) return x < y ? -1 : 1
      return a.provider < b.provider ? -1 : 1
    })

export interface OfferContext {
  readonly network: NetworkParams
  readonly now: Timestamp
}

/**
 * Asks one provider.
 * @throws HoldfastError `DISK_FULL`, `PEER_MISBEHAVED`, `SIGNATURE_INVALID`, or what the call throws.
 */
export const requestOffer = async (
  peer: ProviderPeer,
  record: ProviderRecord,
  request: OfferRequest,
  { network, now, ...options }: OfferContext & CallOptions,
): Promise<Offer> => {
  const described = await peer.describe(options)
  const { chainId, contracts } = network
  if (described.chainId !== chainId || described.market !== contracts.market) {
    const reason = `it serves another network (chain ${described.chainId})`
    throw new HoldfastError({ code: 'PEER_MISBEHAVED', peer: record.provider, reason })
  }
  if (described.freeBytes < request.length) {
    throw new HoldfastError({
      code: 'DISK_FULL',
      needed: request.length,
      available: described.freeBytes,
    })
  }
  const response = await peer.quote(
    { length: request.length, periods: request.periods, token: request.token.address },
    options,
  )
  return checkOffer({ record, response, request }, { network, now })
}

/** Holds a quote against what was asked; also used for the quotes inside a plan. */
export const checkOffer = (
  input: {
    readonly record: ProviderRecord
    readonly response: QuoteResponse
    readonly request: OfferRequest
  },
  { network, now }: OfferContext,
): Offer => {
  const { record, response, request } = input
  const { quote, signature } = response
  const refuse = (reason: string): HoldfastError =>
    new HoldfastError({ code: 'PEER_MISBEHAVED', peer: record.provider, reason })
  const digest = quoteDigest(quote, signingDomain(network))
  checkSigner({ digest, signature, expected: record.operator })
  if (!matches(quote, record, request)) throw refuse('its quote is not for what was asked')
  if (quote.rate > listedRate(record, request.length)) {
    throw refuse('its quote is above its listed price')
  }
  if (request.region !== '' && quote.attributes !== attributesOf(request.region)) {
    throw refuse(`its quote does not promise region ${request.region}`)
  }
  if (quote.expiry <= now) {
    throw new HoldfastError({ code: 'QUOTE_EXPIRED', expiry: quote.expiry, now })
  }
  return { record, response, cost: quoteCost(quote, network) }
}

/** The bill: what the whole term costs, proven from first to last period. */
export const quoteCost = ({ rate, periods }: Quote, { period }: NetworkParams): Amount =>
  costOf({ rate, periods, period })

const matches = (quote: Quote, record: ProviderRecord, request: OfferRequest): boolean =>
  quote.provider === record.provider &&
  quote.token === request.token.address &&
  quote.length === request.length &&
  quote.periods === request.periods
