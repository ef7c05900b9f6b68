/**
 * One volume as the rest of the node sees it: its thread, its reading threads, its table and its
 * index. Knows whether the volume can be used, and never says that something is missing because a
 * disk is.
 */
import { type Bytes, bytes, HoldfastError, type Root } from '@holdfast/protocol'
import { type FrameLane, FramePool } from './frame-pool.ts'
import type { FrameResult, FrameTask } from './frame-task.ts'
import type { PlacedRecord } from './payload-reads.ts'
import { Presence } from './presence.ts'
import type { Entry } from './record-entry.ts'
import { RecordTable } from './record-table.ts'
import { layoutOf } from './sector-format.ts'
import { sectorPath } from './sector-names.ts'
import type { StagingName, StoredPayload } from './sector-store.ts'
import { SlabPool, type SlabWrite, writeInSlabs } from './slab-pool.ts'
import { systemStore } from './store-platform.ts'
import type { Deaths, ThreadKeeper } from './thread-keeper.ts'
import { loadVerified } from './verified-times.ts'
import type { VolumeIndex } from './volume-index.ts'
import type { OpKind, OpValues, VolumeOp, VolumeReport, VolumeUsage } from './volume-ops.ts'
import type { Reserved, VolumeDependencies, VolumeOptions } from './volume-options.ts'
import { openParts, type VolumeParts } from './volume-parts.ts'
import { type VolumePaths, volumePaths } from './volume-paths.ts'
import type { Opened } from './volume-thread.ts'

/** Bytes on their way to the thread. */
const SLABS = 16
/** How much one measurement counts in the average. */
const LATENCY_WEIGHT = 0.1

export class Volume {
  readonly id: string
  readonly directory: string
  readonly table: RecordTable
  readonly reservations: Map<StagingName, Reserved> = new Map()
  /** Room that is being asked for and not yet answered. */
  asked = 0n
  readonly #dependencies: VolumeDependencies
  readonly #thread: ThreadKeeper
  readonly #frames: FramePool
  readonly index: VolumeIndex
  readonly #slabs = new SlabPool(SLABS)
  readonly #paths: VolumePaths
  readonly #options: VolumeOptions
  #report: VolumeReport
  readonly #presence: Presence
  #latencyMs = 0

