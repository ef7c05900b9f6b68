/**
 * Thread entry of a volume: opens its engine, then does what it is asked, in batches. Decides
 * nothing. A module named in `diskModule` may take the place of the file system (tests of hung and
 * failing disks).
 */
import { randomBytes } from 'node:crypto'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Random } from '@holdfast/protocol'
import { openChecksum } from '@holdfast/prover'
import { type DiskChoice, loadDisk } from './disk-choice.ts'
import type { Entry } from './record-entry.ts'
import { placeOf, VolumeEngine } from './volume-engine.ts'
import { type Asked, detailOf, runBatch, takeBatch } from './volume-loop.ts'
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
  readonly disk: DiskChoice
}

const port = parentPort
if (port === null) throw new Error('volume-worker is started as a worker thread only')

const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

const serve = (engine: VolumeEngine): void => {
  const next = (): readonly Asked[] | undefined => receiveMessageOnPort(port)?.message
  port.on('message', (first: readonly Asked[]) => {
    runBatch(engine, takeBatch(first, next), (answers) =>
      port.postMessage({ kind: 'answers', answers, report: engine.report() }),
    )
  })
}

const open = async (): Promise<void> => {
  const { paths, identity, options, known, deep, disk: choice }: VolumeWorkerData = workerData
  try {
    const disk = await loadDisk(choice)
    const onTableMoved = (table: OpenedVolume['table']): void =>
      port.postMessage({ kind: 'table', table })
    const checksum = openChecksum()
    const input = { disk, paths, identity, options, random, checksum, known, deep, onTableMoved }
    const engine = VolumeEngine.open(input)
    const opened: OpenedVolume = {
      table: engine.table.memory,
      reservations: [...engine.reservations.values()].map((reservation) => [
        reservation.name,
        reservation.header.commitment,
        placeOf(reservation),
      ]),
      notes: engine.notes,
    }
    port.postMessage({ kind: 'opened', opened, report: engine.report() })
    serve(engine)
  } catch (error) {
    port.postMessage({ kind: 'failed', detail: detailOf(error) })
  }
}

await open()
