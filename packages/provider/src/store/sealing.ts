/**
 * Makes a fully written staging file a whole record: checksums, root, kept layers, and for a payload
 * that stays where it is the trailer, durable after all before it. Checksums are taken before the root is checked, so rot in
 * between cannot be blessed by a checksum.
 */
import {
  bytes,
  type CallOptions,
  HoldfastError,
  type Timestamp,
  toNumber,
} from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import { crcOf, type WriteGuard } from './disk-errors.ts'
import type { FramePool } from './frame-pool.ts'
import { encodeTrailer, type RecordTrailer } from './sector-format.ts'
import type { Staged } from './staging.ts'

export interface SealingDependencies {
  readonly frames: FramePool
  readonly guard: WriteGuard
  readonly prover: Pick<Prover, 'commitFile'>
}

/**
 * Everything of a record but its trailer on disk; nothing is synced yet.
 * @throws HoldfastError `ROOT_MISMATCH`, `DISK_FULL`, `STORE_READ_ONLY`.
 */
export const finishRecord = async (
  { frames, guard, prover }: SealingDependencies,
  staged: Staged,
  storedAt: Timestamp,
  options: CallOptions,
): Promise<RecordTrailer> => {
  const { path, layout, header } = staged
  const { commitment } = header
  const length = toNumber(commitment.length)
  const sums = { kind: 'checksum-frames', path, offset: layout.payload, length } as const
  const summed = await frames.run('bulk', { ...sums, crcOffset: layout.frameCrcs })
  const framesCrc = crcOf(summed, guard)
  const range = { path, offset: bytes(layout.payload), length: commitment.length }
  const layers = { path, offset: bytes(layout.layers) }
  const how = { ...options, scheme: commitment.scheme, layers }
  const actual = await prover.commitFile(range, how)
  if (actual.root !== commitment.root) {
    const expected = commitment.root
    throw new HoldfastError({ code: 'ROOT_MISMATCH', expected, actual: actual.root })
  }
  const kept = { kind: 'checksum', path, offset: layout.layers } as const
  const sum = await frames.run('bulk', { ...kept, length: toNumber(header.layersBytes) })
  return { ...header, storedAt, framesCrc, layersCrc: crcOf(sum, guard) }
}

/** The trailer of a record in its own file: durable, after everything that it vouches for. */
export const writeTrailer = (
  guard: WriteGuard,
  { handle, layout }: Staged,
  trailer: RecordTrailer,
): Promise<void> =>
  guard.run(async () => {
    await handle.datasync()
    await handle.write(encodeTrailer(trailer), 0, undefined, layout.trailer)
    await handle.datasync()
  })
