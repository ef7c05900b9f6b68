/**
 * drand quicknet's signatures (bls-unchained-g1-rfc9380): signature on G1, key on G2, message =
 * SHA-256 of the round as 8 bytes. Verifies them here before they cost gas, gives points the form
 * that the EIP-2537 precompiles take, and signs with a local key for embedded networks.
 */

import {
  bytesUint,
  concatBytes,
  equalBytes,
  fromHex,
  type Hex,
  HoldfastError,
  type Random,
  toHex,
  uintBytes,
} from '@holdfast/protocol'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { sha256 } from '@noble/hashes/sha2.js'

const DST = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_'
const { shortSignatures, G1, G2 } = bls12_381

type G1Point = ReturnType<typeof G1.Point.fromBytes>

const messageOf = (round: bigint): G1Point => shortSignatures.hash(sha256(uintBytes(round, 8)), DST)

/** A field element as the precompiles take it: 64 bytes. */
const padded = (element: bigint): Uint8Array => uintBytes(element, 64)

const invalid = (what: string, cause: unknown): HoldfastError =>
  new HoldfastError(
    { code: 'SIGNATURE_INVALID', expected: what, actual: 'bytes that are none' },
    { cause },
  )

/**
 * A compressed signature (48 bytes) as a 128-byte EIP-2537 G1 point.
 * @throws HoldfastError `SIGNATURE_INVALID` when it is no point of the group.
 */
export const signaturePoint = (signature: Uint8Array): Uint8Array => {
  try {
    const point = G1.Point.fromBytes(signature)
    point.assertValidity()
    const { x, y } = point.toAffine()
    return concatBytes(padded(x), padded(y))
  } catch (cause) {
    throw invalid('a point of G1 in 48 bytes', cause)
  }
}

/**
 * The other way: a G1 point in its EIP-2537 form as a compressed signature. One point has one form.
 * @throws HoldfastError `SIGNATURE_INVALID` when it is no point of the group, or in another form.
 */
export const compressedSignature = (point: Uint8Array): Uint8Array => {
  try {
    const [x, y] = [bytesUint(point.subarray(0, 64)), bytesUint(point.subarray(64))]
    const compressed = G1.Point.fromAffine({ x, y }).toBytes()
    if (equalBytes(signaturePoint(compressed), point)) return compressed
  } catch (cause) {
    throw invalid('a point of G1 in 128 bytes', cause)
  }
  throw invalid('a point of G1 in 128 bytes', undefined)
}

/**
 * A compressed public key (96 bytes) as a 256-byte EIP-2537 G2 point.
 * @throws HoldfastError `SIGNATURE_INVALID` when it is no point of the group.
 */
export const publicKeyPoint = (publicKey: Hex): Uint8Array => {
  try {
    const point = G2.Point.fromBytes(fromHex(publicKey))
    point.assertValidity()
    const { x, y } = point.toAffine()
    return concatBytes(padded(x.c0), padded(x.c1), padded(y.c0), padded(y.c1))
  } catch (cause) {
    throw invalid('a point of G2 in 96 bytes', cause)
  }
}

export interface SignedRound {
  readonly round: bigint
  /** Compressed, 48 bytes. */
  readonly signature: Uint8Array
}

/** Whether a signature is that of its round under the key (96 bytes, compressed). */
export const verifyRound = (publicKey: Hex, { round, signature }: SignedRound): boolean => {
  try {
    return shortSignatures.verify(signature, messageOf(round), fromHex(publicKey))
  } catch {
    // Bytes that are no point; that is an answer, not a failure.
    return false
  }
}

/** A key that signs rounds as drand would. For embedded networks only. */
export interface LocalDrand {
  readonly publicKey: Hex
  readonly secretKey: Uint8Array
  sign(round: bigint): Uint8Array
}

/** The signer of a secret key of 32 bytes. */
export const localDrand = (secretKey: Uint8Array): LocalDrand => ({
  publicKey: toHex(shortSignatures.getPublicKey(secretKey).toBytes()),
  secretKey: secretKey.slice(),
  sign: (round) => shortSignatures.sign(messageOf(round), secretKey).toBytes(),
})

/** A fresh key. */
export const randomDrand = (random: Random): LocalDrand =>
  localDrand(shortSignatures.keygen(random.bytes(48)).secretKey)
