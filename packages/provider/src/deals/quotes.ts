/**
 * Quotes: what this provider asks for holding a payload, as a signed offer, and the check that a
 * deal carries exactly what was offered. Pure but for the signature.
 */

import type { Address } from '@holdfast/protocol'
import {
  type Amount,
  amount,
  attributesOf,
  type Bytes,
  checkSigner,
  DEFAULT_NOTICE,
  type DealTerms,
  defaultCollateral,
  type Hash32,
  HoldfastError,
  type Periods,
  type ProviderId,
  type Quote,
  quoteDigest,
  rateFor,
  type Seconds,
  type Signature,
  type Signer,
  type SigningDomain,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'

/** What a provider asks. */
export interface Prices {
  readonly token: Address
  readonly pricePerTibMonth: Amount
  readonly provingFeeMonth: Amount
  readonly egressPerTib: Amount
  readonly region: string
}

export interface QuotePolicy extends Prices {
  readonly provider: ProviderId
  readonly operator: Address
  readonly domain: SigningDomain
  /** The network's period. */
  readonly period: Seconds
  readonly payloadBytesMax: Bytes
}

/** How long an offer stands, in seconds: an hour. */
const QUOTE_LIFETIME = 3600n

export interface QuoteInput {
  readonly length: Bytes
  readonly periods: Periods
  readonly token: Address
  readonly now: Timestamp
  readonly nonce: Hash32
}

/**
 * The offer for one payload.
 * @throws HoldfastError `TERMS_INVALID` for another token, `PAYLOAD_TOO_LARGE`.
 */
export const quoteFor = (policy: QuotePolicy, input: QuoteInput): Quote => {
  const { length, periods, token, now, nonce } = input
  if (token !== policy.token) {
    const reason = `this provider is paid in ${policy.token}`
    throw new HoldfastError({ code: 'TERMS_INVALID', field: 'token', reason })
  }
  if (length > policy.payloadBytesMax) {
    const { payloadBytesMax: limit } = policy
    throw new HoldfastError({ code: 'PAYLOAD_TOO_LARGE', limit, actual: length })
  }
  const { pricePerTibMonth, provingFeeMonth } = policy
  const rate = rateFor({ length, pricePerTibMonth, provingFeeMonth })
  return {
    provider: policy.provider,
    token,
    length,
    periods,
    rate,
    collateral: defaultCollateral(rate, policy.period),
    notice: DEFAULT_NOTICE,
    egressPrice: amount(policy.egressPerTib),
    attributes: attributesOf(policy.region),
    expiry: timestamp(now + QUOTE_LIFETIME),
    nonce,
  }
}

export const signQuote = (
  operator: Signer,
  quote: Quote,
  domain: SigningDomain,
): Promise<Signature> => operator.sign(quoteDigest(quote, domain))

export interface OfferedTerms {
  readonly terms: DealTerms
  readonly quote: Quote
  readonly quoteSignature: Signature
}

/**
 * Checks that the terms are those of an offer of ours that still stands.
 * @throws HoldfastError `SIGNATURE_INVALID`, `QUOTE_EXPIRED`, `TERMS_INVALID` naming the field.
 */
export const checkOffered = (
  { terms, quote, quoteSignature }: OfferedTerms,
  policy: QuotePolicy,
  now: Timestamp,
): void => {
  const digest = quoteDigest(quote, policy.domain)
  checkSigner({ digest, signature: quoteSignature, expected: policy.operator })
  if (quote.expiry <= now) {
    throw new HoldfastError({ code: 'QUOTE_EXPIRED', expiry: quote.expiry, now })
  }
  const fields = [
    'provider',
    'token',
    'length',
    'periods',
    'rate',
    'collateral',
    'notice',
    'egressPrice',
  ] as const
  for (const field of fields) {
    if (terms[field] === quote[field]) continue
    const reason = `is ${terms[field]}, the quote says ${quote[field]}`
    throw new HoldfastError({ code: 'TERMS_INVALID', field, reason })
  }
  checkAttributes(terms, quote)
}

/** A client need not ask for a region; if it does, it must be the one offered. */
const checkAttributes = (terms: DealTerms, quote: Quote): void => {
  if (terms.attributes === quote.attributes || BigInt(terms.attributes) === 0n) return
  const reason = `is ${terms.attributes}, the quote says ${quote.attributes}`
  throw new HoldfastError({ code: 'TERMS_INVALID', field: 'attributes', reason })
}
