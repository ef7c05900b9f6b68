/**
 * Rate limits by key: everybody has a bucket that fills at a steady rate and holds a few seconds' worth,
 * so that bursts pass and floods do not. Pure but for the clock.
 *
 * Invariant: bounded memory. Full buckets are forgotten, because a new one is full too; when there are
 * too many, the one that was used longest ago is.
 */
import type { Clock } from '@holdfast/protocol'

export interface BucketRule {
  /** Tokens per second. */
  readonly perSecond: number
  /** Tokens that a bucket holds. */
  readonly burst: number
}

interface Bucket {
  tokens: number
  at: number
}

const KEYS_MAX = 16_384

export class TokenBuckets {
  readonly #rule: () => BucketRule
  readonly #clock: Pick<Clock, 'now'>
  readonly #buckets = new Map<string, Bucket>()

  /** The rule is asked every time: it may change. */
  constructor(rule: () => BucketRule, clock: Pick<Clock, 'now'>) {
    this.#rule = rule
    this.#clock = clock
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes `cost` tokens; returns 0, or the seconds after which they will be there, taking none. */
  take(key: string, cost = 1): number {
    const { perSecond, burst } = this.#rule()
    const now = this.#clock.now()
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now }
    const passed = Math.max(0, now - bucket.at) / 1000
    bucket.tokens = Math.min(burst, bucket.tokens + passed * perSecond)
    bucket.at = now
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    this.#forget()
    const missing = Math.min(cost, burst) - bucket.tokens
    if (missing > 0) return missing / perSecond
    bucket.tokens -= cost
    return 0
  }

  /** The order of the map is the order of use: the first was used longest ago. */
  #forget(): void {
    const { perSecond, burst } = this.#rule()
    const now = this.#clock.now()
    for (const [key, { tokens, at }] of this.#buckets) {
      const full = tokens + ((now - at) / 1000) * perSecond >= burst && at < now
      if (!full && this.#buckets.size <= KEYS_MAX) return
      this.#buckets.delete(key)
    }
  }
}
