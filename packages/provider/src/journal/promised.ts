/** What one promise is, and the entries that say it again when the journal is written anew. */
import type {
  CommitUploadResponse,
  DealId,
  Hash32,
  LeafIndex,
  OpenUploadRequest,
  ProposeDealRequest,
  Root,
  Signature,
  Timestamp,
} from '@holdfast/protocol'
import type { ByteRange } from '../store/ranges.ts'
import type { Entry, SessionEnd } from './entries.ts'

export interface SessionPromise {
  readonly session: string
  readonly request: OpenUploadRequest
  readonly expiry: Timestamp
  readonly durable: readonly ByteRange[]
  /** Set when it ended without a receipt. */
  readonly end: SessionEnd | undefined
  readonly receipt: CommitUploadResponse | undefined
}

export interface DealPromise {
  readonly deal: DealId
  readonly proposal: ProposeDealRequest
  readonly providerSignature: Signature
  /** The opening transaction may have been sent. */
  readonly sending: boolean
  /** Set when it is open; all zero when it was found open after a crash. */
  readonly transaction: Hash32 | undefined
  readonly refused: string | undefined
}

export interface FoundDamage {
  readonly root: Root
  readonly leaf: LeafIndex
  readonly what: string
}

export function* sessionEntries(promise: SessionPromise): Iterable<Entry> {
  const { session, request, expiry, durable, end, receipt } = promise
  yield { kind: 'session-opened', session, request, expiry }
  for (const range of durable) yield { kind: 'range-durable', session, ...range }
  if (end !== undefined) yield { kind: 'session-ended', session, end }
  if (receipt !== undefined) yield { kind: 'receipt', session, receipt }
}

export function* dealEntries(promise: DealPromise): Iterable<Entry> {
  const { deal, proposal, providerSignature, sending, transaction, refused } = promise
  yield { kind: 'deal-accepted', deal, proposal, providerSignature }
  if (sending) yield { kind: 'deal-sending', deal }
  if (transaction !== undefined) yield { kind: 'deal-opened', deal, transaction }
  if (refused !== undefined) yield { kind: 'deal-refused', deal, reason: refused }
}
