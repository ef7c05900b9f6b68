/**
 * What is going on in upload sessions right now: requests that send bytes, and listeners that wait
 * for news. In memory only; nothing here survives a restart, nor needs to.
 *
 * Invariant: two requests never write overlapping bytes of one session: the later one, whose sender
 * must believe the earlier one lost, stops it and waits for its end. A session is quiet (no request is
 * writing) before its place is sealed or given back.
 */
import { HoldfastError } from '@holdfast/protocol'
import { type ByteRange, touchesRange } from '../store/ranges.ts'

interface RunningPart {
  readonly range: ByteRange
  readonly stop: AbortController
  /** Resolves when it writes no more. */
  readonly ended: Promise<void>
}

class Active {
  readonly parts = new Set<RunningPart>()
  readonly stop = new AbortController()
  readonly listeners = new Set<() => void>()
  quiet: (() => void)[] = []
}

export interface ActiveSessionsOptions {
  /** Requests that may send at once, over all sessions. */
  readonly partsMax: () => number
}

export class ActiveSessions {
  readonly #options: ActiveSessionsOptions
  readonly #sessions = new Map<string, Active>()
  #parts = 0

  constructor(options: ActiveSessionsOptions) {
    this.#options = options
  }

  /** Requests sending right now. */
  get parts(): number {
    return this.#parts
  }

  /**
   * Runs a request that sends a part. One that sends the same bytes already is stopped first.
   * @throws HoldfastError `QUEUE_FULL`.
   */
  async sending<T>(
    session: string,
    part: ByteRange,
    send: (stop: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limit = this.#options.partsMax()
    if (this.#parts >= limit) throw new HoldfastError({ code: 'QUEUE_FULL', limit })
    this.#parts++
    const active = this.#of(session)
    const stop = new AbortController()
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const running: RunningPart = { range: part, stop, ended }
    try {
      const earlier = [...active.parts].filter(({ range }) => touchesRange([range], part))
      active.parts.add(running)
      for (const { stop: former } of earlier) former.abort()
      await Promise.all(earlier.map((former) => former.ended))
      return await send(AbortSignal.any([active.stop.signal, stop.signal]))
    } finally {
      this.#parts--
      end()
      active.parts.delete(running)
      if (active.parts.size === 0) for (const resolve of active.quiet.splice(0)) resolve()
      this.#forgetIdle(session, active)
    }
  }

  /** Stops the session's requests and resolves when none is writing any more. */
  async silence(session: string): Promise<void> {
    const active = this.#sessions.get(session)
    if (active === undefined) return
    active.stop.abort()
    await this.whenQuiet(session)
    this.changed(session)
  }

  /** Resolves when no request of the session is writing. */
  whenQuiet(session: string): Promise<void> {
    const active = this.#sessions.get(session)
    if (active === undefined || active.parts.size === 0) return Promise.resolve()
    return new Promise((resolve) => active.quiet.push(resolve))
  }

  /** Wakes whoever waits for news of the session. */
  changed(session: string): void {
    for (const wake of this.#sessions.get(session)?.listeners ?? []) wake()
  }

  /** Resolves at the next change, or when the signal fires. */
  nextChange(session: string, signal: AbortSignal): Promise<void> {
    const active = this.#of(session)
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        active.listeners.delete(wake)
        this.#forgetIdle(session, active)
        resolve()
      }
      active.listeners.add(wake)
      signal.addEventListener('abort', wake, { once: true })
      if (signal.aborted) wake()
    })
  }

  #of(session: string): Active {
    const known = this.#sessions.get(session)
    if (known !== undefined) return known
    const active = new Active()
    this.#sessions.set(session, active)
    return active
  }

  #forgetIdle(session: string, active: Active): void {
    if (active.parts.size > 0 || active.listeners.size > 0 || active.quiet.length > 0) return
    if (this.#sessions.get(session) === active) this.#sessions.delete(session)
  }
}
