/**
 * What is checked before a reservation becomes a payload: that every frame has its checksum on disk,
 * and that the bytes lead to the root they were reserved for. Checksums come first, so that rot in
 * between cannot be blessed by one.
 */
import {
  bytes,
  type CallOptions,
  type Commitment,
  HoldfastError,
  toNumber,
} from '@holdfast/protocol'
import type { PreparedFrames } from './frame-sums.ts'
import type { MemoryCommits } from './memory-commits.ts'
import type { StagingName } from './sector-store.ts'
import type { SealingProver, UploadCommits } from './upload-commits.ts'
import type { Volume } from './volume.ts'
import type { Reserved } from './volume-options.ts'

/** Larger ones are hashed by several threads. */
const SMALL_MAX = 8 * 2 ** 20

export const noSuchReservation = (name: StagingName): HoldfastError =>
  new HoldfastError({ code: 'SESSION_NOT_FOUND', session: name })

export interface SealingTools {
  readonly prover: SealingProver
  readonly commits: UploadCommits
  readonly inMemory: MemoryCommits
}

/** What sealing writes: the layers only where they are not in the file yet. */
export interface CheckedUpload {
  readonly framesCrc: number
  readonly layers: Uint8Array | undefined
}

/**
 * Writes the checksums of all frames and computes the root, or takes the one that was computed while
 * the bytes came. Nothing is synced meanwhile: the disk has been working on the bytes since they were
 * written, and sealing syncs. @throws HoldfastError `ROOT_MISMATCH`.
 */
export const checkUpload = async (
  tools: SealingTools,
  { volume, name }: { readonly volume: Volume; readonly name: StagingName },
  options: CallOptions,
): Promise<CheckedUpload> => {
  const { framesCrc, readBack } = await framesChecked(volume, name)
  const inMemory = tools.inMemory.take(name)
  const reservation = volume.reservations.get(name)
  if (reservation === undefined) throw noSuchReservation(name)
  const { root: expected, length } = reservation.commitment
  const early = await tools.commits.finish(name, toNumber(length))
  // Bytes on the disk are known to be those in memory only by checksums that were taken of the latter.
  const known = readBack ? undefined : inMemory
  const { commitment, layers }: Hashed =
    known ??
    (early === undefined
      ? await hashNow(tools.prover, reservation, options)
      : { commitment: early })
  const { root: actual } = commitment
  if (actual !== expected) throw new HoldfastError({ code: 'ROOT_MISMATCH', expected, actual })
  return { framesCrc, layers }
}

/** Writes the checksums; what was not known of them is read, however many steps that takes. */
const framesChecked = async (volume: Volume, name: StagingName): Promise<PreparedFrames> => {
  for (let again = false; ; again = true) {
    const prepared = await volume.ask({ kind: 'prepare', name })
    if (prepared !== undefined) return { ...prepared, readBack: again || prepared.readBack }
  }
}

/** A commitment, and the layers where whoever seals has to write them. */
interface Hashed {
  readonly commitment: Commitment
  readonly layers?: Uint8Array
}

/** Small payloads share a file that only the volume's thread should write: their layers come back. */
const hashNow = async (
  prover: SealingProver,
  { commitment: { scheme, length }, place }: Reserved,
  options: CallOptions,
): Promise<Hashed> => {
  const { path, payload, layers } = place
  const run = { path, offset: bytes(payload), length }
  if (length <= SMALL_MAX && prover.commitSmall !== undefined) {
    return prover.commitSmall(run, { ...options, scheme })
  }
  const kept = { layers: { path, offset: bytes(layers) }, syncLayers: false }
  return { commitment: await prover.commitFile(run, { ...options, scheme, ...kept }) }
}
