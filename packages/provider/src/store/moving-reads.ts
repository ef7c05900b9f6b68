/**
 * Reading payloads that may be moved meanwhile, by compaction, draining or repair: a read that fails is
 * looked at again where the payload is now. Only what fails where it still lies is damage.
 */
import { type Bytes, bytes, type CallOptions, HoldfastError, plus } from '@holdfast/protocol'
import {
  type RecordDamage,
  readChecked,
  type VerifyDependencies,
  verifyRecord,
} from './payload-reads.ts'
import type { ByteRange } from './ranges.ts'
import type { Entry } from './record-entry.ts'
import type { Volume } from './volume.ts'

/** A payload and the volume it lies on. */
export interface Found {
  readonly volume: Volume
  readonly entry: Entry
}

/** Where a payload is now. @throws HoldfastError `PAYLOAD_NOT_FOUND`, `VOLUME_UNAVAILABLE`. */
export type Locate = () => Found

const isSamePlace = (a: Found, b: Found): boolean =>
  a.volume === b.volume && a.entry.trailer.sequence === b.entry.trailer.sequence

/** The checked bytes of a range that lies inside the payload. */
export async function* readWherever(
  locate: Locate,
  { start, end }: ByteRange,
  options: CallOptions,
): AsyncGenerator<Uint8Array> {
  let at: Bytes = start
  for (let found = locate(); ; ) {
    const { volume, entry } = found
    try {
      for await (const part of readChecked(
        volume,
        volume.place(entry),
        { start: at, end },
        options,
      )) {
        at = plus(at, bytes(part.length))
        yield part
      }
      return
    } catch (error) {
      if (!HoldfastError.is(error, 'PAYLOAD_CORRUPT')) throw error
      const now = locate()
      if (isSamePlace(now, found)) throw error
      found = now
    }
  }
}

/** Verifies a payload where it is; says where that was. */
export const verifyWherever = async (
  locate: Locate,
  prover: VerifyDependencies['prover'],
  options: CallOptions,
): Promise<{ readonly found: Found; readonly damage: RecordDamage | undefined }> => {
  for (let found = locate(); ; ) {
    const { volume, entry } = found
    volume.assertAvailable()
    const looked = await settled(
      verifyRecord({ frames: volume, prover }, volume.place(entry), options),
    )
    if ('value' in looked && looked.value === undefined) return { found, damage: undefined }
    const now = locate()
    if (isSamePlace(now, found)) {
      if ('error' in looked) throw looked.error
      return { found, damage: looked.value }
    }
    found = now
  }
}

type Settled<T> = { readonly value: T } | { readonly error: unknown }

const settled = <T>(work: Promise<T>): Promise<Settled<T>> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
