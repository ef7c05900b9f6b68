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
}

type Serve = (first: never, next: () => never | undefined) => void

class Thread implements ThreadPort {
  readonly #run: SimulatedRun
  readonly #questions: never[] = []
  #listener: ((message: never) => void) | undefined
  #serve: Serve | undefined
  #ended = false
  #busy = false

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

  onExit(): void {
    // It ends when it is told to.
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
    if (!this.#run.hasDisk) return
    void Promise.resolve().then(() => {
      if (!this.#ended && this.#run.alive) this.#listener?.(message as never)
    })
  }

  async #begin(begin: (post: (message: unknown) => void) => Serve | undefined): Promise<void> {
    await this.#run.pause()
    this.#serve = await this.#run.step(() => begin(this.#answer))
    await this.#work()
  }

  async #work(): Promise<void> {
    this.#busy = true
    while (this.#questions.length > 0 && !this.#ended) {
      await this.#run.pause()
      const first = this.#questions.shift()
      if (first === undefined) continue
      await this.#run.step(() => this.#serve?.(first, () => this.#questions.shift()))
    }
    this.#busy = false
  }
}

/** Threads that end with their run. */
export const simulatedThreads = ({ run, disk, random }: SimulatedThreadsOptions): StartThread => {
  const checksum = openChecksum()
  return (kind, data) =>
    new Thread(run, (post) => {
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
}
