/**
 * For every message of the service: valid values, and values with one bad field and that field's
 * name on the wire.
 */
import { address, dealId, hash32, signature } from '../../src/ids.ts'
import { amount, bytes, leafIndex, period, periods, timestamp } from '../../src/units.ts'
import type { DescribeResponse } from '../../src/wire/provider-messages.ts'
import type { ProviderService } from '../../src/wire/service.ts'
import type { ByteRange } from '../../src/wire/upload-messages.ts'
import { BAD_BUNDLES, BUNDLE_SAMPLES } from './bundle-messages.ts'
import { GRANT, QUOTE, RECEIPT, REVOCATION, TERMS, VOUCHER } from './deals.ts'

type Call = keyof ProviderService

const SIGNATURE = signature(`0x${'5a'.repeat(64)}1b`)
const DEAL = dealId(`0x${'6b'.repeat(32)}`)
const TX = hash32(`0x${'7c'.repeat(32)}`)
const U64 = (1n << 64n) - 1n

const DESCRIBE: DescribeResponse = {
  provider: address(`0x${'11'.repeat(20)}`),
  operator: address(`0x${'12'.repeat(20)}`),
  chainId: 31_337n,
  market: address(`0x${'13'.repeat(20)}`),
  software: 'holdfast-provider 0.1.0',
  httpEndpoint: 'https://127.0.0.1:4501',
  region: 'eu-north',
  token: address(`0x${'14'.repeat(20)}`),
  pricePerTibMonth: amount(2_500_000),
  provingFeeMonth: amount((1n << 128n) - 1n),
  egressPerTib: amount(0),
  freeBytes: bytes(0),
  payloadBytesMax: bytes(1n << 50n),
  partBytesMax: bytes(16_777_216),
}

const range = (start: bigint | number, end: bigint | number): ByteRange => ({
  start: bytes(start),
  end: bytes(end),
})
const RANGES = [range(0, 5), range(5, 16_777_216), range(33_554_432, 1n << 50n)]
const SESSION = { session: 'k3JqW_-0', token: 'abc.DEF~+/=-_' }
const OPEN = { ...SESSION, expiry: timestamp(U64), durable: RANGES, complete: false }
const OPENING = {
  index: leafIndex(7),
  leaf: new Uint8Array(1024).fill(3),
  path: new Uint8Array(64),
}
const GRANTED = { grant: GRANT, signature: SIGNATURE }
const DEAL_STATE = {
  deal: DEAL,
  state: 'faulty',
  provenPeriods: periods(12),
  lastProvenPeriod: period(40),
  fault: 'leaf 7 does not lead to the root',
} as const
const PROPOSAL = {
  terms: TERMS,
  clientSignature: SIGNATURE,
  quote: QUOTE,
  quoteSignature: SIGNATURE,
}

/** Valid values of every message, the widest and the emptiest among them. */
export const SAMPLES: Readonly<Record<Call, { request: unknown[]; response: unknown[] }>> = {
  describe: {
    request: [{}],
    response: [
      DESCRIBE,
      { ...DESCRIBE, region: '', software: '', httpEndpoint: 'https://[::1]:1' },
    ],
  },
  quote: {
    request: [{ length: bytes(1), periods: periods(4_294_967_295n), token: QUOTE.token }],
    response: [{ quote: QUOTE, signature: SIGNATURE }],
  },
  openUpload: {
    request: [
      { voucher: VOUCHER, signature: SIGNATURE },
      { voucher: VOUCHER, signature: SIGNATURE, grant: GRANTED },
    ],
    response: [OPEN, { ...OPEN, durable: [], complete: true }],
  },
  watchUpload: { request: [SESSION], response: [{ durable: RANGES }, { durable: [] }] },
  commitUpload: { request: [SESSION], response: [{ receipt: RECEIPT, signature: SIGNATURE }] },
  abortUpload: { request: [SESSION], response: [{}] },
  revokeGrant: { request: [{ revocation: REVOCATION, signature: SIGNATURE }], response: [{}] },
  proposeDeal: {
    request: [PROPOSAL, { ...PROPOSAL, terms: { ...TERMS, scheme: 2, notice: periods(0) } }],
    response: [{ deal: DEAL, providerSignature: SIGNATURE, transaction: TX }],
  },
  getDeal: {
    request: [{ deal: DEAL }],
    response: [DEAL_STATE, { ...DEAL_STATE, state: 'stored', fault: '' }],
  },
  getAnswers: {
    request: [{ deal: DEAL, period: period(U64) }],
    response: [
      { answers: [] },
      { answers: Array.from({ length: 64 }, () => ({ ...OPENING, path: new Uint8Array(1280) })) },
      { answers: [OPENING, { ...OPENING, path: new Uint8Array(0) }] },
    ],
  },
  ...BUNDLE_SAMPLES,
}