  private constructor(
    dependencies: VolumeDependencies,
    options: VolumeOptions,
    { id, index, thread, opened }: VolumeParts,
  ) {
    this.id = id
    this.directory = options.directory
    this.#dependencies = dependencies
    this.#options = options
    this.#paths = volumePaths(options.directory)
    this.#thread = thread
    this.index = index
    this.table = new RecordTable(opened.table)
    this.#report = opened.report
    this.#presence = new Presence(dependencies.logger, this.#name())
    const { startThread: start } = dependencies.platform ?? systemStore
    this.#frames = new FramePool({ disk: options.disk ?? {}, start })
    this.#learn(opened)
    this.#thread.tell({
      onReport: (report) => this.#take(report),
      onTable: (memory) => this.table.moveTo(memory),
      onDurable: (ms) => this.#measure(ms),
      onRevived: (reopened) => this.#takeOver(reopened),
      onGone: (reason) => this.#presence.isGone(reason),
    })
  }

  /**
   * Opens a volume and recovers from whatever the last run left.
   * @throws HoldfastError `CONFIG_INVALID` for a directory that is not this provider's volume,
   * `STORE_CORRUPT` for a format from the future, `VOLUME_UNAVAILABLE`.
   */
  static async open(dependencies: VolumeDependencies, options: VolumeOptions): Promise<Volume> {
    return new Volume(dependencies, options, await openParts(dependencies, options))
  }

  get capacity(): Bytes {
    return bytes(this.#options.engine.capacity)
  }

  get usage(): VolumeUsage {
    return this.#report.usage
  }

  /** What may still be asked for. */
  get room(): bigint {
    const { free } = this.usage
    return free > this.asked ? free - this.asked : 0n
  }

  /** Why it takes no writes; undefined while it does. */
  get readOnlyReason(): string | undefined {
    return this.restarting ?? this.#report.readOnly
  }

  /** Why it takes no writes for a moment: its thread died, and the next one is not up yet. */
  get restarting(): string | undefined {
    return this.#thread.down
  }

  get deaths(): Deaths {
    return this.#thread.deaths
  }

  /** The life of its thread: what was written in one is made durable in the same one. */
  get life(): number {
    return this.#thread.life
  }

  /** Why it cannot be read either; undefined while it can. */
  get unavailableReason(): string | undefined {
    if (this.#presence.gone !== undefined) return this.#presence.gone
    return this.#thread.hung || this.#frames.hung ? 'its disk does not answer' : undefined
  }

  /** How long making something durable takes, averaged, in milliseconds. */
  get latencyMs(): number {
    return this.#latencyMs
  }

  /** Work that waits for this volume. */
  get depth(): number {
    return this.#thread.depth
  }

  /**
   * @param life the one it has to be done in, when it rests on something done before.
   * @throws HoldfastError what the operation throws; `VOLUME_UNAVAILABLE`.
   */
  async ask<K extends OpKind>(
    op: Extract<VolumeOp, { kind: K }>,
    life?: number,
  ): Promise<OpValues[K]> {
    const { gone } = this.#presence
    if (gone !== undefined && op.kind !== 'check') throw this.#thread.unavailable(gone)
    return this.#thread.ask(op, life)
  }

  /** Writes buffers at a payload offset; see `SlabWrite` for who is told of what. */
  async write(
    name: StagingName,
    offset: number,
    buffers: readonly Uint8Array[],
    told: Omit<SlabWrite, 'write'> = {},
  ): Promise<void> {
    const write = (at: number, data: Uint8Array): Promise<unknown> =>
      this.ask({ kind: 'write', name, offset: offset + at, data })
    await writeInSlabs(this.#slabs, buffers, { ...told, write })
  }

  /**
   * Runs a reading job. A failure of the file system counts only when the volume is still there.
   * @throws HoldfastError `VOLUME_UNAVAILABLE`, `QUEUE_FULL`.
   */
  async run(lane: FrameLane, task: FrameTask): Promise<FrameResult> {
    this.assertAvailable()
    const result = await this.#frames.run(lane, task)
    if (result.ok || result.reason !== 'io') return result
    if (result.errno === 'EMFILE' || result.errno === 'ENFILE') {
      throw this.#thread.unavailable(`${result.errno}: the process may open no more files`)
    }
    await this.check()
    this.assertAvailable()
    const { restarting } = this
    if (restarting !== undefined) throw this.#thread.unavailable(restarting)
    return result
  }

  /** @throws HoldfastError `VOLUME_UNAVAILABLE`. */
  assertAvailable(): void {
    const reason = this.unavailableReason
    if (reason !== undefined) throw this.#thread.unavailable(reason)
  }

  /** Looks whether the volume is still there, through its path. Never throws. */
  async check(): Promise<void> {
    // Without a thread nobody can look; the next one does before it opens the volume.
    if (this.restarting !== undefined) return
    try {
      await this.#thread.ask({ kind: 'check' })
      this.#presence.isThere()
    } catch (error) {
      if (!HoldfastError.is(error) || this.#thread.hung || this.restarting !== undefined) return
      this.#presence.isGone(error.message)
    }
  }

  /** Looks whether the disk still answers. */
  watch(hungAfterMs: number): void {
    const before = this.unavailableReason
    this.#thread.watch(hungAfterMs)
    this.#frames.watch(hungAfterMs, this.#dependencies.clock.now())
    if (before === undefined && this.unavailableReason !== undefined) {
      this.#dependencies.logger.error('volume does not answer', this.#name())
    }
  }

  find(root: Root): Entry | undefined {
    return this.table.get(root)
  }

  /** A record with the file it lies in. */
  place({ sector, offset, trailer }: Entry): PlacedRecord {
    return { path: sectorPath(this.#paths.sectors, sector), offset, trailer }
  }

  stored(entry: Entry): StoredPayload {
    const { path, offset, trailer } = this.place(entry)
    const layout = layoutOf(offset, trailer)
    const { commitment, layersBytes, storedAt } = trailer
    return {
      commitment,
      storedAt,
      payload: { path, offset: bytes(layout.payload), length: commitment.length },
      layers: { path, offset: bytes(layout.layers), length: layersBytes },
    }
  }

  /** Stops the threads and closes the files. Reservations stay for the next run. */
  async close(): Promise<void> {
    await this.#frames.close()
    await this.#thread.close()
    await this.index.close()
  }

  /** What a thread found when it opened the volume. */
  #learn({ table, reservations, notes, report }: Opened): void {
    this.table.moveTo(table)
    this.#take(report)
    for (const { level, event, fields } of notes) this.#dependencies.logger[level](event, fields)
    this.reservations.clear()
    for (const [name, commitment, place] of reservations) {
      this.reservations.set(name, { commitment, place })
    }
  }

  /** Places that the former thread made, and did not tell of, or was to give back, are given back. */
  #takeOver(opened: Opened): void {
    const known = new Set(this.reservations.keys())
    this.#presence.isThere()
    this.#learn(opened)
    for (const name of [...this.reservations.keys()]) {
      if (known.has(name)) continue
      this.reservations.delete(name)
      this.#later('a place is not given back', this.ask({ kind: 'discard', name }))
    }
    this.#later('times of verification not loaded', loadVerified(this))
  }

  /** Work nobody waits for; what fails is said, and done at the next start. */
  #later(event: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#dependencies.logger.warn(event, { ...this.#name(), reason: String(error) })
    })
  }

  #name(): { readonly volume: string; readonly path: string } {
    return { volume: this.id, path: this.directory }
  }

  #measure(ms: number): void {
    this.#latencyMs += LATENCY_WEIGHT * (ms - this.#latencyMs)
  }

  #take(report: VolumeReport): void {
    if (report.readOnly !== undefined && this.#report.readOnly === undefined) {
      const fields = { ...this.#name(), reason: report.readOnly }
      this.#dependencies.logger.error('volume takes no more writes', fields)
    }
    this.#report = report
    this.index.apply(report.changes)
  }
}
