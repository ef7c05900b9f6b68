/**
 * Brings a payload into the store without a client: from another volume when one is drained, from
 * another replica when one is repaired. The way is that of an upload: reserve, write, sync, seal; so
 * the bytes are checked against the root before anything is believed.
 */
import {
  type Bytes,
  bytes,
  type CallOptions,
  type Commitment,
  HoldfastError,
  plus,
  type Timestamp,
} from '@holdfast/protocol'
import type { SectorStore, StoredPayload } from './sector-store.ts'
import type { Volume } from './volume.ts'

/** What ingesting needs of a store. */
export interface IngestStore
  extends Pick<SectorStore, 'write' | 'lifeOf' | 'sync' | 'seal' | 'discard'> {
  reserve(name: string, commitment: Commitment, on?: Volume): Promise<void>
}

/** Bytes between two syncs. */
const SYNC_BYTES = 32n * 2n ** 20n

export interface Ingest {
  /** The name of the reservation; what an earlier attempt left under it is dropped. */
  readonly name: string
  readonly commitment: Commitment
  readonly storedAt: Timestamp
  /** The volume to use; chosen by room and speed otherwise. */
  readonly on?: Volume
}

/**
 * @throws HoldfastError `ROOT_MISMATCH` when the bytes are others, `UPLOAD_INCOMPLETE` when they are
 * too few, `RANGE_INVALID` when too many, `DISK_FULL`, `ABORTED`, and what the source throws. Nothing is left then.
 */
export const ingestPayload = async (
  set: IngestStore,
  { name, commitment, storedAt, on }: Ingest,
  source: AsyncIterable<Uint8Array>,
  options: CallOptions = {},
): Promise<StoredPayload> => {
  await set.discard(name)
  await set.reserve(name, commitment, on)
  try {
    await writeAll(set, name, commitment, source, options)
    return await set.seal(name, storedAt, options)
  } catch (error) {
    await set.discard(name)
    throw error
  }
}

const writeAll = async (
  set: IngestStore,
  name: string,
  { length }: Commitment,
  source: AsyncIterable<Uint8Array>,
  { signal }: CallOptions,
): Promise<void> => {
  let at: Bytes = bytes(0)
  let synced: Bytes = bytes(0)
  const life = set.lifeOf(name)
  for await (const part of source) {
    if (signal?.aborted) throw new HoldfastError({ code: 'ABORTED' })
    await set.write(name, at, [part])
    at = plus(at, bytes(part.length))
    if (at - synced < SYNC_BYTES) continue
    await set.sync(name, life)
    synced = at
  }
  await set.sync(name, life)
  if (at !== length) {
    throw new HoldfastError({ code: 'UPLOAD_INCOMPLETE', expected: length, actual: at })
  }
}
