/**
 * The volumes of a store: opened, watched, added, drained, removed while the node runs. Who lies
 * where is in the volumes themselves; this list is only which directories there are.
 */
import {
  type Bytes,
  bytes,
  type Clock,
  HoldfastError,
  type Logger,
  larger,
  type ProviderId,
} from '@holdfast/protocol'
import type { DiskChoice } from './disk-choice.ts'
import { rankVolumes } from './placement.ts'
import type { StagingName } from './sector-store.ts'
import type { StorePlatform } from './store-platform.ts'
import { loadVerified } from './verified-times.ts'
import { Volume } from './volume.ts'
import { statusOf, statusOfMissing, type VolumeStatus } from './volume-status.ts'

/** A volume as the configuration has it. */
export interface VolumePlan {
  readonly directory: string
  readonly capacity: Bytes
  /** It takes nothing new: its payloads are being moved elsewhere. */
  readonly draining?: boolean
}

/** A volume that could not be opened: what it holds is not known. */
export interface MissingVolume {
  readonly directory: string
  readonly unavailableReason: string
  readonly plan: VolumePlan
  readonly error: unknown
}

export interface VolumeListDependencies {
  readonly logger: Logger
  readonly clock: Clock
  /** Default: threads, files and LevelDB. */
  readonly platform?: StorePlatform
}

export interface VolumeListOptions {
  readonly provider: ProviderId
  readonly volumes: readonly VolumePlan[]
  /** Where the indexes of the volumes lie: not on them. */
  readonly indexes: string
  /** Disk left alone on each volume, so that what is not payloads can still grow. */
  readonly diskMargin: Bytes
  readonly sharedPayloadMax: Bytes
  readonly sharedSectorBytes: Bytes
  /** Forget the indexes; with `deep` the footers too. */
  readonly rebuild?: 'index' | 'deep'
  readonly disk?: (directory: string) => DiskChoice | undefined
  /** As in `VolumeOptions`. */
  readonly restartPausesMs?: readonly number[]
}

/** Between two looks whether a volume is still there, and whether a missing one has come. */
const CHECK_EVERY_MS = 30_000

export class VolumeList {
  readonly #dependencies: VolumeListDependencies
  readonly #options: VolumeListOptions
  readonly #draining = new Set<string>()
  #volumes: readonly Volume[] = []
  #missing: readonly MissingVolume[] = []
  #checkedAt = 0
  #checking: Promise<void> = Promise.resolve()
  #busy = false

  private constructor(dependencies: VolumeListDependencies, options: VolumeListOptions) {
    this.#dependencies = dependencies
    this.#options = options
    this.#checkedAt = dependencies.clock.now()
  }

  static async open(
    dependencies: VolumeListDependencies,
    options: VolumeListOptions,
  ): Promise<VolumeList> {
    const list = new VolumeList(dependencies, options)
    await Promise.all(options.volumes.map((plan) => list.#tryOpen(plan)))
    const [first] = list.#missing
    if (first !== undefined && list.#volumes.length === 0) throw first.error
    return list
  }

  get volumes(): readonly Volume[] {
    return this.#volumes
  }

  get missing(): readonly MissingVolume[] {
    return this.#missing
  }

  /** The volume that has this reservation. */
  holding(name: StagingName): Volume | undefined {
    return this.#volumes.find(({ reservations }) => reservations.has(name))
  }

  takesWrites({ directory, unavailableReason, readOnlyReason }: Volume): boolean {
    const usable = unavailableReason === undefined && readOnlyReason === undefined
    return usable && !this.#draining.has(directory)
  }

  isDraining(directory: string): boolean {
    return this.#draining.has(directory)
  }

  /**
   * The volume for a new payload.
   * @throws HoldfastError `DISK_FULL`; `STORE_READ_ONLY` or `VOLUME_UNAVAILABLE` when none takes writes.
   */
  choose(needed: bigint): Volume {
    const candidates = this.#volumes.map((volume) => ({
      id: volume.id,
      free: volume.room,
      latencyMs: volume.latencyMs,
      depth: volume.depth,
      usable: this.takesWrites(volume),
    }))
    const [best] = rankVolumes(candidates, needed)
    const volume = this.#volumes.find(({ id }) => id === best?.id)
    if (volume !== undefined) return volume
    const usable = candidates.filter((candidate) => candidate.usable)
    if (usable.length === 0) throw this.refusal()
    const available = usable.reduce((most, { free }) => larger(bytes(free), most), bytes(0))
    throw new HoldfastError({ code: 'DISK_FULL', needed, available })
  }

  /** Gives a volume nothing new from now on, or again. */
  setDraining(directory: string, draining: boolean): void {
    if (draining) this.#draining.add(directory)
    else this.#draining.delete(directory)
  }

