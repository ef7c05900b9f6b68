/**
 * Thread entry of a reading thread: takes one job at a time, answers with its result, hands read bytes
 * over without copying. Decides nothing.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { openChecksum } from '@holdfast/prover'
import { loadDisk } from './disk-choice.ts'
import { type FrameTask, runFrameTask } from './frame-task.ts'

const port = parentPort
if (port === null) throw new Error('frame-worker is started as a worker thread only')

const tools = { disk: await loadDisk(workerData), checksum: openChecksum() }

port.on('message', ({ id, task }: { id: number; task: FrameTask }) => {
  const result = runFrameTask(tools, task)
  const moved = result.ok && result.bytes !== undefined ? [result.bytes.buffer] : []
  port.postMessage({ id, result }, moved)
})
