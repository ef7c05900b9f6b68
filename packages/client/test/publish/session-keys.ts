/** What a provider checks of a voucher that a session key signed. */
import {
  checkSigner,
  grantDigest,
  type OpenUploadRequest,
  type SigningDomain,
  voucherDigest,
} from '@holdfast/protocol'

/** Signed by the payer, or by a key with the payer's grant that covers the voucher. */
export const checkSessionKey = (
  { voucher, signature, grant }: OpenUploadRequest,
  domain: SigningDomain,
): void => {
  if (grant === undefined) {
    checkSigner({ digest: voucherDigest(voucher, domain), signature, expected: voucher.payer })
    return
  }
  const { payer, key, bytesMax, expiry } = grant.grant
  if (payer !== voucher.payer) throw new Error('a grant of somebody else')
  if (bytesMax < voucher.length || expiry < voucher.expiry) throw new Error('too small a grant')
  const digest = grantDigest(grant.grant, domain)
  checkSigner({ digest, signature: grant.signature, expected: payer })
  checkSigner({ digest: voucherDigest(voucher, domain), signature, expected: key })
}
