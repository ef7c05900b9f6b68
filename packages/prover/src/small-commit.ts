/**
 * Commits to a payload that one task hashes whole, and gives its kept layers back: for stores that write
 * many small payloads into one file from one thread, which another writer of that file would hold up.
 */
import {
  type Bytes,
  bytes,
  HoldfastError,
  invariant,
  type Root,
  toHex,
  toNumber,
} from '@holdfast/protocol'
import { inSharedMemory } from './hash-blocks.ts'
import type { FileRange } from './kept-payload.ts'
import type { CommitOptions, SmallCommit } from './prover.ts'
import type { SmallTask } from './tasks.ts'
import type { WorkerPool } from './worker-pool.ts'

/** What one task reads at most. */
const SMALL_MAX = bytes(16 * 2 ** 20)

export const commitSmall = async (
  pool: WorkerPool,
  { path, offset, length }: FileRange,
  options?: SmallOptions,
): Promise<SmallCommit> => {
  checkLength(length)
  const source = { path, offset: toNumber(offset), length: toNumber(length) }
  return commitSource(pool, source, options)
}

export const commitBytes = async (
  pool: WorkerPool,
  data: Uint8Array,
  options?: SmallOptions,
): Promise<SmallCommit> => {
  checkLength(bytes(data.length))
  return commitSource(pool, inSharedMemory(data), options)
}

type SmallOptions = Pick<CommitOptions, 'scheme' | 'signal'>

const checkLength = (length: Bytes): void => {
  if (length <= SMALL_MAX) return
  throw new HoldfastError({ code: 'PAYLOAD_TOO_LARGE', limit: SMALL_MAX, actual: length })
}

const commitSource = (
  pool: WorkerPool,
  source: SmallTask['source'],
  { scheme = 1, signal }: SmallOptions = {},
): Promise<SmallCommit> => {
  const length = bytes(source.length)
  return pool.operate('bulk', signal, async (operation) => {
    const { cancel } = operation
    const value = await operation.run({ kind: 'small', cancel, scheme, source })
    invariant(value.kind === 'small', 'hashing a small payload gives its root and layers')
    const commitment = { scheme, root: toHex(value.node) as Root, length }
    return { commitment, layers: value.layers }
  })
}
