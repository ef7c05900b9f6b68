/**
 * What the node knows about time: when the last block arrived, and how far this machine's clock is
 * from the chain's. Chain time between blocks is the last block's time and what passed since it
 * arrived, so a wrong clock does not move it.
 */
import type { BlockRef } from '@holdfast/chain'
import { type Clock, type Timestamp, timestamp } from '@holdfast/protocol'

/** Of so many updates the one that came quickest after its block says how far the clocks are apart. */
const SAMPLES = 8

export class ChainWatch {
  readonly #clock: Clock
  readonly #skews: number[] = []
  #tip: BlockRef | undefined
  #arrivedMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#arrivedMs = clock.now()
  }

  /** To be called with the newest block after every update. */
  note(tip: BlockRef | undefined): void {
    if (tip === undefined || tip.hash === this.#tip?.hash) return
    this.#tip = tip
    this.#arrivedMs = this.#clock.now()
    this.#skews.push(this.#arrivedMs / 1000 - Number(tip.timestamp))
    if (this.#skews.length > SAMPLES) this.#skews.shift()
  }

  get tip(): BlockRef | undefined {
    return this.#tip
  }

  /** Seconds since the last block arrived, or since the start. */
  get silentSeconds(): number {
    return Math.max(0, (this.#clock.now() - this.#arrivedMs) / 1000)
  }

  /** Chain time now; undefined before the first block. */
  get time(): Timestamp | undefined {
    if (this.#tip === undefined) return undefined
    return timestamp(this.#tip.timestamp + BigInt(Math.floor(this.silentSeconds)))
  }

  /**
   * Seconds that this machine's clock is ahead of the chain's; negative when it is behind. Undefined
   * until enough blocks have come to tell a slow block from a wrong clock.
   */
  get skewSeconds(): number | undefined {
    return this.#skews.length < SAMPLES ? undefined : Math.min(...this.#skews)
  }
}
