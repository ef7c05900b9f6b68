/**
 * What the references share: hashes, packing, and the documented byte generator of the vectors.
 * Uses node:crypto and Buffer on purpose: nothing here comes from the code it judges, except
 * keccak, for which Node has no primitive.
 */
import { createHash } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'

export const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const keccak = (...parts: readonly Uint8Array[]): Buffer =>
  Buffer.from(keccak_256(Buffer.concat(parts)))

export const keccakText = (text: string): Buffer => keccak(Buffer.from(text, 'utf8'))

/** A big-endian unsigned integer of `width` bytes, by way of its hex digits. */
export const uint = (value: bigint | number, width: number): Buffer =>
  Buffer.from(
    BigInt(value)
      .toString(16)
      .padStart(2 * width, '0'),
    'hex',
  )

export const unhex = (text: string): Buffer => Buffer.from(text.slice(2), 'hex')
export const hex = (data: Uint8Array): `0x${string}` => `0x${Buffer.from(data).toString('hex')}`

/** The longest stream made so far, by seed; streams are prefixes of each other. */
const STREAMS = new Map<number, Buffer>()

/**
 * The vectors' payloads: SHA-256(seed as u64 ‖ k as u64) for k = 0, 1, 2 ... joined and cut to
 * `length`. A view of shared bytes: copy before writing.
 */
export const payloadBytes = (seed: number, length: number): Buffer => {
  const made = STREAMS.get(seed) ?? Buffer.alloc(0)
  if (made.length >= length) return made.subarray(0, length)
  const blocks: Buffer[] = [made]
  for (let k = made.length / 32; k * 32 < length; k++) {
    blocks.push(sha256(uint(seed, 8), uint(k, 8)))
  }
  const stream = Buffer.concat(blocks)
  STREAMS.set(seed, stream)
  return stream.subarray(0, length)
}
