/**
 * Thread entry of a volume (`serve-volume.ts`). A module named in the data's `disk` may take the place
 * of the file system (tests of hung and failing disks).
 */
import { randomBytes } from 'node:crypto'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Random } from '@holdfast/protocol'
import { loadDisk } from './disk-choice.ts'
import { serveVolume, type VolumeWorkerData } from './serve-volume.ts'
import { detailOf } from './volume-loop.ts'

const port = parentPort
if (port === null) throw new Error('volume-worker is started as a worker thread only')

const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

const data: VolumeWorkerData = workerData
const post = (message: unknown): void => port.postMessage(message)
const disk = await loadDisk(data.disk).catch((error: unknown) => {
  post({ kind: 'failed', detail: detailOf(error) })
})
if (disk) {
  const next = (): ReturnType<Parameters<typeof serveVolume>[1]['next']> =>
    receiveMessageOnPort(port)?.message
  const serve = serveVolume(data, { disk, random, post, next })
  if (serve !== undefined) port.on('message', serve)
}
