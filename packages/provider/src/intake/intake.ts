/**
 * Uploads from voucher to receipt. A session is opened under a voucher, filled by ranges in any
 * order, and committed: only then does the operator sign that the bytes are held.
 *
 * Invariants: no byte is taken without a reservation; a range is called durable only after its bytes
 * and then its journal entry are synced, and is never written again; a nonce opens one session ever;
 * a receipt is in the journal before anybody sees it. Nothing here sends a transaction.
 */
import {
  type CallOptions,
  type CommitUploadResponse,
  HoldfastError,
  type OpenUploadRequest,
  type OpenUploadResponse,
  type RevokeGrantRequest,
  type SessionRequest,
  type Timestamp,
  timestamp,
  voucherDigest,
} from '@holdfast/protocol'
import type { SessionEnd } from '../journal/entries.ts'
import type { SessionPromise } from '../journal/promises.ts'
import { type ByteRange, coversRange } from '../store/ranges.ts'
import { ActiveSessions } from './active-sessions.ts'
import { Committer } from './committer.ts'
import { GrantMeter } from './grants.ts'
import type { IntakeDependencies, IntakeOptions } from './intake-options.ts'
import { type PartBody, receivePart } from './parts.ts'
import { recoverSessions } from './recover-sessions.ts'
import { revokeGrant } from './revoking.ts'
import {
  checkPart,
  checkQuota,
  durableOf,
  type Part,
  sessionIdOf,
  wholeOf,
} from './session-rules.ts'
import { SessionTokens } from './session-token.ts'
import { checkVoucher, checkVoucherTime } from './vouchers.ts'

export type { IntakeDependencies, IntakeOptions } from './intake-options.ts'

export class Intake {
  readonly #dependencies: IntakeDependencies
  readonly #options: IntakeOptions
  readonly #tokens: SessionTokens
  readonly #active: ActiveSessions
  readonly #committer: Committer
  readonly #grants: GrantMeter
  readonly #opening = new Map<string, Promise<OpenUploadResponse>>()
  readonly #committing = new Map<string, Promise<CommitUploadResponse>>()

