/**
 * One volume as the rest of the node sees it: its thread, its reading threads, its table and its
 * index. Knows whether the volume can be used, and never says that something is missing because a
 * disk is.
 */
import { join } from 'node:path'
import { type Bytes, bytes, HoldfastError, type Root } from '@holdfast/protocol'
import { type FrameLane, FramePool } from './frame-pool.ts'
import type { FrameResult, FrameTask } from './frame-task.ts'
import type { PlacedRecord } from './payload-reads.ts'
import type { Entry } from './record-entry.ts'
import { RecordTable } from './record-table.ts'
import { layoutOf } from './sector-format.ts'
import { sectorPath } from './sector-names.ts'
import type { StagingName, StoredPayload } from './sector-store.ts'
import { inSlabs, SlabPool } from './slab-pool.ts'
import { systemStore } from './store-platform.ts'
import { claimIdentity } from './volume-identity.ts'
import { VolumeIndex } from './volume-index.ts'
import type { OpKind, OpValues, VolumeOp, VolumeReport, VolumeUsage } from './volume-ops.ts'
import type { Reserved, VolumeDependencies, VolumeOptions } from './volume-options.ts'
import { type VolumePaths, volumePaths } from './volume-paths.ts'
import { VolumeThread } from './volume-thread.ts'

/** Bytes on their way to the thread. */
const SLABS = 16
/** Up to this bytes travel in the message itself: a slab each would keep many small uploads waiting. */
const COPIED_MAX = 8192
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
  readonly #thread: VolumeThread
  readonly #frames: FramePool
  readonly index: VolumeIndex
  readonly #slabs = new SlabPool(SLABS)
  readonly #paths: VolumePaths
  readonly #options: VolumeOptions
  #report: VolumeReport
  #gone: string | undefined
  #latencyMs = 0

  private constructor(
    input: { dependencies: VolumeDependencies; options: VolumeOptions; id: string },
    parts: { thread: VolumeThread; index: VolumeIndex; table: RecordTable; report: VolumeReport },
  ) {
    this.id = input.id
    this.directory = input.options.directory
    this.#dependencies = input.dependencies
    this.#options = input.options
    this.#paths = volumePaths(input.options.directory)
    this.#thread = parts.thread
    this.index = parts.index
    this.table = parts.table
    this.#report = parts.report
    const { disk = {} } = input.options
    const { startThread: start } = input.dependencies.platform ?? systemStore
    this.#frames = new FramePool({ disk, start })
  }

  /**
   * Opens a volume and recovers from whatever the last run left.
   * @throws HoldfastError `CONFIG_INVALID` for a directory that is not this provider's volume,
   * `STORE_CORRUPT` for a format from the future, `VOLUME_UNAVAILABLE`.
   */
  static async open(dependencies: VolumeDependencies, options: VolumeOptions): Promise<Volume> {
    const { logger, clock, platform = systemStore } = dependencies
    const { directory, provider, indexes, engine, rebuild, disk = {} } = options
    const paths = volumePaths(directory)
    const id = claimIdentity(paths, provider, platform.disk)
    const onDamage = (error: unknown): void =>
      logger.warn('index damaged: made again', { path: directory, reason: String(error) })
    const index = await VolumeIndex.open(join(indexes, id), onDamage, platform.keyValues)
    if (rebuild !== undefined) await index.clear()
    const known = await index.own()
    const deep = rebuild === 'deep'
    const data = { paths, identity: id, options: engine, known, deep, disk }
    let volume: Volume | undefined
    const early: VolumeReport[] = []
    const table = RecordTable.empty(undefined, 1)
    const thread = new VolumeThread(
      data,
      { clock, start: platform.startThread },
      {
        onReport: (report) => (volume === undefined ? early.push(report) : volume.#take(report)),
        onTable: (memory) => table.moveTo(memory),
        onDurable: (ms) => {
          if (volume !== undefined) volume.#measure(ms)
        },
      },
    )
    try {
      const opened = await thread.opened()
      table.moveTo(opened.table)
      for (const { level, event, fields } of opened.notes) logger[level](event, fields)
      const [report] = early
      if (report === undefined) throw thread.unavailable('it opened without a word')
      volume = new Volume({ dependencies, options, id }, { thread, index, table, report })
      for (const [name, commitment, place] of opened.reservations) {
        volume.reservations.set(name, { commitment, place })
      }
      for (const each of early) volume.#take(each)
      return volume
    } catch (error) {
      await thread.close()
      await index.close()
      throw error
    }
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
    return this.#report.readOnly
  }

  /** Why it cannot be read either; undefined while it can. */
  get unavailableReason(): string | undefined {
    if (this.#gone !== undefined) return this.#gone
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

  /** @throws HoldfastError what the operation throws; `VOLUME_UNAVAILABLE`. */
  async ask<K extends OpKind>(op: Extract<VolumeOp, { kind: K }>): Promise<OpValues[K]> {
    if (this.#gone !== undefined && op.kind !== 'check') throw this.#thread.unavailable(this.#gone)
    return this.#thread.ask(op)
  }

  /** Writes buffers at a payload offset; `onTaken` is called when they have been copied. */
  async write(
    name: StagingName,
    offset: number,
    buffers: readonly Uint8Array[],
    onTaken: () => void = () => undefined,
  ): Promise<void> {
    const total = buffers.reduce((sum, { length }) => sum + length, 0)
    if (total <= COPIED_MAX) {
      const written = this.ask({ kind: 'write', name, offset, data: Buffer.concat(buffers) })
      onTaken()
      await written
      return
    }
    const writes: Promise<unknown>[] = []
    let at = offset
    for await (const { slab, length } of inSlabs(this.#slabs, buffers)) {
      const data = slab.subarray(0, length)
      const written = this.ask({ kind: 'write', name, offset: at, data })
      writes.push(written.finally(() => this.#slabs.give(slab)))
      at += length
    }
    onTaken()
    for (const outcome of await Promise.allSettled(writes)) {
      if (outcome.status === 'rejected') throw outcome.reason
    }
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
    return result
  }

  /** @throws HoldfastError `VOLUME_UNAVAILABLE`. */
  assertAvailable(): void {
    const reason = this.unavailableReason
    if (reason !== undefined) throw this.#thread.unavailable(reason)
  }

  /** Looks whether the volume is still there, through its path. Never throws. */
  async check(): Promise<void> {
    try {
      await this.#thread.ask({ kind: 'check' })
      if (this.#gone !== undefined) this.#dependencies.logger.info('volume is back', this.#name())
      this.#gone = undefined
    } catch (error) {
      if (!HoldfastError.is(error) || this.#thread.hung) return
      if (this.#gone === undefined) {
        const fields = { ...this.#name(), reason: error.message }
        this.#dependencies.logger.error('volume is gone: its payloads cannot be served', fields)
      }
      this.#gone = error.message
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

  /** Remembers when a payload was verified. */
  async noteVerified(root: Root, at: number): Promise<void> {
    await this.ask({ kind: 'mark', root, at })
    await this.index.stamp('verified', root, at)
  }

  /** Brings the times of verification of former runs into the table. */
  async loadVerified(): Promise<void> {
    for await (const [root, at] of this.index.stamps('verified')) {
      if (this.find(root) === undefined) await this.index.unstamp('verified', root)
      else await this.ask({ kind: 'mark', root, at })
    }
  }

  /** Stops the threads and closes the files. Reservations stay for the next run. */
  async close(): Promise<void> {
    await this.#frames.close()
    await this.#thread.close()
    await this.index.close()
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
