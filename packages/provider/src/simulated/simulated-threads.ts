/**
 * The threads of a volume without threads: the same work on the same messages, each taken up after a
 * while of simulated time, so that questions gather into batches as they do on a real disk.
 */
import type { Random } from '@holdfast/protocol'
import { openChecksum } from '@holdfast/prover'
import type { Disk } from '../store/disk.ts'
import { type FrameTask, runFrameTask } from '../store/frame-task.ts'
import { serveVolume, type VolumeWorkerData } from '../store/serve-volume.ts'
import type { StartThread, ThreadPort } from '../store/thread-port.ts'
import type { Asked } from '../store/volume-loop.ts'
import type { SimulatedRun } from './simulated-run.ts'

export interface SimulatedThreadsOptions {
  readonly run: SimulatedRun
  readonly disk: Disk
  readonly random: Random
  /** Told of every thread that is started. */
  readonly onThread?: (thread: MortalThread) => void
}

/** A thread that can die. */
export interface MortalThread {
  readonly alive: boolean
  /** It dies now, or when it has done what it is asked next, of which nobody hears. */
  die(when: 'now' | 'unheard'): void
}

type Serve = (first: never, next: () => never | undefined) => void

class Thread implements ThreadPort, MortalThread {
  readonly #run: SimulatedRun
  readonly #questions: never[] = []
  #listener: ((message: never) => void) | undefined
  #serve: Serve | undefined
  #onExit: (() => void) | undefined
  #ended = false
  #busy = false
  #unheard = false

  constructor(run: SimulatedRun, begin: (post: (message: unknown) => void) => Serve | undefined) {
    this.#run = run
    this.#busy = true
    void this.#begin(begin)
  }

  onMessage(listener: (message: never) => void): void {
    this.#listener = listener
  }

  onError(): void {
    // What it does never throws.
  }

  onExit(listener: () => void): void {
    this.#onExit = listener
  }

  get alive(): boolean {
    return !this.#ended && this.#run.alive
  }

  die(when: 'now' | 'unheard'): void {
    if (!this.alive) return
    this.#unheard = true
    if (when === 'unheard') return
    this.#ended = true
    void Promise.resolve().then(() => this.#onExit?.())
  }

  hold(): void {
    // There is no process to keep alive.
  }

  post(message: unknown): void {
    this.#questions.push(message as never)
    if (!this.#busy) void this.#work()
  }

  soon(work: () => void): void {
    void Promise.resolve().then(work)
  }

  async end(): Promise<void> {
    this.#ended = true
  }

  readonly #answer = (message: unknown): void => {
    // What it would say after its disk began to hang it never says.
    if (!this.#run.hasDisk || this.#unheard) return
    void Promise.resolve().then(() => {
      if (!this.#ended && this.#run.alive) this.#listener?.(message as never)
    })
  }

  async #begin(begin: (post: (message: unknown) => void) => Serve | undefined): Promise<void> {
    await this.#run.pause()
    this.#serve = await this.#run.step(() => begin(this.#answer))
    if (this.#unheard) this.die('now')
    await this.#work()
  }

  async #work(): Promise<void> {
    this.#busy = true
    while (this.#questions.length > 0 && !this.#ended) {
      await this.#run.pause()
      const first = this.#questions.shift()
      if (first === undefined) continue
      if (this.#ended) break
      await this.#run.step(() => this.#serve?.(first, () => this.#questions.shift()))
      if (this.#unheard) this.die('now')
    }
    this.#busy = false
  }
}

/** Threads that end with their run. */
export const simulatedThreads = (options: SimulatedThreadsOptions): StartThread => {
  const { run, disk, random, onThread } = options
  const checksum = openChecksum()
  return (kind, data) => {
    const thread = new Thread(run, (post) => {
      if (kind === 'frames') {
        return ({ id, task }: { readonly id: number; readonly task: FrameTask }) =>
          post({ id, result: runFrameTask({ disk, checksum }, task) })
      }
      let next: () => readonly Asked[] | undefined = () => undefined
      const host = { disk, random, post, next: () => next() }
      const serve = serveVolume(data as VolumeWorkerData, host)
      if (serve === undefined) return undefined
      return (first: readonly Asked[], others) => {
        next = others
        serve(first)
      }
    })
    onThread?.(thread)
    return thread
  }
}
