/**
 * The thread of a volume for as long as the volume is open: when it dies (an error nobody caught, no
 * memory, an end from outside), another one takes its place and recovers the volume as a restart of the
 * node would. Tries go on for ever, at growing pauses: whoever waits for a person misses proofs.
 *
 * Invariants: never two threads on one volume: the next one starts when the former has ended for good;
 * what was asked of one is never asked of another; each death ends a life, and who names a life is
 * answered in that life only. A thread that hangs is left alone: its disk may still work for it.
 */
import { type Clock, HoldfastError, type Logger, milliseconds } from '@holdfast/protocol'
import type { VolumeWorkerData } from './serve-volume.ts'
import type { StartThread } from './thread-port.ts'
import type { FormerLife } from './volume-engine.ts'
import type { OpKind, OpValues, VolumeOp } from './volume-ops.ts'
import { type Opened, type ThreadEvents, VolumeThread } from './volume-thread.ts'

export interface KeeperDependencies {
  readonly logger: Logger
  readonly clock: Clock
  readonly start: StartThread
}

export interface KeptThread {
  readonly directory: string
  /** What the next thread is started with, after a former one or as the first. */
  readonly prepare: (former: FormerLife | undefined) => Promise<VolumeWorkerData>
  /** Before the first, second … try within an hour; the last one holds for all that follow. */
  readonly pausesMs?: readonly number[]
}

/** Whoever the thread works for. */
export interface KeeperEvents extends Omit<ThreadEvents, 'onDied'> {
  /** Another thread has opened the volume, and is asked nothing before this returns but by it. */
  readonly onRevived: (opened: Opened) => void
  /** The volume cannot be opened again: it is not there. */
  readonly onGone: (reason: string) => void
}

/** How often the thread of a volume died while the volume was open. */
export interface Deaths {
  readonly count: number
  /** Those of the last hour, and tries to replace them that failed. */
  readonly lately: number
  /** Why the last one died; undefined when none did. */
  readonly reason: string | undefined
}

const HOUR_MS = 3_600_000
const PATIENCE_MS = 15_000
const PAUSES_MS = [0, 1_000, 5_000, 30_000, 60_000] as const

export class ThreadKeeper {
  readonly #dependencies: KeeperDependencies
  readonly #kept: KeptThread
  /** The last one that was started. */
  #thread: VolumeThread | undefined
  /** The one that can be asked. */
  #up: VolumeThread | undefined
  #life = 1
  #count = 0
  #reason: string | undefined
  #lately: readonly number[] = []
  #nextAt = 0
  #patienceMs = PATIENCE_MS
  #reviving: Promise<void> | undefined
  #closed = false
  #events: KeeperEvents | undefined
  #readOnly: string | undefined

  private constructor(dependencies: KeeperDependencies, kept: KeptThread) {
    this.#dependencies = dependencies
    this.#kept = kept
  }

