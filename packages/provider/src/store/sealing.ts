/**
 * What is checked before a reservation becomes a payload: that every frame has its checksum on disk,
 * and that the bytes lead to the root they were reserved for. Checksums come first, so that rot in
 * between cannot be blessed by one.
 */
import { bytes, type CallOptions, HoldfastError, toNumber } from '@holdfast/protocol'
import type { StagingName } from './sector-store.ts'
import type { SealingProver, UploadCommits } from './upload-commits.ts'
import type { Volume } from './volume.ts'

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
 * @throws HoldfastError `ROOT_MISMATCH`.
 */
export const checkRoot = async (
  { prover, commits }: { readonly prover: SealingProver; readonly commits: UploadCommits },
  { volume, name }: { readonly volume: Volume; readonly name: StagingName },
  options: CallOptions,
): Promise<void> => {
  const reservation = volume.reservations.get(name)
  if (reservation === undefined) throw noSuchReservation(name)
  const { commitment, place } = reservation
  const { path, payload, layers } = place
  const hashed = await commits.finish(name, toNumber(commitment.length))
  const { root: actual } =
    hashed ??
    (await prover.commitFile(
      { path, offset: bytes(payload), length: commitment.length },
      {
        ...options,
        scheme: commitment.scheme,
        layers: { path, offset: bytes(layers) },
        syncLayers: false,
      },
    ))
  const expected = commitment.root
  if (actual !== expected) throw new HoldfastError({ code: 'ROOT_MISMATCH', expected, actual })
}
