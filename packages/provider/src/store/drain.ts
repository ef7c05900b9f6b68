/**
 * Moves everything off a volume: each payload is read checked, written elsewhere like an upload, and
 * only when it is durable there removed here. Stopping at any moment loses nothing; draining again
 * goes on with what is left.
 */
import { bytes, type CallOptions, HoldfastError, type Logger, type Root } from '@holdfast/protocol'
import type { Holdings } from '../holdings.ts'
import { ingestPayload } from './ingest.ts'
import type { Entry } from './record-entry.ts'
import type { Volume } from './volume.ts'
import type { VolumeSet } from './volume-set.ts'

export interface DrainDependencies {
  readonly set: VolumeSet
  readonly holdings: Pick<Holdings, 'noteDamage' | 'damageOf'>
  readonly logger: Logger
}

export interface Drained {
  readonly moved: number
  /** Payloads that are damaged and stay where they are. */
  readonly damaged: readonly Root[]
}

/**
 * @throws HoldfastError `CONFIG_INVALID` when no volume of this node is there, `DISK_FULL` when the
 * others have no room, `ABORTED`.
 */
export const drainVolume = async (
  dependencies: DrainDependencies,
  directory: string,
  options: CallOptions = {},
): Promise<Drained> => {
  const { set, holdings, logger } = dependencies
  const volume = set.volumes.find((candidate) => candidate.directory === directory)
  if (volume === undefined) {
    const reason = 'no volume of this node is there'
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: directory, reason })
  }
  set.list.setDraining(directory, true)
  let moved = 0
  const damaged: Root[] = []
  for (const entry of [...volume.table.values()]) {
    const { root } = entry.trailer.commitment
    if (options.signal?.aborted) throw new HoldfastError({ code: 'ABORTED' })
    if (holdings.damageOf(root) === undefined && (await move(dependencies, volume, entry, options)))
      moved++
    else damaged.push(root)
  }
  logger.info('volume drained', { path: directory, moved, damaged: damaged.length })
  return { moved, damaged }
}

/** False when the payload turned out to be damaged. */
const move = async (
  { set, holdings }: DrainDependencies,
  from: Volume,
  { trailer }: Entry,
  options: CallOptions,
): Promise<boolean> => {
  const { commitment, storedAt } = trailer
  const { root, length } = commitment
  const elsewhere = set.volumes.some((volume) => volume !== from && volume.find(root) !== undefined)
  if (elsewhere) {
    await from.ask({ kind: 'remove', root })
    return true
  }
  const source = set.read(root, { start: bytes(0), end: length }, options)
  const name = `drain-${root.slice(2, 34)}`
  try {
    await ingestPayload(set, { name, commitment, storedAt }, source, options)
    return true
  } catch (error) {
    if (!HoldfastError.is(error, 'PAYLOAD_CORRUPT')) throw error
    if (error.detail.code !== 'PAYLOAD_CORRUPT') throw error
    const damage = await set.verify(root, options)
    if (damage === undefined) throw error
    await holdings.noteDamage(root, damage)
    return false
  }
}
