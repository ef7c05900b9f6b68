/**
 * Makes the index of one payload: its checked bytes go to a thread that walks, hashes and sorts. What
 * the thread does not survive is an error here and nothing else.
 */
import { Worker } from 'node:worker_threads'
import { type CallOptions, HoldfastError } from '@holdfast/protocol'
import type { FromIndexWorker, IndexTask, ToIndexWorker } from './index-worker.ts'

/** More than it can need: a run, its sorted copy, a section, the merge's buffers. */
const WORKER_MEMORY_MIB = 128

/** One message of the thread after the other; rejects when it dies. */
class WorkerTalk {
  readonly #worker: Worker
  #next: { resolve(message: FromIndexWorker): void; reject(error: unknown): void } | undefined
  #failure: unknown

  constructor(task: IndexTask) {
    const resourceLimits = { maxOldGenerationSizeMb: WORKER_MEMORY_MIB }
    this.#worker = new Worker(new URL('./index-worker.js', import.meta.url), {
      workerData: task,
      resourceLimits,
    })
    this.#worker.on('message', (message: FromIndexWorker) => this.#next?.resolve(message))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the index thread ended')))
  }

  ask(message: ToIndexWorker): Promise<FromIndexWorker> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#next = { resolve, reject }
      const moved = message.kind === 'piece' ? movable(message.bytes) : []
      this.#worker.postMessage(message, moved)
    })
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#next?.reject(this.#failure)
  }
}

/** A buffer that is all of its memory can be handed over; others are copied. */
const movable = ({ buffer, byteLength }: Uint8Array): ArrayBuffer[] =>
  buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []

/** Returns how many blocks are indexed. @throws HoldfastError `ABORTED`, and what reading throws. */
export const buildIndex = async (
  task: IndexTask,
  payload: AsyncIterable<Uint8Array>,
  { signal }: CallOptions = {},
): Promise<number> => {
  const talk = new WorkerTalk(task)
  try {
    for await (const bytes of payload) {
      if (signal?.aborted === true) throw new HoldfastError({ code: 'ABORTED' })
      const answer = await talk.ask({ kind: 'piece', bytes })
      if (answer.kind === 'ready' && answer.isOver) break
    }
    const done = await talk.ask({ kind: 'end' })
    return done.kind === 'done' ? done.entries : 0
  } finally {
    await talk.end()
  }
}