type Bad = readonly [call: Call, side: 'request' | 'response', field: string, value: unknown]

const describeWith = (field: string, change: object): Bad => [
  'describe',
  'response',
  field,
  { ...DESCRIBE, ...change },
]
const openWith = (field: string, change: object): Bad => [
  'openUpload',
  'response',
  field,
  { ...OPEN, ...change },
]
const durable = (field: string, ranges: readonly ByteRange[]): Bad => [
  'watchUpload',
  'response',
  field,
  { durable: ranges },
]
const termsWith = (field: string, change: object): Bad => [
  'proposeDeal',
  'request',
  `terms.${field}`,
  { ...PROPOSAL, terms: { ...TERMS, ...change } },
]
const quoteWith = (field: string, change: object): Bad => [
  'quote',
  'response',
  `quote.${field}`,
  { quote: { ...QUOTE, ...change }, signature: SIGNATURE },
]
const voucherWith = (field: string, change: object): Bad => [
  'openUpload',
  'request',
  `voucher.${field}`,
  { voucher: { ...VOUCHER, ...change }, signature: SIGNATURE },
]
const receiptWith = (field: string, change: object): Bad => [
  'commitUpload',
  'response',
  `receipt.${field}`,
  { receipt: { ...RECEIPT, ...change }, signature: SIGNATURE },
]
const openingWith = (field: string, change: object): Bad => [
  'getAnswers',
  'response',
  `answers[1].${field}`,
  { answers: [OPENING, { ...OPENING, ...change }] },
]
const dealWith = (field: string, change: object): Bad => [
  'getDeal',
  'response',
  field,
  { ...DEAL_STATE, ...change },
]

const SHORT = '0x1234'
const TOO_MUCH = 1n << 128n