  /** Starts the first thread. @throws HoldfastError what opening throws; then none is left. */
  static async open(
    dependencies: KeeperDependencies,
    kept: KeptThread,
  ): Promise<{ readonly keeper: ThreadKeeper; readonly opened: Opened }> {
    const keeper = new ThreadKeeper(dependencies, kept)
    try {
      return { keeper, opened: await keeper.#begin() }
    } catch (error) {
      await keeper.close()
      throw error
    }
  }

  /** Says who is to hear of it; to be called in the turn in which it was opened. */
  tell(events: KeeperEvents): void {
    this.#events = events
  }

  get hung(): boolean {
    return this.#up?.hung ?? false
  }

  /** Questions without an answer. */
  get depth(): number {
    return this.#up?.depth ?? 0
  }

  /** Ends with each death: what was written in one is made durable by a sync of the same one. */
  get life(): number {
    return this.#life
  }

  /** Why nothing can be asked until the next thread has opened the volume; undefined while one is up. */
  get down(): string | undefined {
    return this.#up === undefined
      ? `its thread died and is started again: ${this.#reason}`
      : undefined
  }

  get deaths(): Deaths {
    const since = this.#dependencies.clock.now() - HOUR_MS
    const lately = this.#lately.filter((at) => at > since).length
    return { count: this.#count, lately, reason: this.#reason }
  }

  /**
   * @param life the one in which it has to be done, when it rests on something done before.
   * @throws HoldfastError what the operation throws; `VOLUME_UNAVAILABLE`, `QUEUE_FULL`.
   */
  async ask<K extends OpKind>(
    op: Extract<VolumeOp, { kind: K }>,
    life: number = this.#life,
  ): Promise<OpValues[K]> {
    const thread = this.#up
    if (thread === undefined) throw this.unavailable(this.down ?? 'it is closed')
    if (life !== this.#life) throw this.unavailable('its thread died meanwhile: send it again')
    return thread.ask(op)
  }

  /** Looks after the thread. To be called every now and then. */
  watch(hungAfterMs: number): void {
    this.#patienceMs = hungAfterMs
    this.#up?.watch(hungAfterMs)
    this.#reviveIfDue()
  }

  unavailable(reason: string): HoldfastError {
    return new HoldfastError({ code: 'VOLUME_UNAVAILABLE', path: this.#kept.directory, reason })
  }

  /** Stops the thread, or the try to start one: that is left behind when its disk does not answer. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#reviving === undefined) return this.#thread?.close()
    const done = new AbortController()
    const patience = this.#dependencies.clock
      .sleep(milliseconds(this.#patienceMs), { signal: done.signal })
      .then(
        () => this.#thread?.leave(),
        () => undefined,
      )
    await Promise.race([this.#endTry(), patience])
    done.abort()
  }

  async #endTry(): Promise<void> {
    await this.#thread?.close()
    await this.#reviving
    await this.#thread?.close()
  }

  async #begin(former?: FormerLife): Promise<Opened> {
    const { clock, start } = this.#dependencies
    const data = await this.#kept.prepare(former)
    if (this.#closed) throw this.unavailable('it is closed')
    const thread = new VolumeThread(
      data,
      { clock, start },
      {
        onReport: (report) => {
          this.#readOnly = report.readOnly
          this.#events?.onReport(report)
        },
        onTable: (memory) => this.#events?.onTable(memory),
        onDurable: (ms) => this.#events?.onDurable(ms),
        onDied: (reason) => {
          if (this.#up === thread) this.#fell(reason)
        },
      },
    )
    this.#thread = thread
    const opened = await thread.opened()
    this.#readOnly = opened.report.readOnly
    this.#up = thread
    return opened
  }

  #fell(reason: string): void {
    this.#up = undefined
    this.#life++
    this.#count++
    this.#note(reason)
    const fields = { path: this.#kept.directory, reason, deaths: this.#count }
    this.#dependencies.logger.error('thread of a volume died: it is started again', fields)
    this.#reviveIfDue()
  }

  #note(reason: string): void {
    const now = this.#dependencies.clock.now()
    this.#reason = reason
    this.#lately = [...this.#lately.filter((at) => at > now - HOUR_MS), now]
    const { pausesMs = PAUSES_MS } = this.#kept
    this.#nextAt = now + (pausesMs[this.#lately.length - 1] ?? pausesMs.at(-1) ?? 0)
  }

  #reviveIfDue(): void {
    const busy = this.#up !== undefined || this.#reviving !== undefined || this.#closed
    if (busy || this.#dependencies.clock.now() < this.#nextAt) return
    this.#reviving = this.#revive().finally(() => {
      this.#reviving = undefined
    })
  }

  async #revive(): Promise<void> {
    const { logger, clock } = this.#dependencies
    const { directory: path } = this.#kept
    const since = clock.now()
    await this.#thread?.close()
    try {
      const opened = await this.#begin({ readOnly: this.#readOnly })
      this.#events?.onRevived(opened)
      const fields = { path, after_ms: clock.now() - since, uploads: opened.reservations.length }
      logger.warn('thread of a volume is back', fields)
    } catch (error) {
      if (this.#closed) return
      const reason = error instanceof Error ? error.message : String(error)
      this.#up = undefined
      if (this.#thread?.died === false && HoldfastError.is(error, 'VOLUME_UNAVAILABLE')) {
        this.#events?.onGone(reason)
      }
      await this.#thread?.close()
      this.#note(reason)
      logger.error('thread of a volume cannot be started again: tried later', { path, reason })
    }
  }
}
