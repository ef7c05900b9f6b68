/**
 * From a filled session to a receipt: the bytes are sealed, or found to be held already and checked,
 * and only then does the operator sign.
 *
 * Invariant: a receipt is in the journal before anybody sees it.
 */
import {
  type CallOptions,
  type Clock,
  type CommitUploadResponse,
  HoldfastError,
  type Root,
  receiptDigest,
  type Signer,
  type SigningDomain,
  type StorageReceipt,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import type { Holdings } from '../holdings.ts'
import type { SessionEnd } from '../journal/entries.ts'
import type { PromiseBook } from '../journal/promise-book.ts'
import type { SessionPromise } from '../journal/promises.ts'
import { bytesIn, coversRange } from '../store/ranges.ts'
import type { SectorStore } from '../store/sector-store.ts'
import type { ActiveSessions } from './active-sessions.ts'
import { wholeOf } from './session-rules.ts'

export interface CommitterDependencies {
  readonly store: SectorStore
  readonly holdings: Holdings
  readonly book: PromiseBook
  readonly operator: Signer
  readonly clock: Clock
  readonly active: ActiveSessions
  readonly domain: SigningDomain
  /** Told every payload that is now here. */
  readonly onStored: (root: Root) => void
  /** Ends a session and gives its space back. */
  readonly end: (session: SessionPromise, end: SessionEnd) => Promise<void>
}

export class Committer {
  readonly #dependencies: CommitterDependencies

  constructor(dependencies: CommitterDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * @throws HoldfastError `UPLOAD_INCOMPLETE`; `ROOT_MISMATCH`, and `SESSION_NOT_FOUND` when its bytes were
   *   stored and then damaged: the session is gone, and another voucher begins anew.
   */
  async commit(session: SessionPromise, options: CallOptions): Promise<CommitUploadResponse> {
    const { store, holdings, book, operator, active, domain } = this.#dependencies
    const whole = coversRange(session.durable, wholeOf(session))
    if (!whole || !store.staged().has(session.session)) await this.#relyOnHeld(session, options)
    else await this.#seal(session, options)
    const receipt = this.#receiptFor(session)
    const signature = await operator.sign(receiptDigest(receipt, domain))
    const given = { receipt, signature }
    await book.record({ kind: 'receipt', session: session.session, receipt: given })
    await store.discard(session.session)
    await holdings.noteMended(receipt.root)
    this.#dependencies.onStored(receipt.root)
    active.changed(session.session)
    return given
  }

  #receiptFor({ request: { voucher } }: SessionPromise): StorageReceipt {
    return {
      provider: voucher.provider,
      payer: voucher.payer,
      scheme: voucher.scheme,
      root: voucher.root,
      length: voucher.length,
      voucherNonce: voucher.nonce,
      storedAt: this.#now(),
    }
  }

  /** Makes the session's own bytes the stored payload. */
  async #seal(session: SessionPromise, options: CallOptions): Promise<void> {
    const { store, active, end } = this.#dependencies
    await active.whenQuiet(session.session)
    try {
      await store.seal(session.session, this.#now(), options)
    } catch (error) {
      if (HoldfastError.is(error, 'ROOT_MISMATCH')) await end(session, 'mismatch')
      throw error
    }
  }

  /** Without all bytes from this client, only a payload already here and checked will do. */
  async #relyOnHeld(session: SessionPromise, options: CallOptions): Promise<void> {
    const { holdings, store, active, end } = this.#dependencies
    const { voucher } = session.request
    const held = holdings.holds(voucher)
    if (held && (await holdings.verify(voucher.root, options)) === undefined) {
      await active.silence(session.session)
      return
    }
    if (session.durable.length > 0 && !store.staged().has(session.session)) {
      // Its bytes became the payload that is damaged or gone now. A volume that is away says so here.
      store.find(voucher.root)
      await end(session, 'lost')
      throw new HoldfastError({ code: 'SESSION_NOT_FOUND', session: session.session })
    }
    if (held) await store.reserve(session.session, voucher)
    const actual = bytesIn(session.durable)
    throw new HoldfastError({ code: 'UPLOAD_INCOMPLETE', expected: voucher.length, actual })
  }

  #now(): Timestamp {
    return timestamp(Math.floor(this.#dependencies.clock.now() / 1000))
  }
}
