/**
 * A thread of a volume as the main side sees it: messages in, messages out, an end. A port, so that a
 * simulation can run the same work in its own thread.
 */
import { type ResourceLimits, Worker } from 'node:worker_threads'

export interface ThreadPort {
  onMessage(listener: (message: never) => void): void
  onError(listener: (error: unknown) => void): void
  onExit(listener: () => void): void
  post(message: unknown): void
  /** Does something when this turn is over: what was asked in it is posted together. */
  soon(work: () => void): void
  /** Whether it keeps an idle process alive. */
  hold(keepsAlive: boolean): void
  end(): Promise<void>
}

/** `volume` writes and keeps the table (`serve-volume.ts`), `frames` reads (`frame-task.ts`). */
export type ThreadKind = 'volume' | 'frames'

export type StartThread = (kind: ThreadKind, data: unknown) => ThreadPort

const ENTRIES: Readonly<Record<ThreadKind, URL>> = {
  volume: new URL('./volume-worker.js', import.meta.url),
  frames: new URL('./frame-worker.js', import.meta.url),
}

const portOf = (worker: Worker): ThreadPort => ({
  onMessage: (listener) => worker.on('message', (message) => listener(message as never)),
  onError: (listener) => worker.on('error', listener),
  onExit: (listener) => worker.on('exit', () => listener()),
  post: (message) => worker.postMessage(message),
  soon: (work) => {
    setImmediate(work)
  },
  hold: (keepsAlive) => (keepsAlive ? worker.ref() : worker.unref()),
  end: async () => {
    await worker.terminate()
  },
})

/** Threads of the system that may take so much memory; one that wants more dies, and only it. */
export const workersWithin =
  (resourceLimits: ResourceLimits): StartThread =>
  (kind, workerData) =>
    portOf(new Worker(ENTRIES[kind], { workerData, resourceLimits }))

/** Threads of the system. */
export const startWorker: StartThread = workersWithin({})
