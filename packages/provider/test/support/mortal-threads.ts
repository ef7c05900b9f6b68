/** Real threads of volumes that a test can end under their work, as an error or want of memory would. */
import type { VolumeWorkerData } from '../../src/store/serve-volume.ts'
import { type StorePlatform, systemStore } from '../../src/store/store-platform.ts'
import { type ThreadKind, type ThreadPort, workersWithin } from '../../src/store/thread-port.ts'

const nothing = (): void => undefined

const STUCK: ThreadPort = {
  ...{ onMessage: nothing, onError: nothing, onExit: nothing },
  ...{ post: nothing, soon: nothing, hold: nothing },
  end: () => new Promise(nothing),
}

interface Started {
  readonly kind: ThreadKind
  /** Of a volume's own thread. */
  readonly directory: string | undefined
  readonly port: ThreadPort
}

export class MortalThreads {
  readonly #started: Started[] = []
  /** Threads of volumes that end before they have opened anything. */
  stillborn = 0
  /** Threads of volumes neither answer nor end: their disk hangs when they open it. */
  stuck = false
  /** The heap of threads of volumes; as much as they like by default. */
  memoryMb: number | undefined

  /** A platform whose threads can be ended. */
  readonly platform: StorePlatform = {
    ...systemStore,
    startThread: (kind, data) => {
      const maxOldGenerationSizeMb = kind === 'volume' ? this.memoryMb : undefined
      const limits = maxOldGenerationSizeMb === undefined ? {} : { maxOldGenerationSizeMb }
      const hangs = kind === 'volume' && this.stuck
      const port = hangs ? STUCK : workersWithin(limits)(kind, data)
      const directory = kind === 'volume' ? (data as VolumeWorkerData).paths.root : undefined
      this.#started.push({ kind, directory, port })
      if (kind === 'volume' && this.stillborn > 0) {
        this.stillborn--
        void port.end()
      }
      return port
    },
  }

  /** How many of a kind were started. */
  started(kind: ThreadKind): number {
    return this.#started.filter((thread) => thread.kind === kind).length
  }

  /** Ends the thread of a volume here and now, and nobody is told but by its end. */
  killVolume(directory: string): void {
    void this.#started.findLast((thread) => thread.directory === directory)?.port.end()
  }

  /** Ends every thread that reads. */
  killReaders(): void {
    for (const { kind, port } of this.#started) if (kind === 'frames') void port.end()
  }
}
