/**
 * A `Signer` on a secp256k1 private key held in memory. Signatures are deterministic (RFC 6979),
 * low-s, and carry v = 27 or 28. The key is closed over, never a property, so that printing or
 * logging a signer cannot show it.
 */

import {
  type Address,
  address,
  fromHex,
  HoldfastError,
  type Random,
  type Signer,
  signature,
  toHex,
} from '@holdfast/protocol'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'

/** The account of an uncompressed public key. */
const addressOf = (privateKey: Uint8Array): Address => {
  const publicKey = secp256k1.getPublicKey(privateKey, false)
  return address(toHex(keccak_256(publicKey.subarray(1)).subarray(12)))
}

/**
 * A signer for a 32-byte private key, copied; the caller may wipe its own.
 * @throws HoldfastError `ID_INVALID` when the bytes are no key. The message never holds them.
 */
export const signerFromPrivateKey = (privateKey: Uint8Array): Signer => {
  if (privateKey.length !== 32 || !secp256k1.utils.isValidSecretKey(privateKey)) {
    throw new HoldfastError({
      code: 'ID_INVALID',
      kind: 'private key',
      value: `${privateKey.length} bytes`,
    })
  }
  const key = privateKey.slice()
  return {
    address: addressOf(key),
    sign: async (digest) => {
      const signed = secp256k1.sign(fromHex(digest), key, { prehash: false, format: 'recovered' })
      const out = new Uint8Array(65)
      out.set(signed.subarray(1), 0)
      out[64] = 27 + (signed[0] ?? 0)
      return signature(toHex(out))
    },
  }
}

/** A fresh private key. */
export const randomPrivateKey = (random: Random): Uint8Array => {
  for (;;) {
    const candidate = random.bytes(32)
    if (secp256k1.utils.isValidSecretKey(candidate)) return candidate
  }
}
