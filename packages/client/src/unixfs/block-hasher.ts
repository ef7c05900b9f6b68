/**
 * Hash functions for blocks: SHA-256 of the platform, BLAKE3 by the prebuilt native package with
 * the WASM of `blake3` as fallback. Called once per block, synchronously, on the bytes in hand.
 */
import { hash } from 'node:crypto'
import { HoldfastError } from '@holdfast/protocol'

export type HashName = 'sha2-256' | 'blake3'

export interface BlockHasher {
  readonly name: HashName
  /** The multihash code. */
  readonly code: number
  /** Which implementation does the work: for logs and the doctor. */
  readonly engine: string
  /** 32 bytes; the caller may keep them. */
  digest(data: Uint8Array): Uint8Array
}

export const SHA256_CODE = 0x12
export const BLAKE3_CODE = 0x1e

export const sha256Hasher: BlockHasher = {
  name: 'sha2-256',
  code: SHA256_CODE,
  engine: 'node:crypto',
  digest: (data) => hash('sha256', data, 'buffer'),
}

const blake3Native = async (): Promise<BlockHasher> => {
  const { blake3 } = await import('@napi-rs/blake-hash')
  return {
    name: 'blake3',
    code: BLAKE3_CODE,
    engine: '@napi-rs/blake-hash',
    digest: (data) => blake3(data),
  }
}

/** The fallback engine; exported so that a test can hold both to the same vectors. */
export const blake3Wasm = async (): Promise<BlockHasher> => {
  const loaded = await import('blake3')
  const wasm = 'default' in loaded ? (loaded.default as typeof loaded) : loaded
  return {
    name: 'blake3',
    code: BLAKE3_CODE,
    engine: 'blake3 (wasm)',
    digest: (data) => Uint8Array.from(wasm.createHash().update(data).digest()),
  }
}

/** @throws HoldfastError `USAGE` for a name that is no hash. */
export const openHasher = async (name: string): Promise<BlockHasher> => {
  if (name === 'sha2-256') return sha256Hasher
  if (name !== 'blake3') {
    throw new HoldfastError({ code: 'USAGE', reason: `hash ${name} is none of sha2-256, blake3` })
  }
  try {
    return await blake3Native()
  } catch {
    // No prebuilt binary for this platform: slower, but the same digests.
    return blake3Wasm()
  }
}
