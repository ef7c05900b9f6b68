/** Chance that replays: the same number gives the same run. Not for keys. */
import type { Random } from '@holdfast/protocol'

export class Seeded implements Random {
  #state: number

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0
  }

  /** 0 <= x < 1. */
  unit(): number {
    // Mulberry32: a counter, mixed.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let x = this.#state
    x = Math.imul(x ^ (x >>> 15), x | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }

  chance(share: number): boolean {
    return this.unit() < share
  }

  between(least: number, most: number): number {
    return least + this.unit() * (most - least)
  }

  pick<T>(from: readonly T[]): T {
    const one = from[Math.floor(this.unit() * from.length)]
    if (one === undefined) throw new Error('nothing to pick from')
    return one
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.unit() * 256))
  }
}
