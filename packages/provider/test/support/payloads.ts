/** Payloads for tests: bytes from a seed, and their commitment. Imports nothing heavy. */
import { createHash } from 'node:crypto'
import { type Commitment, RootAccumulator, type TreeHasher } from '@holdfast/protocol'

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest()

/** Node's own SHA-256: quick enough for large payloads, and nothing of ours. */
const nodeHasher: TreeHasher = {
  name: 'node',
  leaves: (payload, out) => {
    for (let i = 0; i * 1024 < payload.length; i++) {
      out.set(sha256(payload.subarray(i * 1024, (i + 1) * 1024)), i * 32)
    }
  },
  pairs: (nodes, out) => {
    for (let i = 0; i * 64 < nodes.length; i++) {
      out.set(sha256(nodes.subarray(i * 64, (i + 1) * 64)), i * 32)
    }
  },
}

/** The commitment of a payload, by the protocol's accumulator. */
export const commitmentOf = (payload: Uint8Array): Commitment => {
  const accumulator = new RootAccumulator(nodeHasher)
  accumulator.update(payload)
  return accumulator.finish()
}

/** Bytes that depend on their position and a seed. */
export const payloadOf = (length: number, seed = 1): Uint8Array => {
  const out = new Uint8Array(length)
  let state = (seed * 2654435761) >>> 0
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    out[i] = state >>> 24
  }
  return out
}
