/**
 * What makes a voucher good, as a pure function. Whether its nonce was seen and its payer has money
 * are questions for the intake.
 */
import {
  type Bytes,
  checkSigner,
  type Hash32,
  HoldfastError,
  type OpenUploadRequest,
  type Timestamp,
  voucherDigest,
} from '@holdfast/protocol'
import { checkGrant, checkGrantTime, type GrantRules } from './grants.ts'

export interface VoucherRules extends GrantRules {
  readonly tlsKeyHash: Hash32
  readonly payloadBytesMax: Bytes
}

/** Clocks of two machines may differ by this much, in seconds. */
const SKEW = 300n
/** A nonce is remembered until its voucher expires, so vouchers may not live for ever: 24 h. */
const LIFETIME_MAX = 86_400n

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'VOUCHER_INVALID', reason })

/**
 * Checks whom a voucher is for, what it is for, and who signed it; not its time.
 * @throws HoldfastError `VOUCHER_INVALID`, `PAYLOAD_TOO_LARGE`, `SIGNATURE_INVALID`.
 */
export const checkVoucher = (
  { voucher, signature, grant }: OpenUploadRequest,
  rules: VoucherRules,
): void => {
  if (voucher.provider !== rules.provider) {
    throw invalid(`it names provider ${voucher.provider}; this is ${rules.provider}`)
  }
  if (voucher.tlsKeyHash !== rules.tlsKeyHash) {
    throw invalid(`it names TLS key ${voucher.tlsKeyHash}; this server has ${rules.tlsKeyHash}`)
  }
  if (voucher.scheme !== 1) throw invalid('only payloads of scheme sha256-1k are stored')
  if (voucher.length > rules.payloadBytesMax) {
    const { payloadBytesMax: limit } = rules
    throw new HoldfastError({ code: 'PAYLOAD_TOO_LARGE', limit, actual: voucher.length })
  }
  if (grant !== undefined) checkGrant(grant, voucher, rules)
  const digest = voucherDigest(voucher, rules.domain)
  checkSigner({ digest, signature, expected: grant?.grant.key ?? voucher.payer })
}

/** @throws HoldfastError `VOUCHER_EXPIRED`, `VOUCHER_INVALID` unless it may be used now. */
export const checkVoucherTime = (request: OpenUploadRequest, now: Timestamp): void => {
  const { voucher, grant } = request
  if (grant !== undefined) checkGrantTime(grant, now)
  if (voucher.expiry <= now) {
    throw new HoldfastError({ code: 'VOUCHER_EXPIRED', expiry: voucher.expiry, now })
  }
  if (voucher.notBefore > now + SKEW) {
    throw invalid(`it is not valid before ${voucher.notBefore}; it is ${now}`)
  }
  if (voucher.expiry > now + LIFETIME_MAX + SKEW) {
    throw invalid(`it expires at ${voucher.expiry}, more than ${LIFETIME_MAX} s from now`)
  }
}
