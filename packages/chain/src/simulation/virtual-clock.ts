/**
 * Time that passes only when nothing else can happen: sleepers wake in order, each after everything
 * that the one before caused has settled. A month takes seconds, and always the same way.
 */
import {
  type CallOptions,
  type Clock,
  HoldfastError,
  type Milliseconds,
  milliseconds,
} from '@holdfast/protocol'

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
}

export class VirtualClock implements Clock {
  #now: number
  #order = 0
  /** A binary heap by time, then by order of asking. */
  readonly #sleepers: Sleeper[] = []

  constructor(start: number) {
    this.#now = start
  }

  now(): Milliseconds {
    return milliseconds(this.#now)
  }

  sleep(duration: Milliseconds, { signal }: CallOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(new HoldfastError({ code: 'ABORTED' }))
      if (signal?.aborted === true) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      const wake = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      this.#push({ at: this.#now + Math.max(0, duration), order: this.#order++, wake })
    })
  }

  /** Lets time pass until `at`, or until the work is done. */
  async runUntil(at: number): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const next = this.#sleepers[0]
      if (next === undefined || next.at > at) break
      this.#pop()
      this.#now = Math.max(this.#now, next.at)
      next.wake()
    }
    this.#now = Math.max(this.#now, at)
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#sleepers
    let at = heap.push(sleeper) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if (!isBefore(heap[at], heap[up])) break
      swap(heap, at, up)
      at = up
    }
  }

  #pop(): void {
    const heap = this.#sleepers
    const last = heap.pop()
    if (heap.length === 0 || last === undefined) return
    heap[0] = last
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      let least = at
      if (isBefore(heap[left], heap[least])) least = left
      if (isBefore(heap[right], heap[least])) least = right
      if (least === at) return
      swap(heap, at, least)
      at = least
    }
  }
}

const isBefore = (a: Sleeper | undefined, b: Sleeper | undefined): boolean =>
  a !== undefined && b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order))

const swap = (heap: Sleeper[], a: number, b: number): void => {
  const [x, y] = [heap[a], heap[b]]
  if (x === undefined || y === undefined) return
  heap[a] = y
  heap[b] = x
}
