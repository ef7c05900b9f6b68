/**
 * What the journal's entries add up to: sessions, nonces seen, receipts given, deals accepted,
 * payloads found damaged. A fold and nothing more: who wants to change it appends to the journal
 * first, then applies the same entry here.
 *
 * Invariants: `apply` is deterministic; entries about things unknown are ignored, because what they
 * were about may have been dropped by a former `entriesToKeep`.
 */
import { NonceLine } from '@holdfast/chain'
import type {
  Address,
  CommitUploadResponse,
  DealId,
  Hash32,
  LeafIndex,
  OpenUploadRequest,
  Period,
  ProposeDealRequest,
  Root,
  SessionGrant,
  Signature,
  Timestamp,
} from '@holdfast/protocol'
import { addRange, type ByteRange } from '../store/ranges.ts'
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

/** What two grants share exactly when they are one: who gave it, and its nonce. */
export const grantName = ({ payer, nonce }: SessionGrant): string => `${payer} ${nonce}`

/** Sent proofs are remembered for this many periods. */
const PROOFS_KEPT = 64

export class Promises {
  readonly #sessions = new Map<string, SessionPromise>()
  readonly #nonces = new Map<Hash32, string>()
  readonly #granted = new Map<string, bigint>()
  readonly #deals = new Map<DealId, DealPromise>()
  readonly #damages = new Map<Root, FoundDamage>()
  readonly #proofs = new Map<Period, Hash32 | undefined>()
  readonly #lines = new Map<Address, NonceLine>()

  static of(entries: Iterable<Entry>): Promises {
    const promises = new Promises()
    for (const entry of entries) promises.apply(entry)
    return promises
  }

  get sessions(): ReadonlyMap<string, SessionPromise> {
    return this.#sessions
  }

  get deals(): ReadonlyMap<DealId, DealPromise> {
    return this.#deals
  }

  get damages(): ReadonlyMap<Root, FoundDamage> {
    return this.#damages
  }

  /** Periods whose proof was sent, or was about to be; with its transaction once known. */
  get proofs(): ReadonlyMap<Period, Hash32 | undefined> {
    return this.#proofs
  }

  /** What was signed for an account, and what became of it. */
  transactions(account: Address): NonceLine {
    const line = this.#lines.get(account) ?? new NonceLine()
    this.#lines.set(account, line)
    return line
  }

  /** The session that a voucher's nonce was spent on. */
  sessionOfNonce(nonce: Hash32): SessionPromise | undefined {
    const session = this.#nonces.get(nonce)
    return session === undefined ? undefined : this.#sessions.get(session)
  }

  /** Bytes of sessions under a grant (`grantName`) that are open or have a receipt. */
  grantedBytes(grant: string): bigint {
    return this.#granted.get(grant) ?? 0n
  }

  apply(entry: Entry): void {
    switch (entry.kind) {
      case 'started':
        break
      case 'session-opened':
        this.#openSession(entry)
        break
      case 'range-durable':
        this.#changeSession(entry.session, ({ durable }) => ({ durable: addRange(durable, entry) }))
        break
      case 'session-ended':
        this.#endSession(entry)
        break
      case 'receipt':
        this.#changeSession(entry.session, () => ({ receipt: entry.receipt, durable: [] }))
        break
      case 'damage-found':
        this.#damages.set(entry.root, { root: entry.root, leaf: entry.leaf, what: entry.what })
        break
      case 'damage-mended':
      case 'payload-removed':
        this.#damages.delete(entry.root)
        break
      case 'proof-sending':
      case 'proof-sent':
        this.#noteProof(entry)
        break
      case 'tx-intended':
      case 'tx-signed':
      case 'tx-abandoned':
      case 'tx-settled':
      case 'tx-reopened':
      case 'tx-forgotten':
        this.transactions(entry.account).apply(entry)
        break
      default:
        this.#applyDeal(entry)
    }
  }

