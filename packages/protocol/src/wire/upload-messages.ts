/**
 * Upload sessions: opening, watching, committing, aborting. Wire message to domain value and back,
 * every field checked.
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type Commitment,
  GRANT_UPLOAD,
  type SessionGrant,
  type StorageReceipt,
  type UploadVoucher,
} from '../deal/terms.ts'
import {
  AbortUploadRequestSchema,
  AbortUploadResponseSchema,
  type CommitmentSchema,
  CommitUploadRequestSchema,
  CommitUploadResponseSchema,
  OpenUploadRequestSchema,
  OpenUploadResponseSchema,
  type SignedGrantSchema,
  WatchUploadRequestSchema,
  WatchUploadResponseSchema,
  type ByteRange as WireByteRange,
  type Commitment as WireCommitment,
  type StorageReceipt as WireReceipt,
  type SignedGrant as WireSignedGrant,
  type UploadVoucher as WireVoucher,
} from '../generated/holdfast/provider/v1/provider_pb.ts'
import { fromHex, type Signature } from '../ids.ts'
import type { Bytes, Timestamp } from '../units.ts'
import { type Codec, codec } from './codec.ts'
import {
  messageInvalid,
  readAddress,
  readBytes,
  readHash,
  readLength,
  readList,
  readPresent,
  readRoot,
  readScheme,
  readSession,
  readSignature,
  readTime,
  readToken,
} from './fields.ts'

/** Payload bytes start <= i < end. */
export interface ByteRange {
  readonly start: Bytes
  readonly end: Bytes
}

/** A grant and the payer's signature over `grantDigest`. */
export interface SignedGrant {
  readonly grant: SessionGrant
  readonly signature: Signature
}

/** A voucher and a signature over `voucherDigest`: the payer's, or with a grant that of its key. */
export interface OpenUploadRequest {
  readonly voucher: UploadVoucher
  readonly signature: Signature
  readonly grant?: SignedGrant
}

export interface OpenUploadResponse {
  readonly session: string
  /** Bearer token of the HTTPS interface for this session. */
  readonly token: string
  readonly expiry: Timestamp
  /** Disjoint, ascending. */
  readonly durable: readonly ByteRange[]
  /** True when the payload is held already; nothing needs to be sent. */
  readonly complete: boolean
}

/** Names a session and proves the right to it: Watch, Commit and Abort all ask this. */
export interface SessionRequest {
  readonly session: string
  readonly token: string
}

export interface WatchUploadResponse {
  /** Disjoint, ascending. */
  readonly durable: readonly ByteRange[]
}

/** A receipt and the operator's signature over `receiptDigest`. */
export interface CommitUploadResponse {
  readonly receipt: StorageReceipt
  readonly signature: Signature
}

/** Nothing is said. */
export type AbortUploadResponse = Readonly<Record<never, never>>

/** A session never reports more ranges than this; a provider with more reports the first ones. */
export const DURABLE_RANGES_MAX = 4096
/** 4096 ranges of at most 20 bytes, and room. */
const RANGES_MESSAGE_BYTES = 131_072

export const commitmentToWire = (value: Commitment): MessageInitShape<typeof CommitmentSchema> => ({
  scheme: value.scheme,
  root: fromHex(value.root),
  length: value.length,
})

/** @throws HoldfastError `MESSAGE_INVALID`. */
export const commitmentFromWire = (
  message: WireCommitment | undefined,
  field: string,
): Commitment => {
  const wire = readPresent(message, field)
  return {
    scheme: readScheme(wire.scheme, `${field}.scheme`),
    root: readRoot(wire.root, `${field}.root`),
    length: readLength(wire.length, `${field}.length`),
  }
}

const voucherFromWire = (message: WireVoucher | undefined): UploadVoucher => {
  const wire = readPresent(message, 'voucher')
  return {
    payer: readAddress(wire.payer, 'voucher.payer'),
    provider: readAddress(wire.provider, 'voucher.provider'),
    tlsKeyHash: readHash(wire.tlsKeyHash, 'voucher.tls_key_hash'),
    ...commitmentFromWire(wire.commitment, 'voucher.commitment'),
    notBefore: readTime(wire.notBefore, 'voucher.not_before'),
    expiry: readTime(wire.expiry, 'voucher.expiry'),
    nonce: readHash(wire.nonce, 'voucher.nonce'),
  }
}

const grantFromWire = ({ grant, signature }: WireSignedGrant): SignedGrant => {
  const wire = readPresent(grant, 'grant.grant')
  return {
    grant: {
      payer: readAddress(wire.payer, 'grant.payer'),
      key: readAddress(wire.key, 'grant.key'),
      provider: readAddress(wire.provider, 'grant.provider'),
      actions: readActions(wire.actions, 'grant.actions'),
      bytesMax: readLength(wire.bytesMax, 'grant.bytes_max'),
      notBefore: readTime(wire.notBefore, 'grant.not_before'),
      expiry: readTime(wire.expiry, 'grant.expiry'),
      nonce: readHash(wire.nonce, 'grant.nonce'),
    },
    signature: readSignature(signature, 'grant.signature'),
  }
}

const readActions = (value: number, field: string): number => {
  if (value !== GRANT_UPLOAD) throw messageInvalid(field, `actions ${value} are unknown`)
  return value
}

