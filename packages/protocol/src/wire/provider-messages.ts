/**
 * Who a provider is and what it charges: Describe and Quote. Wire message to domain value and back,
 * every field checked.
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Quote } from '../deal/terms.ts'
import {
  DescribeRequestSchema,
  DescribeResponseSchema,
  QuoteRequestSchema,
  QuoteResponseSchema,
  type QuoteSchema,
  type Quote as WireQuote,
} from '../generated/holdfast/provider/v1/provider_pb.ts'
import { type Address, fromHex, type ProviderId, type Signature } from '../ids.ts'
import type { Amount, Bytes, Periods } from '../units.ts'
import { type Codec, codec } from './codec.ts'
import {
  readAddress,
  readAmount,
  readBytes,
  readHash,
  readHttpsBase,
  readInt,
  readLength,
  readPeriods,
  readPresent,
  readRate,
  readSignature,
  readTerm,
  readText,
  readTime,
} from './fields.ts'

/** Nothing is asked. */
export type DescribeRequest = Readonly<Record<never, never>>

/** Who answers, for which network, at which prices and limits. */
export interface DescribeResponse {
  readonly provider: ProviderId
  readonly operator: Address
  readonly chainId: bigint
  readonly market: Address
  /** Name and version, for people. */
  readonly software: string
  /** `https://host:port`, without a trailing slash. */
  readonly httpEndpoint: string
  readonly region: string
  readonly token: Address
  readonly pricePerTibMonth: Amount
  readonly provingFeeMonth: Amount
  readonly egressPerTib: Amount
  readonly freeBytes: Bytes
  readonly payloadBytesMax: Bytes
  readonly partBytesMax: Bytes
}

export interface QuoteRequest {
  readonly length: Bytes
  readonly periods: Periods
  readonly token: Address
}

/** An offer and the operator's signature over `quoteDigest`. */
export interface QuoteResponse {
  readonly quote: Quote
  readonly signature: Signature
}

export const describeRequest: Codec<DescribeRequest> = codec({
  schema: DescribeRequestSchema,
  toWire: () => ({}),
  fromWire: () => ({}),
})

export const describeResponse: Codec<DescribeResponse> = codec({
  schema: DescribeResponseSchema,
  toWire: (value: DescribeResponse) => ({
    provider: fromHex(value.provider),
    operator: fromHex(value.operator),
    chainId: value.chainId,
    market: fromHex(value.market),
    software: value.software,
    httpEndpoint: value.httpEndpoint,
    region: value.region,
    token: fromHex(value.token),
    pricePerTibMonth: String(value.pricePerTibMonth),
    provingFeeMonth: String(value.provingFeeMonth),
    egressPerTib: String(value.egressPerTib),
    freeBytes: value.freeBytes,
    payloadBytesMax: value.payloadBytesMax,
    partBytesMax: value.partBytesMax,
  }),
  fromWire: (wire) => ({
    provider: readAddress(wire.provider, 'provider'),
    operator: readAddress(wire.operator, 'operator'),
    chainId: readInt(wire.chainId, 'chain_id'),
    market: readAddress(wire.market, 'market'),
    software: readText(wire.software, 'software', 128),
    httpEndpoint: readHttpsBase(wire.httpEndpoint, 'http_endpoint'),
    region: readText(wire.region, 'region', 64),
    token: readAddress(wire.token, 'token'),
    pricePerTibMonth: readAmount(wire.pricePerTibMonth, 'price_per_tib_month'),
    provingFeeMonth: readAmount(wire.provingFeeMonth, 'proving_fee_month'),
    egressPerTib: readAmount(wire.egressPerTib, 'egress_per_tib'),
    freeBytes: readBytes(wire.freeBytes, 'free_bytes'),
    payloadBytesMax: readLength(wire.payloadBytesMax, 'payload_bytes_max'),
    partBytesMax: readLength(wire.partBytesMax, 'part_bytes_max'),
  }),
})

export const quoteRequest: Codec<QuoteRequest> = codec({
  schema: QuoteRequestSchema,
  toWire: (value: QuoteRequest) => ({
    length: value.length,
    periods: value.periods,
    token: fromHex(value.token),
  }),
  fromWire: (wire) => ({
    length: readLength(wire.length, 'length'),
    periods: readTerm(wire.periods, 'periods'),
    token: readAddress(wire.token, 'token'),
  }),
})

export const quoteToWire = (quote: Quote): MessageInitShape<typeof QuoteSchema> => ({
  provider: fromHex(quote.provider),
  token: fromHex(quote.token),
  length: quote.length,
  periods: quote.periods,
  rate: String(quote.rate),
  collateral: String(quote.collateral),
  notice: quote.notice,
  egressPrice: String(quote.egressPrice),
  attributes: fromHex(quote.attributes),
  expiry: quote.expiry,
  nonce: fromHex(quote.nonce),
})

/** @throws HoldfastError `MESSAGE_INVALID`. */
export const quoteFromWire = (message: WireQuote | undefined, field: string): Quote => {
  const wire = readPresent(message, field)
  return {
    provider: readAddress(wire.provider, `${field}.provider`),
    token: readAddress(wire.token, `${field}.token`),
    length: readLength(wire.length, `${field}.length`),
    periods: readTerm(wire.periods, `${field}.periods`),
    rate: readRate(wire.rate, `${field}.rate`),
    collateral: readAmount(wire.collateral, `${field}.collateral`),
    notice: readPeriods(wire.notice, `${field}.notice`),
    egressPrice: readAmount(wire.egressPrice, `${field}.egress_price`),
    attributes: readHash(wire.attributes, `${field}.attributes`),
    expiry: readTime(wire.expiry, `${field}.expiry`),
    nonce: readHash(wire.nonce, `${field}.nonce`),
  }
}

export const quoteResponse: Codec<QuoteResponse> = codec({
  schema: QuoteResponseSchema,
  toWire: (value: QuoteResponse) => ({
    quote: quoteToWire(value.quote),
    signature: fromHex(value.signature),
  }),
  fromWire: (wire) => ({
    quote: quoteFromWire(wire.quote, 'quote'),
    signature: readSignature(wire.signature, 'signature'),
  }),
})
