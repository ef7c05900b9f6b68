/**
 * keccak-256 in the two shapes the protocol uses: over joined parts, and of a domain string.
 * The chain's hash; payload bytes are hashed with SHA-256 (`merkle/hash.ts`).
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'

/** keccak-256 of the parts joined without padding. */
export const keccak = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = keccak_256.create()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** keccak-256 of a UTF-8 string: how EIP-712 hashes strings and how our hash domains are named. */
export const keccakText = (text: string): Uint8Array => keccak_256(utf8ToBytes(text))
