/** Entries as the bytes of batches: bodies, records chained to what comes before, pieces of bounded size. */
import { type Bytes, bytes } from '@holdfast/protocol'
import { type Entry, encodeEntry } from './entries.ts'
import { chainHash, encodeRecord } from './journal-format.ts'
import type { JournalContent } from './journal-reader.ts'

const text = new TextEncoder()

/** Bytes of a batch of a checkpoint, and of a piece that is copied. */
export const BATCH_BYTES: Bytes = bytes(2 ** 18)

export const bodyOf = (entry: Entry): Uint8Array => text.encode(encodeEntry(entry))

/** Bodies as the batch that follows `last`, and the hash that the record after it carries. */
export const encodeBatch = (
  bodies: readonly Uint8Array[],
  last: Pick<JournalContent, 'head' | 'batch'>,
): { readonly data: Uint8Array; readonly head: Uint8Array } => {
  let { head } = last
  const batch = last.batch + 1n
  const records = bodies.map((body, i) => {
    const record = encodeRecord({ batch, left: bodies.length - 1 - i, previous: head, body })
    head = chainHash(head, body)
    return record
  })
  return { data: new Uint8Array(Buffer.concat(records)), head }
}

/** Bodies of entries in groups of about so many bytes. */
export function* bodiesOf(
  entries: Iterable<Entry>,
  batchBytes: Bytes,
): Iterable<readonly Uint8Array[]> {
  let bodies: Uint8Array[] = []
  let size = 0
  for (const entry of entries) {
    const body = bodyOf(entry)
    bodies.push(body)
    size += body.length
    if (BigInt(size) < batchBytes) continue
    yield bodies
    bodies = []
    size = 0
  }
  if (bodies.length > 0) yield bodies
}
