/**
 * The sector store over several volumes. Each has a thread that writes and threads that read, so a
 * disk that hangs keeps nobody else; a payload lies on one volume, chosen by room and speed.
 *
 * Invariants: see `sector-store.ts`. A payload whose volume cannot be used is never called missing:
 * asking for it throws `VOLUME_UNAVAILABLE`, and so does asking for any unknown payload while a volume
 * that was never opened may hold it.
 */
import {
  type Bytes,
  bytes,
  type CallOptions,
  type Commitment,
  HoldfastError,
  milliseconds,
  type Random,
  type Root,
  type Timestamp,
  toNumber,
} from '@holdfast/protocol'
import { TaskGroup } from '../task-group.ts'
import { MemoryCommits } from './memory-commits.ts'
import { type Found, readWherever, verifyWherever } from './moving-reads.ts'
import type { ByteRange } from './ranges.ts'
import { Reserving } from './reserving.ts'
import { checkUpload, noSuchReservation } from './sealing.ts'
import type { Damage, SectorStore, StagingName, StoredPayload, StoreUsage } from './sector-store.ts'
import { type SealingProver, UploadCommits } from './upload-commits.ts'
import { noteVerified } from './verified-times.ts'
import type { Volume } from './volume.ts'
import {
  type MissingVolume,
  VolumeList,
  type VolumeListDependencies,
  type VolumeListOptions,
} from './volume-list.ts'
import { usageOfAll, type VolumeStatus } from './volume-status.ts'
import { writeAgain } from './write-again.ts'

/** Payloads up to this share sectors; larger ones get a sector of their own. */
export const SHARED_PAYLOAD_MAX: Bytes = bytes(8 * 2 ** 20)
/** A shared sector is full when it is this long. */
export const SHARED_SECTOR_BYTES: Bytes = bytes(256 * 2 ** 20)
const HUNG_AFTER_MS = 15_000
const WATCH_EVERY_MS = 1_000

export interface VolumeSetDependencies extends VolumeListDependencies {
  readonly prover: SealingProver
  readonly random: Random
}

type SharingOptions = 'sharedPayloadMax' | 'sharedSectorBytes'

export interface VolumeSetOptions
  extends Omit<VolumeListOptions, SharingOptions>,
    Partial<Pick<VolumeListOptions, SharingOptions>> {
  /** A disk that does not answer for so long is left alone until it does. */
  readonly hungAfterMs?: number
  readonly watchEveryMs?: number
}

export class VolumeSet implements SectorStore {
  readonly #dependencies: VolumeSetDependencies
  readonly #options: VolumeSetOptions
  /** The volumes, to add, drain and remove some. */
  readonly list: VolumeList
  readonly #commits: UploadCommits
  readonly #inMemory: MemoryCommits
  readonly #tasks = new TaskGroup()
  readonly #reserving: Reserving

  private constructor(
    dependencies: VolumeSetDependencies,
    options: VolumeSetOptions,
    list: VolumeList,
  ) {
    this.#dependencies = dependencies
    this.#options = options
    this.list = list
    this.#commits = new UploadCommits(dependencies.prover)
    this.#inMemory = new MemoryCommits(dependencies.prover)
    this.#reserving = new Reserving(list)
  }

  /**
   * Opens the volumes. One of several that cannot be opened is left out, loudly.
   * @throws HoldfastError of the first volume when none can be opened: `CONFIG_INVALID` for a directory
   * that is not this provider's volume, `STORE_CORRUPT` for a format from the future.
   */
  static async open(
    dependencies: VolumeSetDependencies,
    options: VolumeSetOptions,
  ): Promise<VolumeSet> {
    const list = await VolumeList.open(dependencies, {
      ...options,
      sharedPayloadMax: options.sharedPayloadMax ?? SHARED_PAYLOAD_MAX,
      sharedSectorBytes: options.sharedSectorBytes ?? SHARED_SECTOR_BYTES,
    })
    const set = new VolumeSet(dependencies, options, list)
    set.#tasks.run('watch volumes', (signal) => set.#watch(signal))
    return set
  }

  /** The volumes that are open. */
  get volumes(): readonly Volume[] {
    return this.list.volumes
  }

  /** Every volume of the configuration, and how it is. */
  status(): readonly VolumeStatus[] {
    return this.list.status()
  }

  /** Why no volume takes writes; undefined while one does. */
  get readOnlyReason(): string | undefined {
    const reasons = this.volumes.map(({ readOnlyReason: r, unavailableReason: u }) => u ?? r)
    return reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined
  }

  /** @param on the volume to use; chosen by room and speed otherwise. */
  async reserve(name: StagingName, commitment: Commitment, on?: Volume): Promise<void> {
    const place = await this.#reserving.reserve({ name, commitment, on })
    const { sharedPayloadMax = SHARED_PAYLOAD_MAX } = this.#options
    if (place === undefined || commitment.length <= sharedPayloadMax) return
    this.#commits.begin(name, commitment, place)
  }

  async write(
    name: StagingName,
    offset: Bytes,
    buffers: readonly Uint8Array[],
    onTaken?: () => void,
  ): Promise<void> {
    const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    const volume = this.#volumeOf(name)
    const { commitment } = volume.reservations.get(name) ?? {}
    const hashed = this.#inMemory.begin(name, commitment, { offset, length })
    const onRun = hashed?.onRun
    await volume.write(name, toNumber(offset), buffers, { onTaken, onRun })
    hashed?.succeeded()
    this.#commits.wrote(name, toNumber(offset), length)
  }