  /** Opens one more volume. @throws HoldfastError as `Volume.open`; `CONFIG_INVALID` when it is open. */
  async add(plan: VolumePlan): Promise<Volume> {
    const volume = await this.#open(plan)
    if (this.#volumes.some(({ id }) => id === volume.id)) {
      await volume.close()
      const reason = 'this volume is open already'
      throw new HoldfastError({ code: 'CONFIG_INVALID', path: plan.directory, reason })
    }
    this.#take(volume, plan)
    return volume
  }

  /**
   * Closes a volume that holds nothing any more.
   * @throws HoldfastError `CONFIG_INVALID` when it is unknown or not empty.
   */
  async remove(directory: string): Promise<void> {
    const volume = this.#volumes.find((candidate) => candidate.directory === directory)
    const refuse = (reason: string): never => {
      throw new HoldfastError({ code: 'CONFIG_INVALID', path: directory, reason })
    }
    if (volume === undefined) return refuse('no volume of this node is there')
    if (this.#volumes.length === 1) return refuse('it is the only volume')
    const left = volume.table.size + volume.reservations.size
    if (left > 0) return refuse(`it still holds ${left} payloads and uploads: drain it first`)
    this.#volumes = this.#volumes.filter((candidate) => candidate !== volume)
    this.#draining.delete(directory)
    await volume.close()
  }

  status(): readonly VolumeStatus[] {
    const open = this.#volumes.map((volume) => statusOf(volume, this.isDraining(volume.directory)))
    const away = this.#missing.map(({ plan, unavailableReason }) =>
      statusOfMissing(plan, unavailableReason),
    )
    return [...open, ...away]
  }

  /** Why no volume takes writes. */
  refusal(): HoldfastError {
    for (const { directory: path, unavailableReason, restarting, readOnlyReason } of this
      .#volumes) {
      if (unavailableReason !== undefined || restarting !== undefined) continue
      const reason = readOnlyReason ?? 'it is being drained'
      return new HoldfastError({ code: 'STORE_READ_ONLY', path, reason })
    }
    const [first] = this.#volumes
    const reason = first?.unavailableReason ?? first?.restarting ?? 'there is no volume'
    return new HoldfastError({ code: 'VOLUME_UNAVAILABLE', path: first?.directory ?? '', reason })
  }

  /** Looks whether disks answer, and every now and then whether they are still, or again, there. */
  watch(hungAfterMs: number): void {
    for (const volume of this.#volumes) volume.watch(hungAfterMs)
    const now = this.#dependencies.clock.now()
    if (this.#busy || now - this.#checkedAt < CHECK_EVERY_MS) return
    this.#checkedAt = now
    this.#checking = this.check()
  }

  /** Looks at every volume, and tries those again that could not be opened. */
  async check(): Promise<void> {
    this.#busy = true
    try {
      const missing = this.#missing
      this.#missing = []
      await Promise.all([
        ...this.#volumes.map((volume) => volume.check()),
        ...missing.map(({ plan }) => this.#tryOpen(plan)),
      ])
    } finally {
      this.#busy = false
    }
  }

  async close(): Promise<void> {
    await this.#checking
    await Promise.all(this.#volumes.map((volume) => volume.close()))
  }

  async #tryOpen(plan: VolumePlan): Promise<void> {
    try {
      this.#take(await this.#open(plan), plan)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const { directory } = plan
      this.#dependencies.logger.error('volume cannot be opened', { path: directory, reason })
      this.#missing = [...this.#missing, { directory, unavailableReason: reason, plan, error }]
    }
  }

  #take(volume: Volume, { directory, draining = false }: VolumePlan): void {
    const order = this.#options.volumes.map((planned) => planned.directory)
    const at = ({ directory: of }: Volume): number =>
      order.includes(of) ? order.indexOf(of) : order.length
    this.#volumes = [...this.#volumes, volume].sort((a, b) => at(a) - at(b))
    if (draining) this.#draining.add(directory)
    loadVerified(volume).catch((error: unknown) => {
      const fields = { path: directory, reason: String(error) }
      this.#dependencies.logger.warn('times of verification not loaded', fields)
    })
  }

  #open({ directory, capacity }: VolumePlan): Promise<Volume> {
    const { provider, indexes, diskMargin, sharedPayloadMax, sharedSectorBytes } = this.#options
    const { rebuild, disk, restartPausesMs } = this.#options
    const choice = disk?.(directory)
    const engine = { capacity, diskMargin, sharedPayloadMax, sharedSectorBytes }
    return Volume.open(this.#dependencies, {
      ...{ directory, provider, indexes, engine },
      ...(rebuild === undefined ? {} : { rebuild }),
      ...(choice === undefined ? {} : { disk: choice }),
      ...(restartPausesMs === undefined ? {} : { restartPausesMs }),
    })
  }
}
