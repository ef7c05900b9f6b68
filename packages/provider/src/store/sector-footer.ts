/**
 * The footer of a full shared sector: what it holds, sorted by root, so that opening a volume reads
 * one run of bytes per sector instead of walking its records. Little-endian, at the file's end:
 *
 *   entries, 96 each (`record-entry.ts`) | pad | tail 64:
 *   magic 8 | salt 16 | entries 4 | CRC of the entries 4 | where they start 8 | unused 20 | CRC 4
 *
 * Invariant: everything in it can be read from the records again; one that is damaged is left aside.
 */
import type { Checksum } from '@holdfast/prover'
import { crc32c } from './crc32c.ts'
import { type Disk, readFully } from './disk.ts'
import { decodeEntry, ENTRY_BYTES, type Entry, encodeEntry } from './record-entry.ts'
import { alignUp, SALT_BYTES } from './sector-format.ts'

const MAGIC = new TextEncoder().encode('HFFOOTER')
const TAIL_BYTES = 64

/** The footer's bytes, for a sector whose records end at `offset`. */
export const encodeFooter = (
  entries: readonly Entry[],
  place: { readonly offset: number; readonly salt: Uint8Array },
): Uint8Array => {
  const length = entries.length * ENTRY_BYTES
  const out = new Uint8Array(alignUp(length + TAIL_BYTES))
  const sorted = [...entries].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  for (const [i, entry] of sorted.entries()) {
    encodeEntry(entry, out.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES))
  }
  const tail = out.subarray(out.length - TAIL_BYTES)
  const view = new DataView(tail.buffer, tail.byteOffset, TAIL_BYTES)
  tail.set(MAGIC)
  tail.set(place.salt, 8)
  view.setUint32(24, entries.length, true)
  view.setUint32(28, crc32c(out.subarray(0, length)), true)
  view.setBigUint64(32, BigInt(place.offset), true)
  view.setUint32(60, crc32c(tail.subarray(0, 60)), true)
  return out
}

const keyOf = ({ trailer }: Entry): string => trailer.commitment.root

/** What a footer says. */
export interface Footer {
  /** Entries, one after another. */
  readonly data: Uint8Array
  /** Where the records end and the footer begins. */
  readonly offset: number
}

/** The footer at a file's end; undefined when there is none that is whole. */
export const readFooter = (
  disk: Disk,
  file: number,
  salt: Uint8Array,
  checksum: Checksum,
): Footer | undefined => {
  const size = disk.size(file)
  if (size < TAIL_BYTES) return undefined
  const tail = new Uint8Array(TAIL_BYTES)
  readFully(disk, file, tail, size - TAIL_BYTES)
  const view = new DataView(tail.buffer)
  if (!MAGIC.every((byte, i) => tail[i] === byte)) return undefined
  if (view.getUint32(60, true) !== crc32c(tail.subarray(0, 60))) return undefined
  if (!salt.every((byte, i) => tail[8 + i] === byte) || salt.length !== SALT_BYTES) return undefined
  const count = view.getUint32(24, true)
  const offset = Number(view.getBigUint64(32, true))
  if (offset + alignUp(count * ENTRY_BYTES + TAIL_BYTES) !== size) return undefined
  const data = new Uint8Array(count * ENTRY_BYTES)
  readFully(disk, file, data, offset)
  if (checksum(data) !== view.getUint32(28, true)) return undefined
  return { data, offset }
}

/** The entries of a run of them; places that hold none are left out. */
export const entriesIn = (data: Uint8Array): readonly Entry[] => {
  const entries: Entry[] = []
  for (let at = 0; at < data.length; at += ENTRY_BYTES) {
    const entry = decodeEntry(data.subarray(at, at + ENTRY_BYTES))
    if (entry !== undefined) entries.push(entry)
  }
  return entries
}
