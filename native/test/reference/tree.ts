/**
 * The slow, obvious versions, over noble: SHA-256, keccak-256, Fr32 bit by bit, CRC32C bit by bit, and both trees
 * by recursion from their definitions. Independent of the code they judge.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { TreeScheme } from '../../src/engine.ts'

const each = (input: Uint8Array, size: number, hash: (one: Uint8Array) => Uint8Array) => {
  const out = new Uint8Array((input.length / size) * 32)
  for (let i = 0; i * size < input.length; i++) {
    out.set(hash(input.subarray(i * size, (i + 1) * size)), i * 32)
  }
  return out
}

/** Digests of equal messages that lie one after another. */
export const messagesOf = (input: Uint8Array, size: number): Uint8Array => each(input, size, sha256)

/** The same with keccak-256. */
export const keccaksOf = (input: Uint8Array, size: number): Uint8Array =>
  each(input, size, keccak_256)

export const fr32Of = (input: Uint8Array): Uint8Array => {
  const out = new Uint8Array((input.length / 127) * 128)
  for (let bit = 0; bit < input.length * 8; bit++) {
    const value = ((input[bit >> 3] ?? 0) >> (bit & 7)) & 1
    const to = Math.floor(bit / 254) * 256 + (bit % 254)
    out[to >> 3] = (out[to >> 3] ?? 0) | (value << (to & 7))
  }
  return out
}

export const crc32cOf = (seed: number, input: Uint8Array): number => {
  let c = ~seed
  for (const byte of input) {
    c ^= byte
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (c & 1 ? 0x82f63b78 : 0)
  }
  return ~c >>> 0
}

const zero = new Uint8Array(32)

const leavesOf = (scheme: TreeScheme, payload: Uint8Array): readonly Uint8Array[] => {
  const unit = scheme === 1 ? 1024 : 127
  const data = new Uint8Array(Math.ceil(payload.length / unit) * unit)
  data.set(payload)
  const flat = scheme === 1 ? messagesOf(data, 1024) : fr32Of(data)
  return Array.from({ length: flat.length / 32 }, (_, i) => flat.slice(i * 32, i * 32 + 32))
}

/** The node at `level` and `index` over these bytes. */
export const nodeOf = (
  scheme: TreeScheme,
  payload: Uint8Array,
): ((level: number, index: number) => Uint8Array) => {
  const leaves = leavesOf(scheme, payload)
  const known = new Map<string, Uint8Array>()
  const node = (level: number, index: number): Uint8Array => {
    if (level === 0) return leaves[index] ?? zero
    const place = `${level}:${index}`
    const found = known.get(place) ?? join(level, index)
    known.set(place, found)
    return found
  }
  const join = (level: number, index: number): Uint8Array => {
    const pair = new Uint8Array(64)
    pair.set(node(level - 1, 2 * index), 0)
    pair.set(node(level - 1, 2 * index + 1), 32)
    const digest = sha256(pair)
    if (scheme === 2) digest[31] = (digest[31] ?? 0) & 0x3f
    return digest
  }
  return node
}
