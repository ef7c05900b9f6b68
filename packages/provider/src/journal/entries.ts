/**
 * The closed set of journal entries and their text form: one JSON object each, in which messages
 * (vouchers, receipts, deals) are the wire's own bytes in base64, so that one codec checks both.
 */
import type { OutboxEntry } from '@holdfast/chain'
import {
  type Address,
  address,
  type Bytes,
  bytes,
  type CommitUploadResponse,
  commitUploadResponse,
  type DealId,
  dealId,
  type Hash32,
  hash32,
  type LeafIndex,
  leafIndex,
  type OpenUploadRequest,
  openUploadRequest,
  type Period,
  type ProposeDealRequest,
  period,
  proposeDealRequest,
  type Root,
  root,
  type Signature,
  signature,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import { EntryFields, entryInvalid } from './entry-fields.ts'
import { OUTBOX_DECODERS } from './outbox-entries.ts'

/** Why a session ended without a receipt. */
export type SessionEnd = 'aborted' | 'expired' | 'mismatch' | 'lost'

export type Entry =
  /** The program started; everything before it is known to be synced. */
  | { readonly kind: 'started'; readonly at: Timestamp }
  | {
      readonly kind: 'session-opened'
      readonly session: string
      readonly request: OpenUploadRequest
      readonly expiry: Timestamp
    }
  | {
      readonly kind: 'range-durable'
      readonly session: string
      readonly start: Bytes
      readonly end: Bytes
    }
  | { readonly kind: 'session-ended'; readonly session: string; readonly end: SessionEnd }
  | { readonly kind: 'receipt'; readonly session: string; readonly receipt: CommitUploadResponse }
  | {
      readonly kind: 'deal-accepted'
      readonly deal: DealId
      readonly proposal: ProposeDealRequest
      readonly providerSignature: Signature
    }
  /** About to send the opening transaction. */
  | { readonly kind: 'deal-sending'; readonly deal: DealId }
  | { readonly kind: 'deal-opened'; readonly deal: DealId; readonly transaction: Hash32 }
  /** The deal will never be opened by this acceptance. */
  | { readonly kind: 'deal-refused'; readonly deal: DealId; readonly reason: string }
  | {
      readonly kind: 'damage-found'
      readonly root: Root
      readonly leaf: LeafIndex
      readonly what: string
    }
  | { readonly kind: 'damage-mended'; readonly root: Root }
  | { readonly kind: 'payload-removed'; readonly root: Root }
  /** About to send a period's proof. */
  | { readonly kind: 'proof-sending'; readonly period: Period }
  | { readonly kind: 'proof-sent'; readonly period: Period; readonly transaction: Hash32 }
  /** A payer has taken a session key's grant back. */
  | {
      readonly kind: 'grant-revoked'
      readonly payer: Address
      readonly nonce: Hash32
      readonly expiry: Timestamp
    }
  /** A journal written anew begins with this: the hash and batch that the one before it ended with. */
  | { readonly kind: 'checkpoint'; readonly head: Hash32; readonly batch: bigint }
  /** All that was to be kept has been said, in so many entries. */
  | { readonly kind: 'checkpoint-whole'; readonly entries: bigint }
  /** What the transactor is about to do. */
  | OutboxEntry

const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64')

/** An entry as JSON text. */
export const encodeEntry = (entry: Entry): string => {
  switch (entry.kind) {
    case 'session-opened':
      return json({ ...entry, request: base64(openUploadRequest.encode(entry.request)) })
    case 'receipt':
      return json({ ...entry, receipt: base64(commitUploadResponse.encode(entry.receipt)) })
    case 'deal-accepted':
      return json({ ...entry, proposal: base64(proposeDealRequest.encode(entry.proposal)) })
    default:
      return json(entry)
  }
}

const json = (value: object): string =>
  JSON.stringify(value, (_name, field: unknown) =>
    typeof field === 'bigint' ? field.toString() : field,
  )

const SESSION_ENDS: readonly SessionEnd[] = ['aborted', 'expired', 'mismatch', 'lost']

const sessionEnd = (text: string): SessionEnd => {
  const end = SESSION_ENDS.find((known) => known === text)
  if (end === undefined) throw entryInvalid(`no session ends as ${text}`)
  return end
}

type Decoders = {
  readonly [K in Entry['kind']]: (fields: EntryFields) => Extract<Entry, { readonly kind: K }>
}

const DECODERS: Decoders = {
  ...OUTBOX_DECODERS,
  started: (f) => ({ kind: 'started', at: timestamp(f.integer('at')) }),
  'grant-revoked': (f) => ({
    kind: 'grant-revoked',
    payer: address(f.text('payer')),
    nonce: hash32(f.text('nonce')),
    expiry: timestamp(f.integer('expiry')),
  }),
  checkpoint: (f) => ({
    kind: 'checkpoint',
    head: hash32(f.text('head')),
    batch: f.integer('batch'),
  }),
  'checkpoint-whole': (f) => ({ kind: 'checkpoint-whole', entries: f.integer('entries') }),
  'session-opened': (f) => ({
    kind: 'session-opened',
    session: f.text('session'),
    request: openUploadRequest.decode(f.message('request')),
    expiry: timestamp(f.integer('expiry')),
  }),
  'range-durable': (f) => ({
    kind: 'range-durable',
    session: f.text('session'),
    start: bytes(f.integer('start')),
    end: bytes(f.integer('end')),
  }),
  'session-ended': (f) => ({
    kind: 'session-ended',
    session: f.text('session'),
    end: sessionEnd(f.text('end')),
  }),
  receipt: (f) => ({
    kind: 'receipt',
    session: f.text('session'),
    receipt: commitUploadResponse.decode(f.message('receipt')),
  }),
  'deal-accepted': (f) => ({
    kind: 'deal-accepted',
    deal: dealId(f.text('deal')),
    proposal: proposeDealRequest.decode(f.message('proposal')),
    providerSignature: signature(f.text('providerSignature')),
  }),
  'deal-sending': (f) => ({ kind: 'deal-sending', deal: dealId(f.text('deal')) }),
  'deal-opened': (f) => ({
    kind: 'deal-opened',
    deal: dealId(f.text('deal')),
    transaction: hash32(f.text('transaction')),
  }),
  'deal-refused': (f) => ({
    kind: 'deal-refused',
    deal: dealId(f.text('deal')),
    reason: f.text('reason'),
  }),
  'damage-found': (f) => ({
    kind: 'damage-found',
    root: root(f.text('root')),
    leaf: leafIndex(f.integer('leaf')),
    what: f.text('what'),
  }),
  'damage-mended': (f) => ({ kind: 'damage-mended', root: root(f.text('root')) }),
  'payload-removed': (f) => ({ kind: 'payload-removed', root: root(f.text('root')) }),
  'proof-sending': (f) => ({ kind: 'proof-sending', period: period(f.integer('period')) }),
  'proof-sent': (f) => ({
    kind: 'proof-sent',
    period: period(f.integer('period')),
    transaction: hash32(f.text('transaction')),
  }),
}

const isKind = (text: string): text is Entry['kind'] => Object.hasOwn(DECODERS, text)

/** @throws HoldfastError `MESSAGE_INVALID` for a kind or field this version does not know. */
export const decodeEntry = (text: string): Entry => {
  const fields = new EntryFields(text)
  const kind = fields.text('kind')
  if (!isKind(kind)) throw entryInvalid(`there is no kind ${kind}`)
  return DECODERS[kind](fields)
}