  constructor(dependencies: IntakeDependencies, options: IntakeOptions) {
    this.#dependencies = dependencies
    this.#options = options
    this.#tokens = new SessionTokens(options.tokenKey)
    this.#grants = new GrantMeter(dependencies.book.promises)
    this.#active = new ActiveSessions({ partsMax: () => options.limits().partsMax })
    this.#committer = new Committer({
      ...dependencies,
      active: this.#active,
      domain: options.domain,
      end: (session, end) => this.#end(session, end),
    })
  }

  /** Requests that are sending bytes. */
  get partsInFlight(): number {
    return this.#active.parts
  }

  /** Sessions that may still receive bytes. */
  get openSessions(): number {
    return this.#openSessions().length
  }

  /**
   * Makes store and journal agree after a restart: places without a session are given back, sessions
   * without a place end.
   */
  async recover(): Promise<void> {
    await recoverSessions(this.#dependencies, this.#openSessions())
    await this.expire()
  }

  /**
   * Opens a session, or returns the open one of the same voucher.
   * @throws HoldfastError `VOUCHER_INVALID`, `VOUCHER_EXPIRED`, `VOUCHER_REPLAYED`,
   * `SIGNATURE_INVALID`, `PAYLOAD_TOO_LARGE`, `CLIENT_UNKNOWN`, `RATE_LIMITED`, `DISK_FULL`.
   */
  async open(request: OpenUploadRequest): Promise<OpenUploadResponse> {
    checkVoucher(request, this.#options.rules())
    this.#grants.checkStanding(request)
    this.#dependencies.admit(request.voucher.payer)
    const session = sessionIdOf(voucherDigest(request.voucher, this.#options.domain))
    const running = this.#opening.get(session)
    if (running !== undefined) return running
    const opening = this.#open(session, request).finally(() => this.#opening.delete(session))
    this.#opening.set(session, opening)
    return opening
  }

  /** The durable ranges of a session. @throws HoldfastError `SESSION_NOT_FOUND`, `UNAUTHORIZED`. */
  durable(request: SessionRequest): readonly ByteRange[] {
    return durableOf(this.#authorised(request))
  }

  /** Durable ranges now and after each change, until the session is whole or ends. */
  async *watch(request: SessionRequest, signal: AbortSignal): AsyncGenerator<readonly ByteRange[]> {
    while (!signal.aborted) {
      const session = this.#authorised(request)
      const durable = durableOf(session)
      yield durable
      if (coversRange(durable, wholeOf(session))) return
      await this.#active.nextChange(request.session, signal)
    }
  }

  /**
   * Takes one part of a payload. What arrived before a break stays durable.
   * @returns the durable ranges; `body` is not read when the part is durable already.
   * @throws HoldfastError `RANGE_INVALID`, `SESSION_NOT_FOUND`, `UNAUTHORIZED`, `QUEUE_FULL`,
   * `DISK_FULL`, `STORE_READ_ONLY`.
   */
  async putPart(
    request: SessionRequest,
    part: Part,
    body: PartBody,
  ): Promise<readonly ByteRange[]> {
    const session = this.#authorised(request)
    checkPart(part, session.request.voucher.length, this.#options.partBytesMax)
    const range = { start: part.start, end: part.end }
    if (coversRange(durableOf(session), range)) return durableOf(session)
    const { store, book } = this.#dependencies
    book.checkRoom()

    const life = store.lifeOf(request.session)
    await this.#active.sending(request.session, range, (stop) =>
      receivePart(
        {
          write: (offset, buffers, onTaken) =>
            store.write(request.session, offset, buffers, onTaken),
          settle: async (received) => {
            await store.sync(request.session, life)
            await book.record({ kind: 'range-durable', session: request.session, ...received })
            this.#active.changed(request.session)
          },
        },
        { range, durable: session.durable, stop },
        body,
      ),
    )
    return durableOf(this.#authorised(request))
  }

  /**
   * Checks the root and signs for the payload. Repeating it returns the same receipt.
   * @throws HoldfastError `UPLOAD_INCOMPLETE`, `ROOT_MISMATCH` (the session is then gone),
   * `SESSION_NOT_FOUND`, `UNAUTHORIZED`.
   */
  async commit(request: SessionRequest, options: CallOptions = {}): Promise<CommitUploadResponse> {
    const session = this.#authorised(request)
    if (session.receipt !== undefined) return session.receipt
    const running = this.#committing.get(request.session)
    if (running !== undefined) return running
    const committing = this.#committer
      .commit(session, options)
      .finally(() => this.#committing.delete(request.session))
    this.#committing.set(request.session, committing)
    return committing
  }

  /** Drops a session and gives its space back. Its voucher is spent. */
  async abort(request: SessionRequest): Promise<void> {
    const session = this.#authorised(request)
    if (session.receipt !== undefined) return
    await this.#end(session, 'aborted')
  }

  /** Takes a session key's grant back. @throws HoldfastError as `revokeGrant` does. */
  async revoke(request: RevokeGrantRequest): Promise<void> {
    await revokeGrant(request, {
      ...{ ...this.#dependencies, domain: this.#options.domain, now: () => this.#now() },
      open: () => this.#openSessions().filter(({ session }) => !this.#committing.has(session)),
      end: (session) => this.#end(session, 'aborted'),
    })
  }

  /** Drops every session whose time is over. One that the journal has no room to end stays. */
  async expire(): Promise<void> {
    const now = this.#now()
    const { logger } = this.#dependencies
    for (const open of this.#openSessions()) {
      if (open.expiry > now || this.#committing.has(open.session)) continue
      try {
        await this.#end(open, 'expired')
      } catch (error) {
        if (!HoldfastError.is(error, 'DISK_FULL')) throw error
        logger.warn('no room to end an upload session', { session: open.session })
        return
      }
    }
  }

  async #open(id: string, request: OpenUploadRequest): Promise<OpenUploadResponse> {
    const { book, balanceOf } = this.#dependencies
    const { voucher } = request
    const known = book.promises.sessionOfNonce(voucher.nonce)
    if (known !== undefined) return this.#reopen(id, known)
    book.checkRoom()
    checkVoucherTime(request, this.#now())
    if ((await balanceOf(voucher.payer)) === 0n) {
      throw new HoldfastError({ code: 'CLIENT_UNKNOWN', client: voucher.payer })
    }
    checkQuota(this.#openSessions(), voucher.payer, this.#options.limits())
    const giveBack = this.#grants.take(id, request)
    await this.#reserve(id, request).finally(giveBack)
    try {
      this.#grants.checkStanding(request)
    } catch (error) {
      // It was taken back meanwhile, by somebody who did not see this session yet.
      const session = book.promises.sessions.get(id)
      if (session !== undefined) await this.#end(session, 'aborted')
      throw error
    }
    return this.#opened(id)
  }

  /** Space, then the entry in the journal; without the entry the space is given back. */
  async #reserve(id: string, request: OpenUploadRequest): Promise<void> {
    const { book, store, holdings } = this.#dependencies
    const { voucher } = request
    if (!holdings.holds(voucher)) await store.reserve(id, voucher)
    const expiry = timestamp(this.#now() + this.#options.sessionTtl)
    try {
      await book.record({ kind: 'session-opened', session: id, request, expiry })
    } catch (error) {
      await store.discard(id)
      throw error
    }
  }

  #reopen(id: string, known: SessionPromise): OpenUploadResponse {
    if (known.session === id && known.end === undefined) return this.#opened(id)
    const { nonce } = known.request.voucher
    throw new HoldfastError({ code: 'VOUCHER_REPLAYED', nonce })
  }

  #opened(id: string): OpenUploadResponse {
    const { book, holdings } = this.#dependencies
    const session = book.promises.sessions.get(id)
    if (session === undefined) throw new HoldfastError({ code: 'SESSION_NOT_FOUND', session: id })
    return {
      session: id,
      token: this.#tokens.tokenOf(id),
      expiry: session.expiry,
      durable: durableOf(session),
      complete: session.receipt !== undefined || holdings.holds(session.request.voucher),
    }
  }

  async #end(session: SessionPromise, end: SessionEnd): Promise<void> {
    const { book, store, logger } = this.#dependencies
    await book.record({ kind: 'session-ended', session: session.session, end })
    await this.#active.silence(session.session)
    await store.discard(session.session)
    logger.info('upload session ended', { session: session.session, end })
  }

  #authorised({ session: id, token }: SessionRequest): SessionPromise {
    const session = this.#dependencies.book.promises.sessions.get(id)
    if (session === undefined || session.end !== undefined) {
      throw new HoldfastError({ code: 'SESSION_NOT_FOUND', session: id })
    }
    if (!this.#tokens.accepts(id, token)) {
      const reason = 'the token does not belong to this session'
      throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
    }
    return session
  }

  #openSessions(): readonly SessionPromise[] {
    const { sessions } = this.#dependencies.book.promises
    return [...sessions.values()].filter((s) => s.end === undefined && s.receipt === undefined)
  }

  #now(): Timestamp {
    return timestamp(Math.floor(this.#dependencies.clock.now() / 1000))
  }
}
