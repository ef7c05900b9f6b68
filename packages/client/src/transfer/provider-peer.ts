/**
 * A provider as the client talks to it: conversation and bulk bytes. The port that publish and
 * retrieve need; `network-peer.ts` is the adapter on gRPC and HTTPS.
 *
 * Every call has a deadline of its own and fails with a HoldfastError. Nothing here is trusted:
 * callers verify signatures, roots and CIDs.
 */

import type { ProviderRecord } from '@holdfast/chain'
import type {
  Bytes,
  CallOptions,
  CommitUploadResponse,
  DescribeResponse,
  GetBundleEntriesRequest,
  GetBundleEntriesResponse,
  GetDealRequest,
  GetDealResponse,
  OpenUploadRequest,
  OpenUploadResponse,
  ProposeDealRequest,
  ProposeDealResponse,
  ProviderId,
  QuoteRequest,
  QuoteResponse,
  RevokeGrantRequest,
  Root,
  SessionRequest,
} from '@holdfast/protocol'

/** `end` is exclusive. */
export interface ByteSpan {
  readonly start: Bytes
  readonly end: Bytes
}

export interface UploadPart extends ByteSpan {
  readonly total: Bytes
  readonly body: Uint8Array
}

export interface ProviderPeer {
  readonly provider: ProviderId
  describe(options?: CallOptions): Promise<DescribeResponse>
  quote(request: QuoteRequest, options?: CallOptions): Promise<QuoteResponse>
  openUpload(request: OpenUploadRequest, options?: CallOptions): Promise<OpenUploadResponse>
  /** Sends one part and returns what is durable then. */
  putPart(
    session: SessionRequest,
    part: UploadPart,
    options?: CallOptions,
  ): Promise<readonly ByteSpan[]>
  /** What is durable now. */
  durable(session: SessionRequest, options?: CallOptions): Promise<readonly ByteSpan[]>
  /** Verifies the whole payload at the provider; `length` sets how long that may take. */
  commitUpload(
    session: SessionRequest,
    length: Bytes,
    options?: CallOptions,
  ): Promise<CommitUploadResponse>
  abortUpload(session: SessionRequest, options?: CallOptions): Promise<void>
  /** The payer's word that a grant counts no more; the provider has it on disk when it resolves. */
  revokeGrant(request: RevokeGrantRequest, options?: CallOptions): Promise<void>
  proposeDeal(request: ProposeDealRequest, options?: CallOptions): Promise<ProposeDealResponse>
  /** Entries of a period's bundle, unchecked: see `checkDeal`. */
  bundleEntries(
    request: GetBundleEntriesRequest,
    options?: CallOptions,
  ): Promise<GetBundleEntriesResponse>
  getDeal(request: GetDealRequest, options?: CallOptions): Promise<GetDealResponse>
  /** Exactly the bytes of the span, or an error. */
  readPayload(root: Root, span: ByteSpan, options?: CallOptions): Promise<Uint8Array>
  close(): void
}

/** Opens a peer from its registration; the TLS key is checked against it. */
export type ConnectPeer = (record: ProviderRecord, options?: CallOptions) => Promise<ProviderPeer>
