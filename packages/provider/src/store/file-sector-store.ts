/**
 * The sector store on one volume of files. A payload above `SHARED_PAYLOAD_MAX` becomes a sector of
 * its own by renaming the file it was uploaded into; a smaller one is appended to the shared sector.
 *
 * Invariants: see `sector-store.ts`. The order of a seal is: checksums, root, trailer, fdatasync,
 * name, index; a crash between any two leaves the reservation or the payload, never neither.
 */
import {
  type Bytes,
  bytes,
  type CallOptions,
  type Commitment,
  HoldfastError,
  type Logger,
  type ProviderId,
  type Random,
  type Root,
  smaller,
  type Timestamp,
} from '@holdfast/protocol'
import { keptLayersLength, type Prover } from '@holdfast/prover'
import { WriteGuard } from './disk-errors.ts'
import { FramePool } from './frame-pool.ts'
import { type IndexedRecord, PayloadIndex } from './payload-index.ts'
import { type PlacedRecord, readChecked, verifyRecord } from './payload-reads.ts'
import type { ByteRange } from './ranges.ts'
import { finishRecord, writeTrailer } from './sealing.ts'
import { FIRST_RECORD, layoutOf, type RecordTrailer, recordBytes } from './sector-format.ts'
import { type Appended, SectorSet } from './sector-set.ts'
import type { Damage, SectorStore, StagingName, StoredPayload, StoreUsage } from './sector-store.ts'
import { headerFor, type Staged, StagingArea } from './staging.ts'
import { checkVolume, freeOnDisk, type VolumePaths, volumePaths } from './volume-files.ts'
import { recoverVolume } from './volume-recovery.ts'

/** Payloads up to this share sectors; larger ones are written once, in a sector of their own. */
export const SHARED_PAYLOAD_MAX: Bytes = bytes(8 * 2 ** 20)

export interface FileSectorStoreDependencies {
  readonly prover: Pick<Prover, 'commitFile'>
  readonly random: Random
  readonly logger: Logger
}

export interface FileSectorStoreOptions {
  readonly directory: string
  readonly provider: ProviderId
  readonly capacity: Bytes
  /** Disk left alone, so that the journal and the index can still grow. */
  readonly diskMargin: Bytes
  /** Payloads up to this share sectors. Default `SHARED_PAYLOAD_MAX`. */
  readonly sharedPayloadMax?: Bytes
}

interface Parts {
  readonly paths: VolumePaths
  readonly guard: WriteGuard
  readonly frames: FramePool
  readonly index: PayloadIndex
  readonly sectors: SectorSet
  readonly staging: StagingArea
  readonly records: Map<Root, IndexedRecord>
  readonly nextSequence: bigint
}

export class FileSectorStore implements SectorStore {
  readonly #dependencies: FileSectorStoreDependencies
  readonly #options: FileSectorStoreOptions
  readonly #parts: Parts
  #nextSequence: bigint
  #reserving: Promise<unknown> = Promise.resolve()

  private constructor(
    dependencies: FileSectorStoreDependencies,
    options: FileSectorStoreOptions,
    parts: Parts,
  ) {
    this.#dependencies = dependencies
    this.#options = options
    this.#parts = parts
    this.#nextSequence = parts.nextSequence
  }

  /**
   * Opens a volume and recovers from whatever the last run left.
   * @throws HoldfastError `CONFIG_INVALID` for a directory that is not this provider's volume,
   * `STORE_CORRUPT` for a format from the future.
   */
  static async open(
    dependencies: FileSectorStoreDependencies,
    options: FileSectorStoreOptions,
  ): Promise<FileSectorStore> {
    await checkVolume(options.directory, options.provider)
    const paths = volumePaths(options.directory)
    const { logger, random } = dependencies
    const index = await PayloadIndex.open(paths.index)
    const guard = new WriteGuard(options.directory)
    const frames = new FramePool()
    const staging = new StagingArea(paths.incoming, guard, random)
    await staging.load()
    const known = await index.load()
    const recovered = await recoverVolume(logger, paths, known)
    if (known === undefined || recovered.scanned > 0) await index.rewrite(recovered.content)
    const records = new Map(recovered.content.records.map((r) => [r.trailer.commitment.root, r]))
    const sectors = new SectorSet(
      { directory: paths.sectors, guard, frames, random },
      recovered.sectors,
      recovered.content.sectors,
    )
    let { nextSequence } = recovered
    for (const { superblock, header } of staging.all.values()) {
      sectors.claim(superblock.sector)
      if (header.sequence >= nextSequence) nextSequence = header.sequence + 1n
    }
    const parts = { paths, guard, frames, index, sectors, staging, records, nextSequence }
    return new FileSectorStore(dependencies, options, parts)
  }

