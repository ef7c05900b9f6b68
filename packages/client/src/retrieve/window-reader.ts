/**
 * Turns many small reads into few requests: each request fetches a window, windows grow while the
 * reading is sequential, and the next one is fetched ahead. Memory is bounded by the windows kept.
 */
import type { CallOptions } from '@holdfast/protocol'
import type { RangeSource } from './range-source.ts'

interface Window {
  readonly start: number
  readonly end: number
  readonly data: Promise<Uint8Array>
}

const WINDOW_MIN: number = 128 * 1024
const WINDOW_MAX: number = 8 * 1024 * 1024
/** From this size on the reading counts as a stream, and the next window is fetched ahead. */
const AHEAD_FROM: number = 1024 * 1024
const WINDOWS_KEPT = 4

export class WindowReader {
  readonly #source: RangeSource
  readonly #options: CallOptions
  /** Most recently used last. */
  #windows: Window[] = []
  /** Where the last fetched window ends: a miss there is sequential. */
  #edge = -1
  #size = WINDOW_MIN

  constructor(source: RangeSource, options: CallOptions = {}) {
    this.#source = source
    this.#options = options
  }

  get length(): number {
    return this.#source.length
  }

  /** The bytes start <= i < end, cut at the payload's end. May be a view into a kept window. */
  async read(start: number, end: number): Promise<Uint8Array> {
    const stop = Math.min(end, this.#source.length)
    const first = this.#at(start, stop)
    const data = await first.data
    this.#readAhead(first)
    if (stop <= first.end) return data.subarray(start - first.start, stop - first.start)
    const out = new Uint8Array(stop - start)
    const head = data.subarray(start - first.start)
    out.set(head)
    out.set(await this.read(first.end, stop), head.length)
    return out
  }

  #at(position: number, end: number): Window {
    const known = this.#windows.find(({ start, end }) => start <= position && position < end)
    if (known === undefined) return this.#fetch(position, end)
    this.#windows = [...this.#windows.filter((window) => window !== known), known]
    return known
  }

  #fetch(start: number, atLeast: number): Window {
    this.#size = start === this.#edge ? Math.min(WINDOW_MAX, this.#size * 2) : WINDOW_MIN
    const end = Math.min(this.#source.length, Math.max(atLeast, start + this.#size))
    const data = this.#source.read(start, end, this.#options)
    const window: Window = { start, end, data }
    data.catch(() => {
      this.#windows = this.#windows.filter((kept) => kept !== window)
    })
    this.#windows = [...this.#windows, window].slice(-WINDOWS_KEPT)
    this.#edge = end
    return window
  }

  #readAhead(current: Window): void {
    const streaming = this.#size >= AHEAD_FROM && current.end === this.#edge
    if (streaming && this.#edge < this.#source.length) this.#fetch(this.#edge, this.#edge)
  }
}
