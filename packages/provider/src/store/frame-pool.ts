/**
 * The frame workers of one volume: one thread for reads that somebody waits for, one for long runs
 * over whole payloads, so that a large commit never delays a range read. File access there is
 * synchronous on purpose: a hung disk blocks its own threads only, not libuv's shared pool.
 *
 * Invariants: at most `queueMax` jobs wait per lane (`QUEUE_FULL` beyond it); a thread that dies
 * is replaced by another, which does its jobs again: up to three threads for one job.
 */
import { HoldfastError } from '@holdfast/protocol'
import type { DiskChoice } from './disk-choice.ts'
import type { FrameResult, FrameTask } from './frame-task.ts'
import { type StartThread, startWorker, type ThreadPort } from './thread-port.ts'

export type FrameLane = 'read' | 'bulk'

export interface FramePoolOptions {
  /** Jobs that may wait in one lane. Default 256. */
  readonly queueMax?: number
  readonly disk?: DiskChoice
  /** Default: threads of the system. */
  readonly start?: StartThread
}

/** Threads that may die under a job. */
const TRIES = 3

interface Waiting {
  readonly task: FrameTask
  /** Threads it was given to. */
  tries: number
  /** When it became the oldest job, as far as `watch` has looked. */
  seen: number | undefined
  readonly resolve: (result: FrameResult) => void
  readonly reject: (error: unknown) => void
}

class Lane {
  readonly #waiting = new Map<number, Waiting>()
  readonly #queueMax: number
  readonly #disk: DiskChoice
  readonly #start: StartThread
  #thread: ThreadPort | undefined
  #nextId = 0
  #hung = false

  constructor(queueMax: number, disk: DiskChoice, start: StartThread) {
    this.#queueMax = queueMax
    this.#disk = disk
    this.#start = start
  }

  get depth(): number {
    return this.#waiting.size
  }

  get hung(): boolean {
    return this.#hung
  }

  /** Looks whether the job in hand takes too long; then all are refused until it is done. */
  watch(hungAfterMs: number, now: number): void {
    const [oldest] = this.#waiting.values()
    if (oldest === undefined || this.#hung) return
    oldest.seen ??= now
    if (now - oldest.seen < hungAfterMs) return
    this.#hung = true
    for (const { reject } of this.#waiting.values()) reject(doesNotAnswer())
  }

  run(task: FrameTask): Promise<FrameResult> {
    if (this.#hung) return Promise.reject(doesNotAnswer())
    if (this.#waiting.size >= this.#queueMax) {
      return Promise.reject(new HoldfastError({ code: 'QUEUE_FULL', limit: this.#queueMax }))
    }
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const waiting = { task, tries: 0, seen: undefined, resolve, reject }
      this.#waiting.set(id, waiting)
      this.#give(id, waiting)
    })
  }

  async close(): Promise<void> {
    const thread = this.#thread
    this.#thread = undefined
    const ended = thread?.end()
    if (!this.#hung) await ended
    this.#failAll(new HoldfastError({ code: 'SHUTTING_DOWN' }))
  }

  #begin(): ThreadPort {
    const thread = this.#start('frames', this.#disk)
    thread.hold(false)
    thread.onMessage(({ id, result }: { id: number; result: FrameResult }) => {
      this.#hung = false
      this.#waiting.get(id)?.resolve(result)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) thread.hold(false)
    })
    let reason = 'it has ended'
    thread.onError((error) => {
      reason = String(error)
    })
    thread.onExit(() => this.#died(thread, reason))
    return thread
  }

  #give(id: number, waiting: Waiting): void {
    this.#thread ??= this.#begin()
    waiting.tries++
    this.#thread.hold(true)
    this.#thread.post({ id, task: waiting.task })
  }

  /** What it was given is given to another one, unless it is what kills them. */
  #died(thread: ThreadPort, reason: string): void {
    if (this.#thread !== thread) return
    this.#thread = undefined
    // What it was too slow for has been refused.
    if (this.#hung) this.#waiting.clear()
    this.#hung = false
    for (const [id, waiting] of this.#waiting) {
      waiting.seen = undefined
      if (waiting.tries < TRIES) {
        this.#give(id, waiting)
        continue
      }
      this.#waiting.delete(id)
      waiting.reject(unavailable(`its reading thread died: ${reason}`))
    }
  }

  #failAll(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

const unavailable = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'VOLUME_UNAVAILABLE', path: '', reason })

const doesNotAnswer = (): HoldfastError => unavailable('its disk does not answer')

/** Threads start with their first job and do not keep an idle process alive. */
export class FramePool {
  readonly #lanes: Readonly<Record<FrameLane, Lane>>

  constructor(options: FramePoolOptions = {}) {
    const { queueMax = 256, disk = {}, start = startWorker } = options
    this.#lanes = {
      read: new Lane(queueMax, disk, start),
      bulk: new Lane(queueMax, disk, start),
    }
  }

  /** Jobs waiting or running in a lane. */
  depth(lane: FrameLane): number {
    return this.#lanes[lane].depth
  }

  /** Whether a thread has not answered for too long. */
  get hung(): boolean {
    return this.#lanes.read.hung || this.#lanes.bulk.hung
  }

  /** To be called every now and then. */
  watch(hungAfterMs: number, now: number): void {
    this.#lanes.read.watch(hungAfterMs, now)
    this.#lanes.bulk.watch(hungAfterMs, now)
  }

  /** @throws HoldfastError `QUEUE_FULL`, `SHUTTING_DOWN`, `VOLUME_UNAVAILABLE`. */
  run(lane: FrameLane, task: FrameTask): Promise<FrameResult> {
    return this.#lanes[lane].run(task)
  }

  /** Stops the threads; waiting jobs fail with `SHUTTING_DOWN`. May be called twice. */
  async close(): Promise<void> {
    await Promise.all([this.#lanes.read.close(), this.#lanes.bulk.close()])
  }
}
