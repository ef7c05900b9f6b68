/**
 * Thread entry of a frame worker: takes one job at a time, answers with its result, hands read
 * bytes over without copying. Decides nothing.
 */
import { parentPort } from 'node:worker_threads'
import { type FrameTask, runFrameTask } from './frame-task.ts'

const port = parentPort
if (port === null) throw new Error('frame-worker is started as a worker thread only')

port.on('message', ({ id, task }: { id: number; task: FrameTask }) => {
  const result = runFrameTask(task)
  const moved = result.ok && result.bytes !== undefined ? [result.bytes.buffer] : []
  port.postMessage({ id, result }, moved)
})