const grantToWire = ({
  grant,
  signature,
}: SignedGrant): MessageInitShape<typeof SignedGrantSchema> => ({
  grant: {
    payer: fromHex(grant.payer),
    key: fromHex(grant.key),
    provider: fromHex(grant.provider),
    actions: grant.actions,
    bytesMax: grant.bytesMax,
    notBefore: grant.notBefore,
    expiry: grant.expiry,
    nonce: fromHex(grant.nonce),
  },
  signature: fromHex(signature),
})

const receiptFromWire = (message: WireReceipt | undefined): StorageReceipt => {
  const wire = readPresent(message, 'receipt')
  return {
    provider: readAddress(wire.provider, 'receipt.provider'),
    payer: readAddress(wire.payer, 'receipt.payer'),
    ...commitmentFromWire(wire.commitment, 'receipt.commitment'),
    voucherNonce: readHash(wire.voucherNonce, 'receipt.voucher_nonce'),
    storedAt: readTime(wire.storedAt, 'receipt.stored_at'),
  }
}

const rangesFromWire = (wire: readonly WireByteRange[]): readonly ByteRange[] => {
  let after = 0n
  return readList(wire, 'durable', DURABLE_RANGES_MAX).map(({ start, end }, i) => {
    if (start >= end || start < after) {
      throw messageInvalid(`durable[${i}]`, `${start} to ${end} is empty or out of order`)
    }
    after = end
    return {
      start: readBytes(start, `durable[${i}].start`),
      end: readLength(end, `durable[${i}].end`),
    }
  })
}

const rangesToWire = (ranges: readonly ByteRange[]): { start: Bytes; end: Bytes }[] =>
  ranges.map(({ start, end }) => ({ start, end }))

export const openUploadRequest: Codec<OpenUploadRequest> = codec({
  schema: OpenUploadRequestSchema,
  toWire: ({ voucher, signature, grant }: OpenUploadRequest) => ({
    voucher: {
      payer: fromHex(voucher.payer),
      provider: fromHex(voucher.provider),
      tlsKeyHash: fromHex(voucher.tlsKeyHash),
      commitment: commitmentToWire(voucher),
      notBefore: voucher.notBefore,
      expiry: voucher.expiry,
      nonce: fromHex(voucher.nonce),
    },
    signature: fromHex(signature),
    ...(grant === undefined ? {} : { grant: grantToWire(grant) }),
  }),
  fromWire: (wire) => ({
    voucher: voucherFromWire(wire.voucher),
    signature: readSignature(wire.signature, 'signature'),
    ...(wire.grant === undefined ? {} : { grant: grantFromWire(wire.grant) }),
  }),
})

export const openUploadResponse: Codec<OpenUploadResponse> = codec({
  schema: OpenUploadResponseSchema,
  toWire: (value: OpenUploadResponse) => ({
    session: value.session,
    token: value.token,
    expiry: value.expiry,
    durable: rangesToWire(value.durable),
    complete: value.complete,
  }),
  fromWire: (wire) => ({
    session: readSession(wire.session, 'session'),
    token: readToken(wire.token, 'token'),
    expiry: readTime(wire.expiry, 'expiry'),
    durable: rangesFromWire(wire.durable),
    complete: wire.complete,
  }),
  bytesMax: RANGES_MESSAGE_BYTES,
})

const sessionToWire = ({ session, token }: SessionRequest): SessionRequest => ({ session, token })
const sessionFromWire = (wire: SessionRequest): SessionRequest => ({
  session: readSession(wire.session, 'session'),
  token: readToken(wire.token, 'token'),
})

export const watchUploadRequest: Codec<SessionRequest> = codec({
  schema: WatchUploadRequestSchema,
  toWire: sessionToWire,
  fromWire: sessionFromWire,
})

export const watchUploadResponse: Codec<WatchUploadResponse> = codec({
  schema: WatchUploadResponseSchema,
  toWire: (value: WatchUploadResponse) => ({ durable: rangesToWire(value.durable) }),
  fromWire: (wire) => ({ durable: rangesFromWire(wire.durable) }),
  bytesMax: RANGES_MESSAGE_BYTES,
})

export const commitUploadRequest: Codec<SessionRequest> = codec({
  schema: CommitUploadRequestSchema,
  toWire: sessionToWire,
  fromWire: sessionFromWire,
})

export const commitUploadResponse: Codec<CommitUploadResponse> = codec({
  schema: CommitUploadResponseSchema,
  toWire: ({ receipt, signature }: CommitUploadResponse) => ({
    receipt: {
      provider: fromHex(receipt.provider),
      payer: fromHex(receipt.payer),
      commitment: commitmentToWire(receipt),
      voucherNonce: fromHex(receipt.voucherNonce),
      storedAt: receipt.storedAt,
    },
    signature: fromHex(signature),
  }),
  fromWire: (wire) => ({
    receipt: receiptFromWire(wire.receipt),
    signature: readSignature(wire.signature, 'signature'),
  }),
})

export const abortUploadRequest: Codec<SessionRequest> = codec({
  schema: AbortUploadRequestSchema,
  toWire: sessionToWire,
  fromWire: sessionFromWire,
})

export const abortUploadResponse: Codec<AbortUploadResponse> = codec({
  schema: AbortUploadResponseSchema,
  toWire: () => ({}),
  fromWire: () => ({}),
})
