/**
 * The main side of a volume's thread: asks, waits, notices when no answer comes.
 *
 * Invariants: a question is answered exactly once; a thread that has not answered for `hungAfterMs`
 * at two looks in a row is called hung, its questions are refused with `VOLUME_UNAVAILABLE` and so is
 * every new one, until it answers again. Two looks, because after this process itself was stopped
 * the answers are there but not yet read at the first.
 */
import { type Clock, HoldfastError } from '@holdfast/protocol'
import type { TableMemory } from './record-table.ts'
import type { VolumeWorkerData } from './serve-volume.ts'
import type { StartThread, ThreadPort } from './thread-port.ts'
import type { Answered, Asked } from './volume-loop.ts'
import type {
  OpenedVolume,
  OpKind,
  OpOutcome,
  OpValues,
  VolumeOp,
  VolumeReport,
} from './volume-ops.ts'

export interface ThreadEvents {
  readonly onReport: (report: VolumeReport) => void
  readonly onTable: (memory: TableMemory) => void
  /** How long an operation took that had to be durable. */
  readonly onDurable: (milliseconds: number) => void
  /** It ended without being told to: what it was asked and has not answered is refused. */
  readonly onDied: (reason: string) => void
}

/** What a thread found when it opened its volume. */
export interface Opened extends OpenedVolume {
  readonly report: VolumeReport
}

interface Waiting {
  readonly kind: OpKind
  readonly since: number
  readonly settle: (outcome: OpOutcome) => void
}

type Message =
  | { readonly kind: 'opened'; readonly opened: OpenedVolume; readonly report: VolumeReport }
  | { readonly kind: 'failed'; readonly detail: HoldfastError['detail'] }
  | { readonly kind: 'table'; readonly table: TableMemory }
  | {
      readonly kind: 'answers'
      readonly answers: readonly Answered[]
      readonly report: VolumeReport
    }

const QUEUE_MAX = 4096
/** A write of so many bytes does not wait for others. */
const AT_ONCE_MIN = 65_536

export class VolumeThread {
  readonly #path: string
  readonly #clock: Pick<Clock, 'now'>
  readonly #events: ThreadEvents
  readonly #thread: ThreadPort
  readonly #waiting = new Map<number, Waiting>()
  readonly #outbox: Asked[] = []
  readonly #opened: Promise<Opened>
  #open: { resolve: (opened: Opened) => void; reject: (error: unknown) => void } | undefined
  #nextId = 0
  #suspect: number | undefined
  #hung = false
  /** Why it takes no more questions. */
  #ended: string | undefined
  #isOpen = false
  #died = false

  constructor(
    data: VolumeWorkerData,
    { clock, start }: { readonly clock: Pick<Clock, 'now'>; readonly start: StartThread },
    events: ThreadEvents,
  ) {
    this.#path = data.paths.root
    this.#clock = clock
    this.#events = events
    this.#opened = new Promise((resolve, reject) => {
      this.#open = { resolve, reject }
    })
    this.#thread = start('volume', data)
    this.#thread.onMessage((message: Message) => this.#take(message))
    this.#thread.onError((error) => this.#end(String(error)))
    this.#thread.onExit(() => this.#end('its thread has ended'))
  }

  /** Resolves when the volume has recovered. @throws HoldfastError what opening throws. */
  opened(): Promise<Opened> {
    return this.#opened
  }

  get hung(): boolean {
    return this.#hung
  }

  /** Whether it ended by itself, or has ended as it was told to. */
  get died(): boolean {
    return this.#died
  }

  /** Questions without an answer. */
  get depth(): number {
    return this.#waiting.size
  }

  /** @throws HoldfastError what the operation throws; `VOLUME_UNAVAILABLE`, `QUEUE_FULL`. */
  async ask<K extends OpKind>(op: Extract<VolumeOp, { kind: K }>): Promise<OpValues[K]> {
    if (this.#ended !== undefined) throw this.unavailable(this.#ended)
    if (this.#hung) throw this.unavailable('its disk does not answer')
    if (this.#waiting.size >= QUEUE_MAX) {
      throw new HoldfastError({ code: 'QUEUE_FULL', limit: QUEUE_MAX })
    }
    const id = this.#nextId++
    const outcome = await new Promise<OpOutcome>((settle) => {
      this.#waiting.set(id, { kind: op.kind, since: this.#clock.now(), settle })
      this.#send({ id, op })
    })
    if (!outcome.ok) throw new HoldfastError(outcome.detail)
    return outcome.value as OpValues[K]
  }

  /** Looks whether the oldest question has waited too long. To be called every now and then. */
  watch(hungAfterMs: number): void {
    const [oldest] = this.#waiting
    if (oldest === undefined || this.#hung) return
    const [id, { since }] = oldest
    if (this.#clock.now() - since < hungAfterMs) return
    if (this.#suspect !== id) {
      this.#suspect = id
      return
    }
    this.#hung = true
    for (const { settle } of this.#waiting.values()) {
      settle({ ok: false, detail: this.unavailable('its disk does not answer').detail })
    }
  }

  unavailable(reason: string): HoldfastError {
    return new HoldfastError({ code: 'VOLUME_UNAVAILABLE', path: this.#path, reason })
  }

  /** Stops the thread, and resolves when it has ended. One that hangs in the kernel is left behind. */
  async close(): Promise<void> {
    this.#ended ??= 'it is closed'
    const ended = this.#thread.end()
    if (this.#hung && !this.#died) this.leave()
    else await ended
  }

  /** Lets the process end without it. */
  leave(): void {
    this.#thread.hold(false)
  }

  /**
   * What is asked in one turn goes out together, so that it is made durable together. Many bytes go
   * at once: they are written while the next ones are being copied.
   */
  #send(asked: Asked): void {
    this.#outbox.push(asked)
    const { op } = asked
    if (op.kind === 'write' && op.data.length >= AT_ONCE_MIN) this.#flush()
    else if (this.#outbox.length === 1) this.#thread.soon(() => this.#flush())
  }

  #flush(): void {
    if (this.#outbox.length > 0) this.#thread.post(this.#outbox.splice(0))
  }

  #take(message: Message): void {
    switch (message.kind) {
      case 'opened':
        this.#isOpen = true
        this.#open?.resolve({ ...message.opened, report: message.report })
        break
      case 'failed':
        this.#open?.reject(new HoldfastError(message.detail))
        break
      case 'table':
        // While it opens the volume its table is not whole.
        if (this.#isOpen) this.#events.onTable(message.table)
        break
      case 'answers':
        this.#hung = false
        this.#events.onReport(message.report)
        for (const answered of message.answers) this.#settle(answered)
    }
  }

  #settle({ id, outcome }: Answered): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (waiting === undefined) return
    waiting.settle(outcome)
    if (waiting.kind === 'sync' || waiting.kind === 'seal') {
      this.#events.onDurable(this.#clock.now() - waiting.since)
    }
  }

  #end(reason: string): void {
    if (this.#died) return
    this.#died = true
    const asTold = this.#ended !== undefined
    this.#ended ??= reason
    const error = this.unavailable(reason)
    this.#open?.reject(error)
    for (const { settle } of this.#waiting.values()) settle({ ok: false, detail: error.detail })
    this.#waiting.clear()
    if (!asTold) this.#events.onDied(reason)
  }
}