  /** The entries that rebuild this state without what nobody can ask for any more. */
  *entriesToKeep(now: Timestamp): Iterable<Entry> {
    for (const session of this.#sessions.values()) yield* sessionEntries(session, now)
    for (const promise of this.#deals.values()) yield* dealEntries(promise)
    for (const damage of this.#damages.values()) yield { kind: 'damage-found', ...damage }
    for (const [period, transaction] of this.#proofs) {
      if (transaction === undefined) yield { kind: 'proof-sending', period }
      else yield { kind: 'proof-sent', period, transaction }
    }
    for (const [account, line] of this.#lines) yield* line.entries(account)
  }

  #openSession(entry: Extract<Entry, { kind: 'session-opened' }>): void {
    const { session, request, expiry } = entry
    const fresh = { durable: [], end: undefined, receipt: undefined }
    if (!this.#sessions.has(session)) this.#grant(request, request.voucher.length)
    this.#sessions.set(session, { session, request, expiry, ...fresh })
    this.#nonces.set(request.voucher.nonce, session)
  }

  #endSession({ session: id, end }: Extract<Entry, { kind: 'session-ended' }>): void {
    const session = this.#sessions.get(id)
    const wasOpen = session !== undefined && session.end === undefined
    if (wasOpen && session.receipt === undefined) {
      this.#grant(session.request, -session.request.voucher.length)
    }
    this.#changeSession(id, () => ({ end, durable: [] }))
  }

  #grant({ grant }: OpenUploadRequest, by: bigint): void {
    if (grant === undefined) return
    const name = grantName(grant.grant)
    this.#granted.set(name, this.grantedBytes(name) + by)
  }

  #changeSession(id: string, change: (session: SessionPromise) => Partial<SessionPromise>): void {
    const session = this.#sessions.get(id)
    if (session !== undefined) this.#sessions.set(id, { ...session, ...change(session) })
  }

  #applyDeal(entry: Extract<Entry, { deal: DealId }>): void {
    if (entry.kind === 'deal-accepted') {
      const { deal, proposal, providerSignature } = entry
      const fresh = { sending: false, transaction: undefined, refused: undefined }
      this.#deals.set(deal, { deal, proposal, providerSignature, ...fresh })
      return
    }
    const deal = this.#deals.get(entry.deal)
    if (deal === undefined) return
    this.#deals.set(entry.deal, { ...deal, ...dealChange(entry) })
  }

  #noteProof(entry: Extract<Entry, { period: Period }>): void {
    this.#proofs.set(entry.period, entry.kind === 'proof-sent' ? entry.transaction : undefined)
    for (const period of this.#proofs.keys()) {
      if (period + BigInt(PROOFS_KEPT) < entry.period) this.#proofs.delete(period)
    }
  }
}

type DealChange = Exclude<Extract<Entry, { deal: DealId }>, { kind: 'deal-accepted' }>

const dealChange = (entry: DealChange): Partial<DealPromise> => {
  switch (entry.kind) {
    case 'deal-sending':
      return { sending: true }
    case 'deal-opened':
      return { transaction: entry.transaction }
    case 'deal-refused':
      return { refused: entry.reason }
  }
}

/** A nonce must be remembered until its voucher expires; an open session and a receipt longer. */
function* sessionEntries(promise: SessionPromise, now: Timestamp): Iterable<Entry> {
  const { session, request, expiry, durable, end, receipt } = promise
  if (end !== undefined && request.voucher.expiry < now) return
  yield { kind: 'session-opened', session, request, expiry }
  for (const range of durable) yield { kind: 'range-durable', session, ...range }
  if (end !== undefined) yield { kind: 'session-ended', session, end }
  if (receipt !== undefined) yield { kind: 'receipt', session, receipt }
}

function* dealEntries(promise: DealPromise): Iterable<Entry> {
  const { deal, proposal, providerSignature, sending, transaction, refused } = promise
  yield { kind: 'deal-accepted', deal, proposal, providerSignature }
  if (sending) yield { kind: 'deal-sending', deal }
  if (transaction !== undefined) yield { kind: 'deal-opened', deal, transaction }
  if (refused !== undefined) yield { kind: 'deal-refused', deal, reason: refused }
}
