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
import type { StagingName } from './sector-store.ts'
import type { SealingProver, UploadCommits } from './upload-commits.ts'
import type { Volume } from './volume.ts'
import type { Reserved } from './volume-options.ts'

/** Larger ones are hashed by several threads. */
const SMALL_MAX = 8 * 2 ** 20

export const noSuchReservation = (name: StagingName): HoldfastError =>
  new HoldfastError({ code: 'SESSION_NOT_FOUND', session: name })

/** The checksum over the checksums of all frames, which are on disk then. */
export const framesChecked = async (volume: Volume, name: StagingName): Promise<number> => {
  for (;;) {
    const framesCrc = await volume.ask({ kind: 'prepare', name })
    if (framesCrc !== undefined) return framesCrc
  }
}

/**
 * Computes the root, or takes the one that was computed while the bytes came. Nothing is synced
 * meanwhile: the disk has been working on the bytes since they were written, and sealing syncs.
 * @returns the kept layers where sealing has to write them.
 * @throws HoldfastError `ROOT_MISMATCH`.
 */
export const checkRoot = async (
  tools: { readonly prover: SealingProver; readonly commits: UploadCommits },
  { volume, name }: { readonly volume: Volume; readonly name: StagingName },
  options: CallOptions,
): Promise<Uint8Array | undefined> => {
  const reservation = volume.reservations.get(name)
  if (reservation === undefined) throw noSuchReservation(name)
  const { root: expected, length } = reservation.commitment
  const early = await tools.commits.finish(name, toNumber(length))
  const { commitment, layers } =
    early === undefined ? await hashNow(tools.prover, reservation, options) : { commitment: early }
  const { root: actual } = commitment
  if (actual !== expected) throw new HoldfastError({ code: 'ROOT_MISMATCH', expected, actual })
  return layers
}

/** Small payloads share a file that only the volume's thread should write: their layers come back. */
const hashNow = async (
  prover: SealingProver,
  { commitment: { scheme, length }, place }: Reserved,
  options: CallOptions,
): Promise<{ readonly commitment: Commitment; readonly layers?: Uint8Array }> => {
  const { path, payload, layers } = place
  const run = { path, offset: bytes(payload), length }
  if (length <= SMALL_MAX && prover.commitSmall !== undefined) {
    return prover.commitSmall(run, { ...options, scheme })
  }
  const kept = { layers: { path, offset: bytes(layers) }, syncLayers: false }
  return { commitment: await prover.commitFile(run, { ...options, scheme, ...kept }) }
}
