/** Parts of a record that is about to be sealed: bytes read back, kept layers written or found. */
import { HoldfastError, toNumber } from '@holdfast/protocol'
import { readFully } from './disk.ts'
import { errnoOf } from './disk-errors.ts'
import type { Reservation } from './open-reservations.ts'
import type { VolumeState } from './volume-state.ts'

/** A place that cannot be read spoils its own payload, not the volume. */
export const readBack = (
  state: VolumeState,
  { path, file }: { readonly path: string; readonly file: number },
  into: Uint8Array,
  position: number,
): void => {
  try {
    readFully(state.disk, file, into, position)
  } catch (cause) {
    const reason = `what was written cannot be read back: ${errnoOf(cause)}`
    const place = { path, offset: BigInt(position), reason }
    throw new HoldfastError({ code: 'STORE_CORRUPT', ...place }, { cause })
  }
}

const checksumOf = (
  state: VolumeState,
  path: string,
  run: { readonly offset: number; readonly length: number },
): number => {
  const file = state.files.get(path)
  const buffer = new Uint8Array(Math.min(run.length, 2 ** 20))
  let crc = 0
  for (let at = 0; at < run.length; at += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, run.length - at))
    readBack(state, { path, file }, part, run.offset + at)
    crc = state.checksum(part, crc)
  }
  return crc
}

/** Writes the kept layers, or reads those that are there; their checksum. */
export const sealLayers = (
  state: VolumeState,
  { path, layout, header }: Reservation,
  kept: Uint8Array | undefined,
): number => {
  const length = toNumber(header.layersBytes)
  if (kept === undefined) return checksumOf(state, path, { offset: layout.layers, length })
  if (kept.length !== length) {
    const sentence = `there are ${kept.length} bytes of kept layers for a place of ${length}`
    throw new HoldfastError({ code: 'INVARIANT', sentence })
  }
  state.files.write(path, kept, layout.layers)
  return state.checksum(kept)
}
