/** Opens what a volume consists of: who it is, its index, its thread. All of it, or nothing is left open. */
import { join } from 'node:path'
import { levelTrouble } from './disposable-level.ts'
import { systemStore } from './store-platform.ts'
import { ThreadKeeper } from './thread-keeper.ts'
import { claimIdentity } from './volume-identity.ts'
import { VolumeIndex } from './volume-index.ts'
import type { VolumeDependencies, VolumeOptions } from './volume-options.ts'
import { volumePaths } from './volume-paths.ts'
import type { Opened } from './volume-thread.ts'

export interface VolumeParts {
  readonly id: string
  readonly index: VolumeIndex
  readonly thread: ThreadKeeper
  readonly opened: Opened
}

/** @throws HoldfastError as `Volume.open`. */
export const openParts = async (
  { logger, clock, platform = systemStore }: VolumeDependencies,
  { directory, provider, indexes, engine, rebuild, disk = {}, restartPausesMs }: VolumeOptions,
): Promise<VolumeParts> => {
  const paths = volumePaths(directory)
  const id = claimIdentity(paths, provider, platform.disk)
  const onDamage = levelTrouble(logger, 'index of a volume', (reason) =>
    logger.warn('index damaged: made again', { path: directory, reason }),
  )
  const index = await VolumeIndex.open(join(indexes, id), onDamage, platform.keyValues)
  try {
    if (rebuild !== undefined) await index.clear()
    const dependencies = { logger, clock, start: platform.startThread }
    const { keeper, opened } = await ThreadKeeper.open(dependencies, {
      directory,
      ...(restartPausesMs === undefined ? {} : { pausesMs: restartPausesMs }),
      prepare: async (former) => ({
        ...{ paths, identity: id, options: engine, disk, known: await index.own(), former },
        deep: rebuild === 'deep' && former === undefined,
      }),
    })
    return { id, index, thread: keeper, opened }
  } catch (error) {
    await index.close()
    throw error
  }
}
