/**
 * How far the journal is known to be synced, in a small file beside it, `journal.mark`: magic 4 |
 * batch 8 | hash of the last record 32 | CRC 4, little-endian. It is written after each sync and not
 * synced itself.
 *
 * Why: an unreadable last batch may be a write that a crash cut short, which is set aside, or one that
 * was acknowledged and then damaged, which must not be forgotten. The mark tells them apart, and gives
 * away a journal that was put back from an older copy.
 *
 * Invariant: it never names a batch that is not durable. A mark that is missing or damaged says nothing.
 */
import { crc32c } from '../store/crc32c.ts'

const MAGIC = 0x4d4a_4648 // "HFJM"
export const MARK_BYTES = 48

/** A batch and the hash that the record after it would carry. */
export interface JournalMark {
  readonly batch: bigint
  readonly head: Uint8Array
}

export const encodeMark = ({ batch, head }: JournalMark): Uint8Array => {
  const out = new Uint8Array(MARK_BYTES)
  const view = new DataView(out.buffer)
  view.setUint32(0, MAGIC, true)
  view.setBigUint64(4, batch, true)
  out.set(head, 12)
  view.setUint32(MARK_BYTES - 4, crc32c(out.subarray(0, MARK_BYTES - 4)), true)
  return out
}

/** Undefined for bytes that are no whole mark. */
export const decodeMark = (data: Uint8Array): JournalMark | undefined => {
  if (data.length !== MARK_BYTES) return undefined
  const view = new DataView(data.buffer, data.byteOffset, MARK_BYTES)
  if (view.getUint32(0, true) !== MAGIC) return undefined
  if (view.getUint32(MARK_BYTES - 4, true) !== crc32c(data.subarray(0, MARK_BYTES - 4)))
    return undefined
  return { batch: view.getBigUint64(4, true), head: data.slice(12, 44) }
}

/** Why a journal that reads like this is not the one that was marked; undefined when it may be. */
export const contradiction = (
  content: JournalMark,
  mark: JournalMark | undefined,
): string | undefined => {
  if (mark === undefined || content.batch > mark.batch) return undefined
  if (content.batch < mark.batch) {
    return `batch ${mark.batch} was synced and cannot be read: the file is damaged or an older copy`
  }
  const same = content.head.every((byte, i) => byte === mark.head[i])
  return same ? undefined : `batch ${mark.batch} is not the one that was synced`
}
