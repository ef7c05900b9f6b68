/**
 * The threads: a piscina pool with few tasks in flight, answers before bulk work, a bound on
 * operations, and cancellation by a shared flag that the workers read between tiles.
 *
 * Invariants: piscina's own abort is never used, because it kills the thread; `close` waits for
 * every admitted operation.
 */
import { HoldfastError, type HoldfastErrorDetail, invariant } from '@holdfast/protocol'
import { Piscina } from 'piscina'
import type { Task, TaskResult, TaskValue, WorkerData } from './tasks.ts'

export interface WorkerPoolOptions {
  readonly threads: number
  /** Name of the engine that every worker opens. */
  readonly engine: string
  /** Operations admitted at a time. */
  readonly operationsMax: number
  /** The module whose `run` the threads call. Default: `worker.ts`. */
  readonly entry?: URL
}

const WORKER = new URL('./worker.js', import.meta.url)
const ENTRY = new URL('./worker-entry.cjs', import.meta.url)

/** A task is pure: when its thread dies under it, it is done again. One that kills every thread is not. */
const TRIES = 3

/** One admitted operation: its flag, and the way to run tasks under it. */
export interface Operation {
  readonly cancel: Int32Array
  /** @throws HoldfastError `ABORTED`, or what the task failed with. */
  run(task: Task): Promise<TaskValue>
  /** @throws HoldfastError `ABORTED` once the caller's signal fired. */
  check(): void
}

/** An operation that its holder ends. */
export interface OpenOperation extends Operation {
  end(): void
}

interface Waiting {
  readonly start: () => void
}

/** Urgent tasks overtake bulk ones that have not started. */
export type Urgency = 'urgent' | 'bulk'

export class WorkerPool {
  readonly threads: number
  readonly #piscina: Piscina<Task, TaskResult>
  readonly #operationsMax: number
  readonly #inFlightMax: number
  readonly #waiting: Readonly<Record<Urgency, Waiting[]>> = { urgent: [], bulk: [] }
  readonly #active = new Set<Operation>()
  #onIdle: (() => void) | undefined
  #inFlight = 0
  #closed: Promise<void> | undefined

  constructor({ threads, engine, operationsMax, entry = WORKER }: WorkerPoolOptions) {
    this.threads = threads
    this.#operationsMax = operationsMax
    this.#inFlightMax = 2 * threads
    this.#piscina = new Piscina<Task, TaskResult>({
      filename: ENTRY.href,
      name: 'run',
      minThreads: 1,
      maxThreads: threads,
      idleTimeout: 60_000,
      workerData: { engine, entry: entry.href } satisfies WorkerData,
    })
  }

  /**
   * Admits an operation; `end` must follow. Aborting the signal stops its running tasks at the next
   * tile. @throws HoldfastError `QUEUE_FULL`, `SHUTTING_DOWN`, `ABORTED`.
   */
  open(urgency: Urgency, signal: AbortSignal | undefined): OpenOperation {
    const refusal = this.#refusal(signal)
    if (refusal !== undefined) throw new HoldfastError(refusal)
    const cancel = new Int32Array(new SharedArrayBuffer(4))
    const stop = (): void => {
      Atomics.store(cancel, 0, 1)
    }
    const check = (): void => {
      if (signal?.aborted) throw new HoldfastError({ code: 'ABORTED' })
    }
    const end = (): void => {
      stop()
      signal?.removeEventListener('abort', stop)
      this.#active.delete(operation)
      if (this.#active.size === 0) this.#onIdle?.()
    }
    const operation: OpenOperation = { cancel, check, end, run: (task) => this.#run(urgency, task) }
    signal?.addEventListener('abort', stop, { once: true })
    this.#active.add(operation)
    return operation
  }

  /** Runs an operation to its end. Rejects as `open` throws, or as `work` does. */
  async operate<T>(
    urgency: Urgency,
    signal: AbortSignal | undefined,
    work: (operation: Operation) => Promise<T>,
  ): Promise<T> {
    const operation = this.open(urgency, signal)
    try {
      return await work(operation)
    } finally {
      operation.end()
    }
  }

  /** Waits for admitted operations, then ends the threads. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      if (this.#active.size > 0) {
        await new Promise<void>((idle) => {
          this.#onIdle = idle
        })
      }
      await this.#piscina.destroy()
    })()
    return this.#closed
  }

  #refusal(signal: AbortSignal | undefined): HoldfastErrorDetail | undefined {
    if (this.#closed !== undefined) return { code: 'SHUTTING_DOWN' }
    if (signal?.aborted) return { code: 'ABORTED' }
    if (this.#active.size < this.#operationsMax) return undefined
    return { code: 'QUEUE_FULL', limit: this.#operationsMax }
  }

  async #run(urgency: Urgency, task: Task): Promise<TaskValue> {
    if (this.#inFlight >= this.#inFlightMax) {
      await new Promise<void>((start) => this.#waiting[urgency].push({ start }))
    } else {
      this.#inFlight++
    }
    try {
      const result = await this.#try(task)
      if (result.ok) return result.value
      throw new HoldfastError(result.detail)
    } finally {
      this.#next()
    }
  }

  /** @throws HoldfastError `INVARIANT` when thread after thread dies. */
  async #try(task: Task): Promise<TaskResult> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#piscina.run(task)
      } catch (cause) {
        if (tries < TRIES && Atomics.load(task.cancel, 0) === 0) continue
        const reason = cause instanceof Error ? cause.message : cause
        const sentence = `${tries} prover threads died under one task: ${reason}`
        throw new HoldfastError({ code: 'INVARIANT', sentence }, { cause })
      }
    }
  }

  /** Hands the freed place to whoever waits, urgent first. */
  #next(): void {
    const next = this.#waiting.urgent.shift() ?? this.#waiting.bulk.shift()
    if (next === undefined) this.#inFlight--
    else next.start()
    invariant(this.#inFlight >= 0, 'places are given back once')
  }
}