  get #sharedMax(): Bytes {
    return this.#options.sharedPayloadMax ?? SHARED_PAYLOAD_MAX
  }

  /** Why the volume takes no writes; undefined while it does. */
  get readOnlyReason(): string | undefined {
    return this.#parts.guard.reason
  }

  reserve(name: StagingName, commitment: Commitment): Promise<void> {
    const work = (): Promise<void> => this.#reserve(name, commitment)
    const result = this.#reserving.then(work, work)
    this.#reserving = result.catch(() => undefined)
    return result
  }

  write(name: StagingName, offset: Bytes, buffers: readonly Uint8Array[]): Promise<void> {
    return this.#parts.staging.write(name, offset, buffers)
  }

  sync(name: StagingName): Promise<void> {
    return this.#parts.staging.sync(name)
  }

  async seal(
    name: StagingName,
    storedAt: Timestamp,
    options: CallOptions = {},
  ): Promise<StoredPayload> {
    const { staging, sectors, index, records, guard, frames } = this.#parts
    const { prover } = this.#dependencies
    const staged = staging.get(name)
    const trailer = await finishRecord({ frames, guard, prover }, staged, storedAt, options)
    const appended = await guard.run(() => this.#place(staged, trailer))
    const record = { ...appended, trailer }
    const former = records.get(trailer.commitment.root)
    records.set(trailer.commitment.root, record)
    const state = sectors.stateOf(record.sector)
    if (state !== undefined) await index.put(record, state)
    if (former !== undefined) await this.#release(former)
    return this.#stored(record)
  }

  discard(name: StagingName): Promise<void> {
    return this.#parts.staging.discard(name)
  }

  staged(): ReadonlyMap<StagingName, Commitment> {
    const { all } = this.#parts.staging
    return new Map([...all].map(([name, { header }]) => [name, header.commitment]))
  }

  find(root: Root): StoredPayload | undefined {
    const record = this.#parts.records.get(root)
    return record && this.#stored(record)
  }

  *stored(): Iterable<StoredPayload> {
    for (const record of this.#parts.records.values()) yield this.#stored(record)
  }

  read(root: Root, range: ByteRange, options: CallOptions = {}): AsyncIterable<Uint8Array> {
    const record = this.#placed(root)
    const { length } = record.trailer.commitment
    if (range.end > length || range.start >= range.end) {
      const reason = `${range.start}..${range.end} is not inside 0..${length}`
      throw new HoldfastError({ code: 'RANGE_INVALID', reason })
    }
    return readChecked(this.#parts.frames, record, range, options)
  }

  verify(root: Root, options: CallOptions = {}): Promise<Damage | undefined> {
    const { prover } = this.#dependencies
    return verifyRecord({ frames: this.#parts.frames, prover }, this.#placed(root), options)
  }

  async remove(root: Root): Promise<void> {
    const record = this.#parts.records.get(root)
    if (record === undefined) return
    this.#parts.records.delete(root)
    await this.#release(record, true)
    const state = this.#parts.sectors.stateOf(record.sector)
    await this.#parts.index.remove(root, record.sector, state)
  }

  async usage(): Promise<StoreUsage> {
    const { sectors, staging, paths } = this.#parts
    const { capacity, diskMargin } = this.#options
    const used = sectors.used
    let reserved = 0n
    for (const { header } of staging.all.values()) {
      reserved += neededFor(header.commitment.length, header.layersBytes, this.#sharedMax)
    }
    const taken = used + reserved
    const byCapacity = bytes(capacity > taken ? capacity - taken : 0n)
    const disk = await freeOnDisk(paths.root)
    const promised = (await staging.outstanding()) + diskMargin
    const byDisk = bytes(disk > promised ? disk - promised : 0n)
    return { capacity, used, reserved: bytes(reserved), free: smaller(byCapacity, byDisk) }
  }

  /** Stops the workers and closes the files. Reservations stay for the next run. */
  async close(): Promise<void> {
    await this.#parts.frames.close()
    await this.#parts.staging.close()
    await this.#parts.index.close()
  }

  async #reserve(name: StagingName, commitment: Commitment): Promise<void> {
    const { staging, sectors, guard } = this.#parts
    if (staging.all.get(name)?.header.commitment.root === commitment.root) return
    guard.check()
    const layers = keptLayersLength(commitment.length, commitment.scheme)
    const needed = neededFor(commitment.length, layers, this.#sharedMax)
    const { free } = await this.usage()
    if (needed > free) throw new HoldfastError({ code: 'DISK_FULL', needed, available: free })
    const header = headerFor(commitment, this.#nextSequence++, layers)
    await guard.run(() => staging.create(name, sectors.takeNumber(), header))
  }

  async #place(staged: Staged, trailer: RecordTrailer): Promise<Appended> {
    const { staging, sectors, guard } = this.#parts
    if (trailer.commitment.length > this.#sharedMax) {
      await writeTrailer(guard, staged, trailer)
      await staging.promote(staged.name, sectors.pathOf(staged.superblock.sector))
      return sectors.adopt(staged)
    }
    const appended = await sectors.append(staged, trailer)
    await staging.discard(staged.name)
    return appended
  }

  /** Gives back the place of a record that is no longer the one of its root. */
  async #release({ sector, trailer }: IndexedRecord, gone = false): Promise<void> {
    const { sectors } = this.#parts
    if (sectors.kindOf(sector) === 'own') return sectors.removeOwn(sector)
    if (gone) {
      await sectors.bury(sector, {
        ...trailer,
        type: 'tombstone',
        sequence: this.#nextSequence++,
        framesCrc: 0,
        layersCrc: 0,
      })
    } else sectors.forget(sector)
  }

  #placed(root: Root): PlacedRecord {
    const record = this.#parts.records.get(root)
    if (record === undefined) throw new HoldfastError({ code: 'PAYLOAD_NOT_FOUND', root })
    return { ...record, path: this.#parts.sectors.pathOf(record.sector) }
  }

  #stored({ sector, offset, trailer }: IndexedRecord): StoredPayload {
    const layout = layoutOf(offset, trailer)
    const path = this.#parts.sectors.pathOf(sector)
    const { commitment, layersBytes, storedAt } = trailer
    return {
      commitment,
      storedAt,
      payload: { path, offset: bytes(layout.payload), length: commitment.length },
      layers: { path, offset: bytes(layout.layers), length: layersBytes },
    }
  }
}

/** Disk that a reservation may take: small payloads exist twice for a moment while they move. */
const neededFor = (length: Bytes, layers: Bytes, sharedMax: Bytes): Bytes => {
  const record = recordBytes(length, layers)
  return bytes((length > sharedMax ? record : 2n * record) + BigInt(FIRST_RECORD))
}
