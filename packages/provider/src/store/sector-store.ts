/**
 * The port behind which payload bytes live: a place is reserved, written in any order, sealed under
 * its commitment and from then on read, checked and removed by root.
 *
 * Invariants every adapter keeps: nothing is written past a reservation; after `sync` the bytes
 * written before it survive power loss; after `seal` the whole record does, and its root is the one
 * given; a read yields checked bytes or throws, never wrong bytes.
 * Not here: who may upload (intake), who paid (deals), what is proven (duties).
 */
import type { Bytes, CallOptions, Commitment, LeafIndex, Root, Timestamp } from '@holdfast/protocol'
import type { FileRange } from '@holdfast/prover'
import type { ByteRange } from './ranges.ts'

/** The name of a reservation: 1 to 64 of `a-z`, `0-9` and `-`. */
export type StagingName = string

/** A sealed payload and where the prover finds its bytes and its kept layers. */
export interface StoredPayload {
  readonly commitment: Commitment
  readonly storedAt: Timestamp
  readonly payload: FileRange
  readonly layers: FileRange
}

export interface StoreUsage {
  /** What the operator allows this store to take. */
  readonly capacity: Bytes
  /** What sealed records take. */
  readonly used: Bytes
  /** What open reservations may still take. */
  readonly reserved: Bytes
  /** What a new reservation can have: the smaller of capacity and disk allow. */
  readonly free: Bytes
}

/** What is wrong with a stored payload: the first leaf that cannot be trusted, and why. */
export interface Damage {
  readonly leaf: LeafIndex
  readonly what: string
}

export interface SectorStore {
  /**
   * Sets disk space aside for a payload and creates its place. Repeating it with the same name and
   * commitment changes nothing. The place survives power loss as soon as something in it was synced.
   * @throws HoldfastError `DISK_FULL`, `STORE_READ_ONLY`.
   */
  reserve(name: StagingName, commitment: Commitment): Promise<void>
  /**
   * Writes buffers at a payload offset. `onTaken` is called once they have been copied and may change or
   * go; what then still waits to be written is bounded by the store.
   * @throws `RANGE_INVALID` past the reservation, `DISK_FULL`.
   */
  write(
    name: StagingName,
    offset: Bytes,
    buffers: readonly Uint8Array[],
    onTaken?: () => void,
  ): Promise<void>
  /**
   * What the writes of a place go through now; ends when that dies, and with it the knowledge whether all
   * of them reached the disk. Undefined when there is no such place.
   */
  lifeOf(name: StagingName): number | undefined
  /**
   * Resolves when everything written before the call survives power loss.
   * @param life the one in which that was written.
   * @throws HoldfastError `VOLUME_UNAVAILABLE` when that life is over: it has to be written again.
   */
  sync(name: StagingName, life?: number): Promise<void>
  /**
   * Turns a fully written reservation into a stored payload; durable when it resolves. On any error
   * the reservation stays as it was.
   * @throws HoldfastError `ROOT_MISMATCH` when the bytes are not those of the commitment.
   */
  seal(name: StagingName, storedAt: Timestamp, options?: CallOptions): Promise<StoredPayload>
  /** Gives a reservation's space back. Nothing happens when there is none. */
  discard(name: StagingName): Promise<void>
  /** Open reservations. */
  staged(): ReadonlyMap<StagingName, Commitment>

  find(root: Root): StoredPayload | undefined
  stored(): Iterable<StoredPayload>
  /**
   * Checked bytes of a range, in order, in pieces of at most 1 MiB.
   * @throws HoldfastError `PAYLOAD_NOT_FOUND`, `PAYLOAD_CORRUPT` (with the leaf), `RANGE_INVALID`.
   */
  read(root: Root, range: ByteRange, options?: CallOptions): AsyncIterable<Uint8Array>
  /** Checks frames, kept layers and root of one payload; undefined when all is well. */
  verify(root: Root, options?: CallOptions): Promise<Damage | undefined>
  /** Forgets a payload and gives its space back. Nothing happens when there is none. */
  remove(root: Root): Promise<void>
  usage(): Promise<StoreUsage>
  close(): Promise<void>
}