  lifeOf(name: StagingName): number | undefined {
    return this.list.holding(name)?.life
  }

  async sync(name: StagingName, life?: number): Promise<void> {
    const volume = this.#volumeOf(name)
    const written = this.#commits.syncing(name)
    await volume.ask({ kind: 'sync', name }, life)
    this.#commits.durable(name, written)
  }

  async seal(
    name: StagingName,
    storedAt: Timestamp,
    options: CallOptions = {},
  ): Promise<StoredPayload> {
    const volume = this.#volumeOf(name)
    const { life } = volume
    const tools = { ...this.#dependencies, commits: this.#commits, inMemory: this.#inMemory }
    const checked = await checkUpload(tools, { volume, name }, options)
    const entry = await volume.ask({ kind: 'seal', name, storedAt, ...checked }, life)
    volume.reservations.delete(name)
    await this.#removeOthers(entry.trailer.commitment.root, volume)
    return volume.stored(entry)
  }

  async discard(name: StagingName): Promise<void> {
    this.#commits.forget(name)
    this.#inMemory.forget(name)
    const volume = this.list.holding(name)
    if (volume === undefined) return
    volume.reservations.delete(name)
    await volume.ask({ kind: 'discard', name })
  }

  staged(): ReadonlyMap<StagingName, Commitment> {
    const all = new Map<StagingName, Commitment>()
    for (const { reservations } of this.volumes) {
      for (const [name, { commitment }] of reservations) all.set(name, commitment)
    }
    return all
  }

  find(root: Root): StoredPayload | undefined {
    const found = this.#find(root)
    return found?.volume.stored(found.entry)
  }

  *stored(): Iterable<StoredPayload> {
    for (const volume of this.volumes) {
      for (const entry of volume.table.values()) yield volume.stored(entry)
    }
  }

  /** The roots of everything stored, one after another; what comes in meanwhile may be left out. */
  *roots(): Iterable<Root> {
    for (const volume of this.volumes) yield* volume.table.roots()
  }

  /** Whether a payload is stored, on a volume that can be used or not. */
  has(root: Root): boolean {
    return this.volumes.some(({ table }) => table.has(root))
  }

  /** How many payloads are stored that are not among these. */
  countOthers(known: ReadonlySet<Root>): number {
    let count = 0
    for (const { table } of this.volumes) {
      count += table.size
      for (const root of known) if (table.has(root)) count--
    }
    return count
  }

  read(root: Root, range: ByteRange, options: CallOptions = {}): AsyncIterable<Uint8Array> {
    const { length } = this.#placed(root).entry.trailer.commitment
    if (range.end > length || range.start >= range.end) {
      const reason = `${range.start}..${range.end} is not inside 0..${length}`
      throw new HoldfastError({ code: 'RANGE_INVALID', reason })
    }
    return readWherever(() => this.#placed(root), range, options)
  }

  async verify(root: Root, options: CallOptions = {}): Promise<Damage | undefined> {
    const { prover, clock, logger } = this.#dependencies
    const { found, damage } = await verifyWherever(() => this.#placed(root), prover, options)
    if (damage?.payloadWhole === true) {
      await writeAgain(this, found, options)
      logger.warn('record damaged around its payload: written again', { root })
    } else if (damage !== undefined) return { leaf: damage.leaf, what: damage.what }
    await noteVerified(found.volume, root, Math.floor(clock.now() / 1000))
    return undefined
  }

  async remove(root: Root): Promise<void> {
    for (const volume of this.volumes) {
      if (volume.find(root) !== undefined) await volume.ask({ kind: 'remove', root })
    }
  }

  async usage(): Promise<StoreUsage> {
    return usageOfAll(this.volumes, (volume) => this.list.takesWrites(volume))
  }

  /** Stops the threads and closes the files. Reservations stay for the next run. */
  async close(): Promise<void> {
    await this.#tasks.stop()
    await this.list.close()
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.#dependencies
    const { hungAfterMs = HUNG_AFTER_MS, watchEveryMs = WATCH_EVERY_MS } = this.#options
    while (!signal.aborted) {
      await clock.sleep(milliseconds(watchEveryMs), { signal })
      this.list.watch(hungAfterMs)
    }
  }

  /** Copies of a payload on other volumes make place for the new one. */
  async #removeOthers(root: Root, kept: Volume): Promise<void> {
    for (const volume of this.volumes) {
      if (volume === kept || volume.find(root) === undefined) continue
      if (volume.unavailableReason === undefined) await volume.ask({ kind: 'remove', root })
    }
  }

  #volumeOf(name: StagingName): Volume {
    const volume = this.list.holding(name)
    if (volume === undefined) throw noSuchReservation(name)
    return volume
  }

  /** @throws HoldfastError `VOLUME_UNAVAILABLE`. */
  #find(root: Root): Found | undefined {
    let away: Volume | MissingVolume | undefined = this.list.missing[0]
    for (const volume of this.volumes) {
      const entry = volume.find(root)
      if (entry === undefined) continue
      if (volume.unavailableReason === undefined) return { volume, entry }
      away = volume
    }
    if (away === undefined) return undefined
    const reason = away.unavailableReason ?? 'unknown'
    throw new HoldfastError({ code: 'VOLUME_UNAVAILABLE', path: away.directory, reason })
  }

  #placed(root: Root): Found {
    const found = this.#find(root)
    if (found === undefined) throw new HoldfastError({ code: 'PAYLOAD_NOT_FOUND', root })
    return found
  }
}
