/**
 * The README's example, letter for letter; it throws when it does not work.
 */
import {
  buildPath,
  bytes,
  leafIndex,
  leavesFor,
  plainHasher,
  RootAccumulator,
  subtreeRoot,
  verifyLeaf,
} from '@holdfast/protocol'

const payload = new Uint8Array(5000).fill(7)
const accumulator = new RootAccumulator(plainHasher)
accumulator.update(payload)
const commitment = accumulator.finish()

// Whoever holds the payload opens leaf 3 ...
const node = (level: number, index: bigint): Uint8Array => {
  const width = 1024 << level
  const start = Number(index) * width
  return subtreeRoot(payload.subarray(start, start + width), level, plainHasher)
}
const path = buildPath(leavesFor(bytes(5000)), leafIndex(3), node)
const leaf = payload.subarray(3072, 4096)

// ... and anybody who has the commitment checks it: throws PROOF_INVALID when it does not fit.
verifyLeaf(commitment, { index: leafIndex(3), leaf, path })
