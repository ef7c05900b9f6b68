/**
 * The frame workers of one volume: one thread for reads that somebody waits for, one for long runs
 * over whole payloads, so that a large commit never delays a range read. File access there is
 * synchronous on purpose: a hung disk blocks its own threads only, not libuv's shared pool.
 *
 * Invariants: at most `queueMax` jobs wait per lane (`QUEUE_FULL` beyond it); a thread that dies
 * fails its jobs and is replaced by the next one.
 */
import { Worker } from 'node:worker_threads'
import { HoldfastError } from '@holdfast/protocol'
import type { FrameResult, FrameTask } from './frame-task.ts'

export type FrameLane = 'read' | 'bulk'

export interface FramePoolOptions {
  /** Jobs that may wait in one lane. Default 256. */
  readonly queueMax?: number
}

interface Waiting {
  readonly resolve: (result: FrameResult) => void
  readonly reject: (error: unknown) => void
}

class Lane {
  readonly #waiting = new Map<number, Waiting>()
  readonly #queueMax: number
  #worker: Worker | undefined
  #nextId = 0

  constructor(queueMax: number) {
    this.#queueMax = queueMax
  }

  get depth(): number {
    return this.#waiting.size
  }

  run(task: FrameTask): Promise<FrameResult> {
    if (this.#waiting.size >= this.#queueMax) {
      return Promise.reject(new HoldfastError({ code: 'QUEUE_FULL', limit: this.#queueMax }))
    }
    this.#worker ??= this.#start()
    const id = this.#nextId++
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      worker.ref()
      worker.postMessage({ id, task })
    })
  }

  async close(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
    this.#failAll(new HoldfastError({ code: 'SHUTTING_DOWN' }))
  }

  #start(): Worker {
    const worker = new Worker(new URL('./frame-worker.js', import.meta.url))
    worker.unref()
    worker.on('message', ({ id, result }: { id: number; result: FrameResult }) => {
      this.#waiting.get(id)?.resolve(result)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) worker.unref()
    })
    worker.on('error', (error) => {
      if (this.#worker === worker) this.#worker = undefined
      this.#failAll(error)
    })
    return worker
  }

  #failAll(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

/** Threads start with their first job and do not keep an idle process alive. */
export class FramePool {
  readonly #lanes: Readonly<Record<FrameLane, Lane>>

  constructor(options: FramePoolOptions = {}) {
    const queueMax = options.queueMax ?? 256
    this.#lanes = { read: new Lane(queueMax), bulk: new Lane(queueMax) }
  }

  /** Jobs waiting or running in a lane. */
  depth(lane: FrameLane): number {
    return this.#lanes[lane].depth
  }

  /** @throws HoldfastError `QUEUE_FULL`, `SHUTTING_DOWN`. */
  run(lane: FrameLane, task: FrameTask): Promise<FrameResult> {
    return this.#lanes[lane].run(task)
  }

  /** Stops the threads; waiting jobs fail with `SHUTTING_DOWN`. May be called twice. */
  async close(): Promise<void> {
    await Promise.all([this.#lanes.read.close(), this.#lanes.bulk.close()])
  }
}
