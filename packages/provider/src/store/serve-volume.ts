/**
 * The work of a volume's thread: opens its engine, then does what it is asked, in batches. Decides
 * nothing, and does not know whether it has a thread of its own.
 */
import type { Random } from '@holdfast/protocol'
import { openChecksum } from '@holdfast/prover'
import type { Disk } from './disk.ts'
import type { DiskChoice } from './disk-choice.ts'
import type { Entry } from './record-entry.ts'
import { type FormerLife, placeOf, VolumeEngine } from './volume-engine.ts'
import { type Asked, detailOf, runGroup } from './volume-loop.ts'
import type { OpenedVolume } from './volume-ops.ts'
import type { VolumePaths } from './volume-paths.ts'
import type { EngineOptions } from './volume-state.ts'

/** What the thread is started with. */
export interface VolumeWorkerData {
  readonly paths: VolumePaths
  readonly identity: string
  readonly options: EngineOptions
  readonly known: ReadonlyMap<string, Entry>
  readonly deep: boolean
  /** The life of a thread before this one on the volume, in the same process. */
  readonly former?: FormerLife | undefined
  readonly disk: DiskChoice
}

/** The other side, as this one sees it. */
export interface VolumeHost {
  readonly disk: Disk
  readonly random: Random
  post(message: unknown): void
  /** The next questions that wait, if any. */
  next(): readonly Asked[] | undefined
}

/** Opens the volume; what is returned is to be called with every question. Undefined when it cannot be opened. */
export const serveVolume = (
  { paths, identity, options, known, deep, former }: VolumeWorkerData,
  { disk, random, post, next }: VolumeHost,
): ((first: readonly Asked[]) => void) | undefined => {
  try {
    const onTableMoved = (table: OpenedVolume['table']): void => post({ kind: 'table', table })
    const checksum = openChecksum()
    const input = { disk, paths, identity, options, random, checksum, known, deep, onTableMoved }
    const engine = VolumeEngine.open({ ...input, former })
    const opened: OpenedVolume = {
      table: engine.table.memory,
      reservations: [...engine.reservations.values()].map((reservation) => [
        reservation.name,
        reservation.header.commitment,
        placeOf(reservation),
      ]),
      notes: engine.notes,
    }
    post({ kind: 'opened', opened, report: engine.report() })
    return (first) =>
      runGroup(engine, first, {
        next,
        answer: (answers) => post({ kind: 'answers', answers, report: engine.report() }),
      })
  } catch (error) {
    post({ kind: 'failed', detail: detailOf(error) })
    return undefined
  }
}
