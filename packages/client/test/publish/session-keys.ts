/** What a provider checks of a voucher that a session key signed. */
import {
  checkSigner,
  grantDigest,
  HoldfastError,
  type OpenUploadRequest,
  type RevokeGrantRequest,
  revocationDigest,
  type SigningDomain,
  voucherDigest,
} from '@holdfast/protocol'

/** Signed by the payer, or by a key with the payer's grant that covers the voucher. */
export const checkSessionKey = (
  { voucher, signature, grant }: OpenUploadRequest,
  domain: SigningDomain,
  revoked: ReadonlySet<string> = new Set(),
): void => {
  if (grant === undefined) {
    checkSigner({ digest: voucherDigest(voucher, domain), signature, expected: voucher.payer })
    return
  }
  const { payer, key, bytesMax, expiry, nonce } = grant.grant
  if (revoked.has(nonce)) {
    throw new HoldfastError({ code: 'VOUCHER_INVALID', reason: 'its grant was revoked' })
  }
  if (payer !== voucher.payer) throw new Error('a grant of somebody else')
  if (bytesMax < voucher.length || expiry < voucher.expiry) throw new Error('too small a grant')
  const digest = grantDigest(grant.grant, domain)
  checkSigner({ digest, signature: grant.signature, expected: payer })
  checkSigner({ digest: voucherDigest(voucher, domain), signature, expected: key })
}

/** Signed by the payer whose grant it takes back. */
export const checkRevocation = (
  { revocation, signature }: RevokeGrantRequest,
  domain: SigningDomain,
): void =>
  checkSigner({
    ...{ digest: revocationDigest(revocation, domain), signature },
    expected: revocation.payer,
  })
