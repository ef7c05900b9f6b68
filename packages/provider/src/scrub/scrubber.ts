/**
 * Reads everything that is stored, again and again, those verified longest ago first, at the pace that
 * brings all of it round in the configured time. Yields to whoever has something to prove and to
 * volumes that are busy or slow. The position needs no file: it is when each payload was last verified.
 *
 * Damage goes to the holdings, which write it down and act.
 */
import {
  type Bytes,
  bytes,
  type CallOptions,
  type Clock,
  HoldfastError,
  type Logger,
  milliseconds,
  type Root,
  type Seconds,
  toNumber,
} from '@holdfast/protocol'
import type { Holdings } from '../holdings.ts'
import type { Volume } from '../store/volume.ts'
import type { VolumeSet } from '../store/volume-set.ts'

export interface ScrubberDependencies {
  readonly store: VolumeSet
  readonly holdings: Pick<Holdings, 'verify' | 'damageOf'>
  readonly clock: Clock
  readonly logger: Logger
  /** Whether proofs are being made: then scrubbing waits. */
  readonly isProving: () => boolean
}

export interface ScrubberOptions {
  /** In this time everything is read once. */
  readonly passTime: Seconds
}

/** How scrubbing stands. */
export interface ScrubStatus {
  readonly payloads: number
  /** Bytes verified in the last `days`. */
  readonly verifiedBytes: Bytes
  readonly days: number
  /** The oldest verification of any payload, in seconds since 1970; undefined when nothing is stored. */
  readonly oldest: number | undefined
  /** Payloads found damaged in this run. */
  readonly damaged: number
}

/** Payloads chosen by one look over the table. */
const BATCH = 512
const YIELD_MS = 500
const IDLE_MS = 60_000
/** No slower than this, so that a nearly empty store is read too: 64 KiB a second. */
const RATE_MIN = 65_536
/** A volume with so much work waiting, or so slow, is left alone for a while. */
const BUSY_DEPTH = 4
const SLOW_MS = 500
/** What was verified less than this ago is not verified again: a tenth of the pass. */
const FRESH_SHARE = 10

const DAY_SECONDS = 86_400

export class Scrubber {
  readonly #dependencies: ScrubberDependencies
  readonly #options: ScrubberOptions
  readonly #urgent = new Set<Root>()
  #damaged = 0

  constructor(dependencies: ScrubberDependencies, options: ScrubberOptions) {
    this.#dependencies = dependencies
    this.#options = options
  }

  /**
   * A payload was found damaged: damage is seldom alone, so those that lie in the same file are verified
   * before all others. (Challenged leaves need no such word: they are read as soon as the seed is known,
   * when the answers are made.)
   */
  suspectNeighbours(root: Root): void {
    for (const { table } of this.#dependencies.store.volumes) {
      const sector = table.get(root)?.sector.number
      if (sector === undefined) continue
      for (const other of table.roots(sector)) {
        if (this.#urgent.size < BATCH && other !== root) this.#urgent.add(other)
      }
    }
  }

  /** @param days how far back verified bytes are counted. */
  status(days = 14): ScrubStatus {
    const since = Math.floor(this.#dependencies.clock.now() / 1000) - days * DAY_SECONDS
    let payloads = 0
    let verified = 0n
    let oldest: number | undefined
    for (const { table } of this.#dependencies.store.volumes) {
      const totals = table.verifiedSince(since)
      payloads += table.size
      verified += totals.length
      if (totals.oldest !== undefined) oldest = Math.min(oldest ?? totals.oldest, totals.oldest)
    }
    return { payloads, verifiedBytes: bytes(verified), days, oldest, damaged: this.#damaged }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#dependencies
    while (!signal.aborted) {
      let done = await this.#verifyUrgent(signal)
      for (const volume of store.volumes) done += await this.#batch(volume, signal)
      if (done === 0) await clock.sleep(milliseconds(IDLE_MS), { signal })
    }
  }

  /** Some payloads of one volume; returns how many. */
  async #batch(volume: Volume, signal: AbortSignal): Promise<number> {
    const { clock, holdings } = this.#dependencies
    const fresh = Number(this.#options.passTime) / FRESH_SHARE
    const before = Math.floor(clock.now() / 1000) - fresh
    const rate = Math.max(RATE_MIN, Number(volume.usage.used) / Number(this.#options.passTime))
    let done = 0
    for (const { trailer, mark } of volume.table.oldest(BATCH)) {
      if (mark > before || volume.unavailableReason !== undefined) break
      await this.#yield(volume, signal)
      await this.#verifyUrgent(signal)
      const { root, length } = trailer.commitment
      if (holdings.damageOf(root) !== undefined) continue
      await this.verify(root, { signal })
      done++
      await clock.sleep(milliseconds(Math.ceil((1000 * toNumber(length)) / rate)), { signal })
    }
    return done
  }

  /** Verifies one payload now. What is in the way of reading it is not damage. */
  async verify(root: Root, options: CallOptions = {}): Promise<void> {
    const { holdings, logger } = this.#dependencies
    try {
      if ((await holdings.verify(root, options)) !== undefined) this.#damaged++
    } catch (error) {
      if (options.signal?.aborted === true) throw error
      if (HoldfastError.is(error, 'PAYLOAD_NOT_FOUND')) return
      logger.warn('payload could not be verified now', { root, reason: String(error) })
    }
  }

  async #verifyUrgent(signal: AbortSignal): Promise<number> {
    let done = 0
    for (const root of this.#urgent) {
      this.#urgent.delete(root)
      if (this.#dependencies.holdings.damageOf(root) !== undefined) continue
      await this.verify(root, { signal })
      done++
    }
    return done
  }

  /** Waits while there is something more important to do. */
  async #yield(volume: Volume, signal: AbortSignal): Promise<void> {
    const { clock, isProving } = this.#dependencies
    while (isProving() || volume.depth > BUSY_DEPTH || volume.latencyMs > SLOW_MS) {
      await clock.sleep(milliseconds(YIELD_MS), { signal })
      if (volume.latencyMs > SLOW_MS && volume.depth === 0 && !isProving()) return
    }
  }
}