export const BAD_FIELDS: readonly Bad[] = [
  ...['provider', 'operator', 'market', 'token'].map((name) =>
    describeWith(name, { [name]: SHORT }),
  ),
  describeWith('software', { software: 'x'.repeat(129) }),
  describeWith('software', { software: 'evil\u001b[2J' }),
  describeWith('region', { region: 'x'.repeat(65) }),
  describeWith('region', { region: 'a\nb' }),
  describeWith('http_endpoint', { httpEndpoint: 'http://127.0.0.1:1' }),
  describeWith('http_endpoint', { httpEndpoint: 'https://127.0.0.1:1/path' }),
  describeWith('http_endpoint', { httpEndpoint: 'https://user@host' }),
  describeWith('http_endpoint', { httpEndpoint: `https://${'a'.repeat(300)}` }),
  describeWith('http_endpoint', { httpEndpoint: '' }),
  describeWith('price_per_tib_month', { pricePerTibMonth: TOO_MUCH }),
  describeWith('proving_fee_month', { provingFeeMonth: -1n }),
  describeWith('egress_per_tib', { egressPerTib: '01' }),
  describeWith('egress_per_tib', { egressPerTib: '1e3' }),
  describeWith('egress_per_tib', { egressPerTib: '' }),
  describeWith('payload_bytes_max', { payloadBytesMax: 0n }),
  describeWith('part_bytes_max', { partBytesMax: (1n << 50n) + 1n }),
  ['quote', 'request', 'length', { length: 0n, periods: 1n, token: QUOTE.token }],
  ['quote', 'request', 'length', { length: (1n << 50n) + 1n, periods: 1n, token: QUOTE.token }],
  ['quote', 'request', 'periods', { length: 1n, periods: 0n, token: QUOTE.token }],
  ['quote', 'request', 'periods', { length: 1n, periods: 1n << 32n, token: QUOTE.token }],
  ['quote', 'request', 'token', { length: 1n, periods: 1n, token: SHORT }],
  ['quote', 'response', 'signature', { quote: QUOTE, signature: SHORT }],
  ...['provider', 'token', 'attributes', 'nonce'].map((name) => quoteWith(name, { [name]: SHORT })),
  quoteWith('length', { length: 0n }),
  quoteWith('periods', { periods: 0n }),
  quoteWith('rate', { rate: TOO_MUCH }),
  quoteWith('collateral', { collateral: TOO_MUCH }),
  quoteWith('notice', { notice: 1n << 32n }),
  quoteWith('egress_price', { egressPrice: TOO_MUCH }),
  ['openUpload', 'request', 'signature', { voucher: VOUCHER, signature: SHORT }],
  ...['payer', 'provider', 'nonce'].map((name) => voucherWith(name, { [name]: SHORT })),
  voucherWith('tls_key_hash', { tlsKeyHash: SHORT }),
  voucherWith('commitment.scheme', { scheme: 3 }),
  voucherWith('commitment.scheme', { scheme: 0 }),
  voucherWith('commitment.root', { root: SHORT }),
  voucherWith('commitment.length', { length: 0n }),
  voucherWith('commitment.length', { length: (1n << 50n) + 1n }),
  openWith('session', { session: '' }),
  openWith('session', { session: 'a/b' }),
  openWith('session', { session: 'a'.repeat(129) }),
  openWith('token', { token: 'a b' }),
  openWith('token', { token: '' }),
  openWith('token', { token: 'a'.repeat(257) }),
  ['watchUpload', 'request', 'session', { ...SESSION, session: '..' }],
  ['commitUpload', 'request', 'token', { ...SESSION, token: 'a\r\nb' }],
  ['abortUpload', 'request', 'session', { ...SESSION, session: 'a?b' }],
  [
    'revokeGrant',
    'request',
    'revocation.nonce',
    { revocation: { ...REVOCATION, nonce: SHORT }, signature: SIGNATURE },
  ],
  durable('durable[0]', [range(5, 5)]),
  durable('durable[1]', [range(0, 5), range(4, 9)]),
  durable('durable[0].end', [range(0, (1n << 50n) + 1n)]),
  durable(
    'durable',
    Array.from({ length: 4097 }, (_, i) => range(2 * i, 2 * i + 1)),
  ),
  ['commitUpload', 'response', 'signature', { receipt: RECEIPT, signature: SHORT }],
  ...['provider', 'payer'].map((name) => receiptWith(name, { [name]: SHORT })),
  receiptWith('voucher_nonce', { voucherNonce: SHORT }),
  receiptWith('commitment.length', { length: 0n }),
  ['proposeDeal', 'request', 'client_signature', { ...PROPOSAL, clientSignature: SHORT }],
  ['proposeDeal', 'request', 'quote_signature', { ...PROPOSAL, quoteSignature: SHORT }],
  ...['client', 'provider', 'token', 'dataset', 'attributes', 'takedown', 'nonce'].map((name) =>
    termsWith(name, { [name]: SHORT }),
  ),
  termsWith('commitment.scheme', { scheme: 9 }),
  termsWith('rate', { rate: TOO_MUCH }),
  termsWith('periods', { periods: 0n }),
  termsWith('deposit', { deposit: TOO_MUCH }),
  termsWith('collateral', { collateral: TOO_MUCH }),
  termsWith('notice', { notice: 1n << 32n }),
  termsWith('replacement_cost', { replacementCost: TOO_MUCH }),
  termsWith('egress_price', { egressPrice: TOO_MUCH }),
  ...['deal', 'transaction'].map(
    (name): Bad => [
      'proposeDeal',
      'response',
      name,
      { deal: DEAL, providerSignature: SIGNATURE, transaction: TX, [name]: SHORT },
    ],
  ),
  ['getDeal', 'request', 'deal', { deal: SHORT }],
  dealWith('deal', { deal: SHORT }),
  dealWith('state', { state: 'dead' }),
  dealWith('proven_periods', { provenPeriods: 1n << 32n }),
  dealWith('fault', { fault: 'x'.repeat(513) }),
  dealWith('fault', { fault: '\u0007' }),
  ['getAnswers', 'request', 'deal', { deal: SHORT, period: 1n }],
  openingWith('leaf', { leaf: new Uint8Array(1023) }),
  openingWith('leaf', { leaf: new Uint8Array(0) }),
  openingWith('path', { path: new Uint8Array(33) }),
  openingWith('path', { path: new Uint8Array(41 * 32) }),
  openingWith('index', { index: 1n << 40n }),
  ...BAD_BUNDLES,
  ['getAnswers', 'response', 'answers', { answers: Array.from({ length: 65 }, () => OPENING) }],
]
