/**
 * Commits to a payload that one task hashes whole, and gives its kept layers back: for stores that write
 * many small payloads into one file from one thread, which another writer of that file would hold up.
 */
import { bytes, HoldfastError, invariant, type Root, toHex, toNumber } from '@holdfast/protocol'
import type { FileRange } from './kept-payload.ts'
import type { CommitOptions, SmallCommit } from './prover.ts'
import type { WorkerPool } from './worker-pool.ts'

/** What one task reads at most. */
const SMALL_MAX = bytes(16 * 2 ** 20)

export const commitSmall = (
  pool: WorkerPool,
  { path, offset, length }: FileRange,
  { scheme = 1, signal }: Pick<CommitOptions, 'scheme' | 'signal'> = {},
): Promise<SmallCommit> => {
  if (length > SMALL_MAX) {
    throw new HoldfastError({ code: 'PAYLOAD_TOO_LARGE', limit: SMALL_MAX, actual: length })
  }
  const run = { path, offset: toNumber(offset), length: toNumber(length) }
  return pool.operate('bulk', signal, async (operation) => {
    const { cancel } = operation
    const value = await operation.run({ kind: 'small', cancel, scheme, run })
    invariant(value.kind === 'small', 'hashing a small payload gives its root and layers')
    const commitment = { scheme, root: toHex(value.node) as Root, length }
    return { commitment, layers: value.layers }
  })
}
