/**
 * Deals: proposing, asking about, and the answers a client audits. Wire message to domain value and
 * back, every field checked.
 */
import type { DealTerms, Quote } from '../deal/terms.ts'
import {
  GetAnswersRequestSchema,
  GetAnswersResponseSchema,
  GetDealRequestSchema,
  GetDealResponseSchema,
  ProposeDealRequestSchema,
  ProposeDealResponseSchema,
  type LeafAnswer as WireAnswer,
  type DealTerms as WireTerms,
} from '../generated/holdfast/provider/v1/provider_pb.ts'
import { LEAF_BYTES, NODE_BYTES } from '../geometry.ts'
import { type DealId, fromHex, type Hash32, type Signature } from '../ids.ts'
import { LEVEL_MAX } from '../merkle/hash.ts'
import type { LeafOpening } from '../merkle/proof.ts'
import { leafIndex, type Period, type Periods } from '../units.ts'
import { type Codec, codec } from './codec.ts'
import {
  messageInvalid,
  readAddress,
  readAmount,
  readDeal,
  readHash,
  readInt,
  readList,
  readPeriod,
  readPeriods,
  readPresent,
  readRate,
  readSignature,
  readTerm,
  readText,
  readTime,
} from './fields.ts'
import { quoteFromWire, quoteToWire } from './provider-messages.ts'
import { commitmentFromWire, commitmentToWire } from './upload-messages.ts'

export interface ProposeDealRequest {
  readonly terms: DealTerms
  readonly clientSignature: Signature
  readonly quote: Quote
  readonly quoteSignature: Signature
}

export interface ProposeDealResponse {
  readonly deal: DealId
  readonly providerSignature: Signature
  /** The opening transaction, mined. */
  readonly transaction: Hash32
}

export interface GetDealRequest {
  readonly deal: DealId
}

/** What a provider itself says about a deal; the ledger knows better what was paid. */
export interface GetDealResponse {
  readonly deal: DealId
  readonly state: HeldState
  readonly provenPeriods: Periods
  readonly lastProvenPeriod: Period
  /** Why the deal is faulty: which leaf, what was wrong. Empty otherwise. */
  readonly fault: string
}

export type HeldState = 'stored' | 'active' | 'faulty' | 'ended'

export interface GetAnswersRequest {
  readonly deal: DealId
  readonly period: Period
}

export interface GetAnswersResponse {
  readonly answers: readonly LeafOpening[]
}

const STATES: readonly HeldState[] = ['stored', 'active', 'faulty', 'ended']
/** Openings in one response; a deal is asked for 5 leaves a period. */
export const ANSWERS_MAX = 64
/** 64 openings of 1024 + 40 x 32 bytes, and room. */
const ANSWERS_MESSAGE_BYTES = 163_840

const termsFromWire = (message: WireTerms | undefined): DealTerms => {
  const wire = readPresent(message, 'terms')
  return {
    client: readAddress(wire.client, 'terms.client'),
    provider: readAddress(wire.provider, 'terms.provider'),
    token: readAddress(wire.token, 'terms.token'),
    ...commitmentFromWire(wire.commitment, 'terms.commitment'),
    dataset: readHash(wire.dataset, 'terms.dataset'),
    rate: readRate(wire.rate, 'terms.rate'),
    periods: readTerm(wire.periods, 'terms.periods'),
    deposit: readAmount(wire.deposit, 'terms.deposit'),
    collateral: readAmount(wire.collateral, 'terms.collateral'),
    notice: readPeriods(wire.notice, 'terms.notice'),
    replacementCost: readAmount(wire.replacementCost, 'terms.replacement_cost'),
    egressPrice: readAmount(wire.egressPrice, 'terms.egress_price'),
    attributes: readHash(wire.attributes, 'terms.attributes'),
    takedown: readHash(wire.takedown, 'terms.takedown'),
    openBefore: readTime(wire.openBefore, 'terms.open_before'),
    nonce: readHash(wire.nonce, 'terms.nonce'),
  }
}

