/**
 * Who signed: recovery of the secp256k1 account behind a 65-byte signature over a digest. Stricter
 * than ecrecover in the ways that matter: v is 27 or 28, s is in the lower half, so one signature
 * has one encoding. Contract accounts (ERC-1271) are checked on chain only.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HoldfastError } from '../errors.ts'
import { type Address, address, fromHex, type Hash32, type Signature, toHex } from '../ids.ts'
import { keccak } from '../keccak.ts'

const refuse = (expected: string, actual: string, cause?: unknown): HoldfastError =>
  new HoldfastError({ code: 'SIGNATURE_INVALID', expected, actual }, { cause })

/**
 * The account that signed `digest`.
 * @throws HoldfastError `SIGNATURE_INVALID` when v, r or s is out of range or no key fits.
 */
export const recoverSigner = (digest: Hash32, signature: Signature): Address => {
  const raw = fromHex(signature)
  const v = raw[64]
  if (raw.length !== 65 || (v !== 27 && v !== 28)) {
    throw refuse('65 bytes that end in 27 or 28', `${raw.length} bytes that end in ${v}`)
  }
  let key: Uint8Array
  try {
    const parsed = secp256k1.Signature.fromBytes(raw.subarray(0, 64), 'compact')
    if (parsed.hasHighS()) throw refuse('s in the lower half of the group order', 'a high s')
    key = parsed
      .addRecoveryBit(v - 27)
      .recoverPublicKey(fromHex(digest))
      .toBytes(false)
  } catch (cause) {
    if (HoldfastError.is(cause)) throw cause
    throw refuse('a secp256k1 signature', 'values that no key can have made', cause)
  }
  return address(toHex(keccak(key.subarray(1)).subarray(12)))
}

/**
 * Checks that `expected` signed `digest`.
 * @throws HoldfastError `SIGNATURE_INVALID` with both accounts when it was somebody else.
 */
export const checkSigner = (input: {
  readonly digest: Hash32
  readonly signature: Signature
  readonly expected: Address
}): void => {
  const actual = recoverSigner(input.digest, input.signature)
  if (actual !== input.expected) throw refuse(input.expected, actual)
}
