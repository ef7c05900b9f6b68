/**
 * How long the event loop was held lately: the longest delay of the last ten seconds or so. A node
 * that computes on its loop shows it here first.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { type Clock, milliseconds } from '@holdfast/protocol'

const WINDOW_MS = 10_000
const RESOLUTION_MS = 20

export class LoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #former = 0

  /** Measures until the signal fires. */
  async run(clock: Clock, signal: AbortSignal): Promise<void> {
    this.#histogram.enable()
    while (!signal.aborted) {
      await clock.sleep(milliseconds(WINDOW_MS), { signal }).catch(() => undefined)
      this.#former = this.#longest()
      this.#histogram.reset()
    }
    this.#histogram.disable()
  }

  /** Seconds: the longest delay of this window and the one before. */
  get seconds(): number {
    return Math.max(this.#former, this.#longest())
  }

  #longest(): number {
    const { max, count } = this.#histogram
    return count === 0 ? 0 : Math.max(0, max / 1e9 - RESOLUTION_MS / 1000)
  }
}
