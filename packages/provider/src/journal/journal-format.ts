/**
 * The bytes of a journal: records one after the other, each
 *
 *   magic 4 | body length 4 | batch 8 | records left in the batch 4 | previous hash 32 | body | CRC 4
 *
 * little-endian; the hash of a record is SHA-256(previous hash ‖ body), which chains them.
 *
 * Invariant: a batch is written and synced before the next one begins. So an unreadable record is a
 * write that never finished only if no record of a later batch follows it; otherwise it is damage.
 */
import { createHash } from 'node:crypto'
import { HoldfastError } from '@holdfast/protocol'
import { crc32c } from '../store/crc32c.ts'

const MAGIC = 0x314a_4648 // "HFJ1"
const HEAD_BYTES = 52
const BODY_BYTES_MAX = 2 ** 20
/** No record takes more. */
export const RECORD_BYTES_MAX: number = HEAD_BYTES + BODY_BYTES_MAX + 4

export const CHAIN_START: Uint8Array = new Uint8Array(32)

export interface JournalRecord {
  readonly batch: bigint
  /** Records of the same batch that follow this one. */
  readonly left: number
  readonly previous: Uint8Array
  readonly body: Uint8Array
}

/** The hash that the next record carries. */
export const chainHash = (previous: Uint8Array, body: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(previous).update(body).digest())

export const encodeRecord = (record: JournalRecord): Uint8Array => {
  if (record.body.length > BODY_BYTES_MAX) {
    // Written, it could not be read again.
    const sentence = `a journal entry has at most ${BODY_BYTES_MAX} bytes`
    throw new HoldfastError({ code: 'INVARIANT', sentence })
  }
  const out = new Uint8Array(HEAD_BYTES + record.body.length + 4)
  const view = new DataView(out.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, record.body.length, true)
  view.setBigUint64(8, record.batch, true)
  view.setUint32(16, record.left, true)
  out.set(record.previous, 20)
  out.set(record.body, HEAD_BYTES)
  view.setUint32(out.length - 4, crc32c(out.subarray(0, out.length - 4)), true)
  return out
}

/** Whether a record may begin with this byte. */
export const beginsRecord = (byte: number | undefined): boolean => byte === (MAGIC & 0xff)

/** The whole record at an offset and where the next begins; undefined when there is none. */
export const recordAt = (
  data: Uint8Array,
  offset: number,
): { readonly record: JournalRecord; readonly end: number } | undefined => {
  if (offset + HEAD_BYTES + 4 > data.length) return undefined
  const view = new DataView(data.buffer, data.byteOffset)
  if (view.getUint32(offset, true) !== MAGIC) return undefined
  const length = view.getUint32(offset + 4, true)
  const end = offset + HEAD_BYTES + length + 4
  if (length > BODY_BYTES_MAX || end > data.length) return undefined
  if (view.getUint32(end - 4, true) !== crc32c(data.subarray(offset, end - 4))) return undefined
  const record = {
    batch: view.getBigUint64(offset + 8, true),
    left: view.getUint32(offset + 16, true),
    previous: data.subarray(offset + 20, offset + HEAD_BYTES),
    body: data.subarray(offset + HEAD_BYTES, end - 4),
  }
  return { record, end }
}
