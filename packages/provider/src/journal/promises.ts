/**
 * What the journal's entries add up to: sessions, nonces seen, receipts given, deals accepted,
 * payloads found damaged. A fold and nothing more: who wants to change it appends to the journal
 * first, then applies the same entry here.
 *
 * Invariants: `apply` is deterministic; entries about things unknown are ignored, because what they
 * were about may have been dropped by a former `entriesToKeep`. A receipt is over when its payload was
 * removed after it was given, which the collector does when nobody has a claim on it; so is a deal.
 */
import { NonceLine } from '@holdfast/chain'
import type {
  Address,
  CommitUploadResponse,
  DealId,
  GrantRevocation,
  Hash32,
  OpenUploadRequest,
  Period,
  Root,
  SessionGrant,
  Timestamp,
} from '@holdfast/protocol'
import { addRange } from '../store/ranges.ts'
import type { Entry } from './entries.ts'
import { OverPromises } from './over-promises.ts'
import {
  type DealPromise,
  dealEntries,
  type FoundDamage,
  type SessionPromise,
  sessionEntries,
} from './promised.ts'

export type { DealPromise, FoundDamage, SessionPromise } from './promised.ts'

/** What two grants share exactly when they are one: who gave it, and its nonce. */
export const grantName = ({ payer, nonce }: Pick<SessionGrant, 'payer' | 'nonce'>): string =>
  `${payer} ${nonce}`

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
  readonly #over = new OverPromises()
  readonly #revoked = new Map<string, GrantRevocation>()

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

  /** Receipts whose payloads must be here: they were not removed after it. */
  *receipts(): Iterable<CommitUploadResponse['receipt']> {
    for (const { session, receipt } of this.#sessions.values()) {
      if (receipt !== undefined && !this.#over.has(session)) yield receipt.receipt
    }
  }

  /** Grants (`grantName`) that their payers have taken back. */
  get revoked(): ReadonlyMap<string, GrantRevocation> {
    return this.#revoked
  }

  /** Bytes of sessions under a grant (`grantName`) that are open or have a receipt. */
  grantedBytes(grant: string): bigint {
    return this.#granted.get(grant) ?? 0n
  }

  apply(entry: Entry): void {
    switch (entry.kind) {
      case 'started':
      case 'checkpoint':
      case 'checkpoint-whole':
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
        this.#over.addReceipt(entry.receipt.receipt.root, entry.session)
        break
      case 'grant-revoked': {
        const { payer, nonce, expiry } = entry
        this.#revoked.set(grantName(entry), { payer, nonce, expiry })
        break
      }
      case 'damage-found':
        this.#damages.set(entry.root, { root: entry.root, leaf: entry.leaf, what: entry.what })
        break
      case 'damage-mended':
        this.#damages.delete(entry.root)
        break
      case 'payload-removed':
        this.#damages.delete(entry.root)
        this.#over.remove(entry.root)
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

  /** Drops what nobody can ask for any more. */
  forget(now: Timestamp): void {
    for (const [id, session] of this.#sessions) {
      if (this.#over.keeps(session, now)) continue
      if (session.end === undefined) this.#grant(session.request, -session.request.voucher.length)
      this.#sessions.delete(id)
      this.#over.delete(id)
      const { nonce } = session.request.voucher
      if (this.#nonces.get(nonce) === id) this.#nonces.delete(nonce)
    }
    for (const [name, { expiry }] of this.#revoked) if (expiry < now) this.#revoked.delete(name)
    for (const [id, deal] of this.#deals) {
      if (this.#over.keepsDeal(deal, now)) continue
      this.#deals.delete(id)
      this.#over.delete(id)
    }
  }

  /** The entries that rebuild this state without what nobody can ask for any more. */
  *entriesToKeep(now: Timestamp): Iterable<Entry> {
    // What is over comes before what was promised anew about the same payload.
    const removed = new Set<Root>()
    for (const session of this.#sessions.values()) {
      if (!this.#over.has(session.session) || !this.#over.keeps(session, now)) continue
      removed.add(session.request.voucher.root)
      yield* sessionEntries(session)
    }
    for (const deal of this.#deals.values()) {
      if (!this.#over.has(deal.deal) || !this.#over.keepsDeal(deal, now)) continue
      removed.add(deal.proposal.terms.root)
      yield* dealEntries(deal)
    }
    for (const root of removed) yield { kind: 'payload-removed', root }
    for (const session of this.#sessions.values()) {
      if (this.#over.has(session.session) || !this.#over.keeps(session, now)) continue
      yield* sessionEntries(session)
    }
    for (const deal of this.#deals.values()) {
      if (!this.#over.has(deal.deal)) yield* dealEntries(deal)
    }
    for (const revocation of this.#revoked.values()) {
      if (revocation.expiry >= now) yield { kind: 'grant-revoked', ...revocation }
    }
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
    const sum = this.grantedBytes(name) + by
    if (sum === 0n) this.#granted.delete(name)
    else this.#granted.set(name, sum)
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
      this.#over.addDeal(proposal.terms.root, deal)
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
