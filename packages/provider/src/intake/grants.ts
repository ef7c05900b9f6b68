/**
 * Grants of session keys: whether one lets its key sign a voucher, and how many bytes it has left here.
 * What was used is counted from the journal, so a restart forgets nothing.
 * Source: docs/spec/vouchers.md.
 */
import {
  checkSigner,
  GRANT_UPLOAD,
  grantDigest,
  HoldfastError,
  type OpenUploadRequest,
  type ProviderId,
  type SignedGrant,
  type SigningDomain,
  type Timestamp,
  type UploadVoucher,
  ZERO_ADDRESS,
} from '@holdfast/protocol'
import { grantName } from '../journal/promises.ts'

export interface GrantRules {
  readonly domain: SigningDomain
  readonly provider: ProviderId
}

/** Clocks of two machines may differ by this much, in seconds. */
export const SKEW = 300n
/** A key that was lost can do harm for so long: 30 days. */
export const LIFETIME_MAX = 2_592_000n

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'VOUCHER_INVALID', reason })

/**
 * Checks that the payer of a voucher let the grant's key upload it here; not when.
 * @throws HoldfastError `VOUCHER_INVALID`, `SIGNATURE_INVALID`.
 */
export const checkGrant = (
  { grant, signature }: SignedGrant,
  voucher: UploadVoucher,
  { domain, provider }: GrantRules,
): void => {
  if (grant.payer !== voucher.payer) {
    throw invalid(`its grant is of ${grant.payer}, the payer is ${voucher.payer}`)
  }
  if (grant.provider !== ZERO_ADDRESS && grant.provider !== provider) {
    throw invalid(`its grant is for provider ${grant.provider}; this is ${provider}`)
  }
  if ((grant.actions & GRANT_UPLOAD) === 0) throw invalid('its grant allows no uploads')
  if (voucher.expiry > grant.expiry) {
    throw invalid(`it expires at ${voucher.expiry}, after its grant (${grant.expiry})`)
  }
  checkSigner({ digest: grantDigest(grant, domain), signature, expected: grant.payer })
}

/** @throws HoldfastError `VOUCHER_EXPIRED`, `VOUCHER_INVALID` unless the grant may be used now. */
export const checkGrantTime = ({ grant }: SignedGrant, now: Timestamp): void => {
  const { notBefore, expiry } = grant
  if (expiry <= now) throw new HoldfastError({ code: 'VOUCHER_EXPIRED', expiry, now })
  if (notBefore > now + SKEW) {
    throw invalid(`its grant is not valid before ${notBefore}; it is ${now}`)
  }
  if (expiry > now + LIFETIME_MAX + SKEW) {
    throw invalid(`its grant expires at ${expiry}, more than ${LIFETIME_MAX} s from now`)
  }
}

/** What the meter asks the journal. */
export interface GrantedBytes {
  /** Bytes of sessions with this grant that are open or have a receipt. */
  grantedBytes(name: string): bigint
  /** Sessions that the journal has, so that their bytes are among the used ones. */
  readonly sessions: { has(session: string): boolean }
  /** Names of grants that were taken back. */
  readonly revoked: { has(name: string): boolean }
}

/** Bytes under grants: those of the journal, and those of sessions that are just being opened. */
export class GrantMeter {
  readonly #journal: GrantedBytes
  readonly #opening = new Map<string, { readonly name: string; readonly length: bigint }>()

  constructor(journal: GrantedBytes) {
    this.#journal = journal
  }

  /** @throws HoldfastError `VOUCHER_INVALID` when the payer has taken it back. */
  checkStanding({ grant }: Pick<OpenUploadRequest, 'grant'>): void {
    if (grant === undefined || !this.#journal.revoked.has(grantName(grant.grant))) return
    throw invalid('its grant was revoked')
  }

  /**
   * Takes a session's bytes off its grant until the journal counts them; returns what is to be called
   * when that is so, or when the session is not opened.
   * @throws HoldfastError `VOUCHER_INVALID` when none are left.
   */
  take(session: string, request: OpenUploadRequest): () => void {
    if (request.grant === undefined) return () => undefined
    const { grant } = request.grant
    const { length } = request.voucher
    const name = grantName(grant)
    this.checkStanding(request)
    let used = this.#journal.grantedBytes(name)
    for (const [id, other] of this.#opening) {
      if (other.name === name && !this.#journal.sessions.has(id)) used += other.length
    }
    if (used + length > grant.bytesMax) {
      throw invalid(`its grant allows ${grant.bytesMax} bytes here, of which ${used} are used`)
    }
    this.#opening.set(session, { name, length })
    return (): void => void this.#opening.delete(session)
  }
}
