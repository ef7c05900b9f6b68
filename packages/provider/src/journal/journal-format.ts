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
import { crc32c } from '../store/crc32c.ts'

const MAGIC = 0x314a_4648 // "HFJ1"
const HEAD_BYTES = 52
const BODY_BYTES_MAX = 2 ** 20

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

/** What a journal's bytes say. */
export interface JournalContent {
  readonly bodies: readonly Uint8Array[]
  /** Where the last whole batch ends. */
  readonly end: number
  readonly head: Uint8Array
  readonly batch: bigint
}

/** Where a journal is damaged in a way that no crash explains. */
export interface JournalDamage {
  readonly offset: number
  readonly reason: string
}

/** Reads a journal. Records of a batch that is not whole do not count. */
export const readRecords = (data: Uint8Array): JournalContent | JournalDamage => {
  const bodies: Uint8Array[] = []
  let offset = 0
  let whole = { count: 0, end: 0, head: CHAIN_START, batch: 0n }
  let head: Uint8Array | undefined
  let open: { batch: bigint; left: number } | undefined
  for (let next = recordAt(data, 0); next !== undefined; next = recordAt(data, offset)) {
    const { record, end } = next
    if (head !== undefined && !sameBytes(record.previous, head)) {
      return { offset, reason: 'the chain of hashes is broken' }
    }
    if (!continues(record, open, whole.batch)) return { offset, reason: 'a batch is out of order' }
    head = chainHash(record.previous, record.body)
    bodies.push(record.body)
    open = record.left === 0 ? undefined : { batch: record.batch, left: record.left }
    offset = end
    if (open === undefined) whole = { count: bodies.length, end, head, batch: record.batch }
  }
  const torn = open?.batch ?? whole.batch + 1n
  const later = laterBatch(data, offset, torn)
  if (later !== undefined) {
    return { offset, reason: `unreadable, yet batch ${later} follows batch ${torn}` }
  }
  return { ...whole, bodies: bodies.slice(0, whole.count) }
}

const continues = (
  record: JournalRecord,
  open: { readonly batch: bigint; readonly left: number } | undefined,
  lastBatch: bigint,
): boolean =>
  open === undefined
    ? lastBatch === 0n || record.batch === lastBatch + 1n
    : record.batch === open.batch && record.left === open.left - 1

/** A batch after `torn` that is readable somewhere behind `from`. */
const laterBatch = (data: Uint8Array, from: number, torn: bigint): bigint | undefined => {
  for (let offset = from; offset + HEAD_BYTES < data.length; offset++) {
    if (data[offset] !== (MAGIC & 0xff)) continue
    const found = recordAt(data, offset)
    if (found !== undefined && found.record.batch > torn) return found.record.batch
  }
  return undefined
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])