export const proposeDealRequest: Codec<ProposeDealRequest> = codec({
  schema: ProposeDealRequestSchema,
  toWire: ({ terms, clientSignature, quote, quoteSignature }: ProposeDealRequest) => ({
    terms: {
      client: fromHex(terms.client),
      provider: fromHex(terms.provider),
      token: fromHex(terms.token),
      commitment: commitmentToWire(terms),
      dataset: fromHex(terms.dataset),
      rate: String(terms.rate),
      periods: terms.periods,
      deposit: String(terms.deposit),
      collateral: String(terms.collateral),
      notice: terms.notice,
      replacementCost: String(terms.replacementCost),
      egressPrice: String(terms.egressPrice),
      attributes: fromHex(terms.attributes),
      takedown: fromHex(terms.takedown),
      openBefore: terms.openBefore,
      nonce: fromHex(terms.nonce),
    },
    clientSignature: fromHex(clientSignature),
    quote: quoteToWire(quote),
    quoteSignature: fromHex(quoteSignature),
  }),
  fromWire: (wire) => ({
    terms: termsFromWire(wire.terms),
    clientSignature: readSignature(wire.clientSignature, 'client_signature'),
    quote: quoteFromWire(wire.quote, 'quote'),
    quoteSignature: readSignature(wire.quoteSignature, 'quote_signature'),
  }),
})

export const proposeDealResponse: Codec<ProposeDealResponse> = codec({
  schema: ProposeDealResponseSchema,
  toWire: (value: ProposeDealResponse) => ({
    deal: fromHex(value.deal),
    providerSignature: fromHex(value.providerSignature),
    transaction: fromHex(value.transaction),
  }),
  fromWire: (wire) => ({
    deal: readDeal(wire.deal, 'deal'),
    providerSignature: readSignature(wire.providerSignature, 'provider_signature'),
    transaction: readHash(wire.transaction, 'transaction'),
  }),
})

export const getDealRequest: Codec<GetDealRequest> = codec({
  schema: GetDealRequestSchema,
  toWire: (value: GetDealRequest) => ({ deal: fromHex(value.deal) }),
  fromWire: (wire) => ({ deal: readDeal(wire.deal, 'deal') }),
})

const readState = (value: string): HeldState => {
  const state = STATES.find((known) => known === value)
  if (state === undefined) throw messageInvalid('state', `not one of ${STATES.join(', ')}`)
  return state
}

export const getDealResponse: Codec<GetDealResponse> = codec({
  schema: GetDealResponseSchema,
  toWire: (value: GetDealResponse) => ({
    deal: fromHex(value.deal),
    state: value.state,
    provenPeriods: value.provenPeriods,
    lastProvenPeriod: value.lastProvenPeriod,
    fault: value.fault,
  }),
  fromWire: (wire) => ({
    deal: readDeal(wire.deal, 'deal'),
    state: readState(wire.state),
    provenPeriods: readPeriods(wire.provenPeriods, 'proven_periods'),
    lastProvenPeriod: readPeriod(wire.lastProvenPeriod, 'last_proven_period'),
    fault: readText(wire.fault, 'fault', 512),
  }),
})

export const getAnswersRequest: Codec<GetAnswersRequest> = codec({
  schema: GetAnswersRequestSchema,
  toWire: (value: GetAnswersRequest) => ({ deal: fromHex(value.deal), period: value.period }),
  fromWire: (wire) => ({
    deal: readDeal(wire.deal, 'deal'),
    period: readPeriod(wire.period, 'period'),
  }),
})

const openingFromWire = ({ index, leaf, path }: WireAnswer, field: string): LeafOpening => {
  if (leaf.length !== LEAF_BYTES) {
    throw messageInvalid(`${field}.leaf`, `${leaf.length} bytes instead of ${LEAF_BYTES}`)
  }
  if (path.length % NODE_BYTES !== 0 || path.length > LEVEL_MAX * NODE_BYTES) {
    throw messageInvalid(`${field}.path`, `${path.length} bytes are no 0 to ${LEVEL_MAX} nodes`)
  }
  const most = (1n << BigInt(LEVEL_MAX)) - 1n
  return { index: leafIndex(readInt(index, `${field}.index`, [0n, most])), leaf, path }
}

export const getAnswersResponse: Codec<GetAnswersResponse> = codec({
  schema: GetAnswersResponseSchema,
  toWire: (value: GetAnswersResponse) => ({
    answers: value.answers.map(({ index, leaf, path }) => ({ index, leaf, path })),
  }),
  fromWire: (wire) => ({
    answers: readList(wire.answers, 'answers', ANSWERS_MAX).map((answer, i) =>
      openingFromWire(answer, `answers[${i}]`),
    ),
  }),
  bytesMax: ANSWERS_MESSAGE_BYTES,
})
