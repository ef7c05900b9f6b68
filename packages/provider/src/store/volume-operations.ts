/**
 * Adding, listing, draining and removing volumes, on the open store and in the configuration alike: a
 * running node does it when asked over its admin socket, a command when no node runs.
 *
 * Invariant: the configuration names a volume before anything lies on it, and until nothing does.
 */
import { resolve } from 'node:path'
import { type Bytes, type CallOptions, HoldfastError, type Logger } from '@holdfast/protocol'
import { type ConfiguredVolume, readConfig, writeConfig } from '../config.ts'
import type { Holdings } from '../holdings.ts'
import type { HomePaths } from '../home.ts'
import { type Drained, drainVolume } from './drain.ts'
import { createVolume } from './volume-files.ts'
import type { VolumeSet } from './volume-set.ts'
import type { VolumeStatus } from './volume-status.ts'

export interface VolumeOperationsDependencies {
  readonly set: VolumeSet
  readonly holdings: Pick<Holdings, 'noteDamage' | 'damageOf'>
  readonly paths: Pick<HomePaths, 'home' | 'config' | 'volume'>
  readonly logger: Logger
}

export class VolumeOperations {
  readonly #dependencies: VolumeOperationsDependencies

  constructor(dependencies: VolumeOperationsDependencies) {
    this.#dependencies = dependencies
  }

  list(): readonly VolumeStatus[] {
    return this.#dependencies.set.status()
  }

  /** Makes a volume, or takes in one of this provider. @throws HoldfastError `CONFIG_INVALID`. */
  async add(directory: string, capacity: Bytes): Promise<VolumeStatus> {
    const { set, paths } = this.#dependencies
    const path = resolve(paths.home, directory)
    const { provider } = await readConfig(paths.config)
    await createVolume(path, provider)
    const volume = await set.list.add({ directory: path, capacity })
    await this.#change((known) => [
      ...known.filter((other) => other.directory !== path),
      { directory: path, capacity, draining: false },
    ])
    return this.#statusOf(volume.directory)
  }

  /** Moves everything off a volume; it takes nothing new from now on. */
  async drain(directory: string, options: CallOptions = {}): Promise<Drained> {
    const path = resolve(this.#dependencies.paths.home, directory)
    this.#statusOf(path)
    await this.#change((known) =>
      known.map((volume) => (volume.directory === path ? { ...volume, draining: true } : volume)),
    )
    return drainVolume(this.#dependencies, path, options)
  }

  /** Lets go of a volume that holds nothing. Its directory stays. */
  async remove(directory: string): Promise<void> {
    const path = resolve(this.#dependencies.paths.home, directory)
    await this.#dependencies.set.list.remove(path)
    await this.#change((known) => known.filter((volume) => volume.directory !== path))
  }

  #statusOf(directory: string): VolumeStatus {
    const status = this.list().find((volume) => volume.directory === directory)
    if (status !== undefined) return status
    const reason = 'no volume of this node is there'
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: directory, reason })
  }

  /** Changes the list in the configuration; a home without one has the volume that `init` made. */
  async #change(
    change: (known: readonly ConfiguredVolume[]) => readonly ConfiguredVolume[],
  ): Promise<void> {
    const { config: path, home, volume } = this.#dependencies.paths
    const config = await readConfig(path)
    const { capacity, volumes } = config
    const known = volumes ?? [{ directory: volume, capacity, draining: false }]
    const absolute = known.map((each) => ({ ...each, directory: resolve(home, each.directory) }))
    await writeConfig(path, { ...config, volumes: change(absolute) })
  }
}
