/**
 * Taking a session key's grant back. The payer's word is in the journal before it is answered and is
 * kept until the grant would have expired; what was being uploaded under it ends.
 * Source: docs/spec/vouchers.md.
 */
import {
  type Address,
  checkSigner,
  type GrantRevocation,
  HoldfastError,
  type RevokeGrantRequest,
  revocationDigest,
  type SigningDomain,
  type Timestamp,
} from '@holdfast/protocol'
import type { PromiseBook } from '../journal/promise-book.ts'
import { grantName, type SessionPromise } from '../journal/promises.ts'
import { LIFETIME_MAX, SKEW } from './grants.ts'

/** One payer's revocations that are kept at a time: more than it has grants in use. */
const REVOCATIONS_PER_PAYER_MAX = 1000

export interface RevokingDependencies {
  readonly book: Pick<PromiseBook, 'promises' | 'record'>
  readonly domain: SigningDomain
  readonly balanceOf: (payer: Address) => Promise<bigint>
  readonly admit: (payer: Address) => void
  readonly now: () => Timestamp
  /** Sessions that may still receive bytes. */
  readonly open: () => readonly SessionPromise[]
  readonly end: (session: SessionPromise) => Promise<void>
}

/**
 * @throws HoldfastError `SIGNATURE_INVALID`, `VOUCHER_INVALID`, `VOUCHER_EXPIRED`, `CLIENT_UNKNOWN`,
 * `RATE_LIMITED`, and what the journal refuses.
 */
export const revokeGrant = async (
  { revocation, signature }: RevokeGrantRequest,
  dependencies: RevokingDependencies,
): Promise<void> => {
  const { book, domain, balanceOf, admit } = dependencies
  const { payer } = revocation
  checkSigner({ digest: revocationDigest(revocation, domain), signature, expected: payer })
  admit(payer)
  const { revoked } = book.promises
  if (!revoked.has(grantName(revocation))) {
    checkTime(revocation, dependencies.now())
    if ((await balanceOf(payer)) === 0n) {
      throw new HoldfastError({ code: 'CLIENT_UNKNOWN', client: payer })
    }
    checkRoom(revoked.values(), payer)
    await book.record({ kind: 'grant-revoked', ...revocation })
  }
  await endUnder(revocation, dependencies)
}

const checkTime = ({ expiry }: GrantRevocation, now: Timestamp): void => {
  if (expiry <= now) throw new HoldfastError({ code: 'VOUCHER_EXPIRED', expiry, now })
  if (expiry <= now + LIFETIME_MAX + SKEW) return
  const reason = `no grant may expire at ${expiry}, more than ${LIFETIME_MAX} s from now`
  throw new HoldfastError({ code: 'VOUCHER_INVALID', reason })
}

/** What strangers can put into the journal is bounded: each of them needs money, and has so many. */
const checkRoom = (revoked: Iterable<GrantRevocation>, payer: Address): void => {
  let count = 0
  for (const other of revoked) if (other.payer === payer) count++
  if (count < REVOCATIONS_PER_PAYER_MAX) return
  const reason = `${count} revocations of ${payer} are kept; the first to expire make room`
  throw new HoldfastError({ code: 'VOUCHER_INVALID', reason })
}

const endUnder = async (
  revocation: GrantRevocation,
  { open, end }: RevokingDependencies,
): Promise<void> => {
  const name = grantName(revocation)
  for (const session of open()) {
    const { grant } = session.request
    if (grant !== undefined && grantName(grant.grant) === name) await end(session)
  }
}
