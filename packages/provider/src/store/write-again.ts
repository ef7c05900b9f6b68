/**
 * Stores a payload again beside itself: its bytes are whole, but something around them is damaged that
 * a rebuild from the sectors would need. The new record takes the place of the old one.
 */
import { bytes, type CallOptions } from '@holdfast/protocol'
import { type IngestStore, ingestPayload } from './ingest.ts'
import type { Found } from './moving-reads.ts'
import { readChecked } from './payload-reads.ts'
import type { StoredPayload } from './sector-store.ts'

/** @throws HoldfastError `DISK_FULL`, `STORE_READ_ONLY`; then the old record stays. */
export const writeAgain = (
  set: IngestStore,
  { volume, entry }: Found,
  options: CallOptions = {},
): Promise<StoredPayload> => {
  const { commitment, storedAt } = entry.trailer
  const { root, length } = commitment
  const source = readChecked(volume, volume.place(entry), { start: bytes(0), end: length }, options)
  const name = `mend-${root.slice(2, 34)}`
  return ingestPayload(set, { name, commitment, storedAt, on: volume }, source, options)
}
