/**
 * Gives back the room of payloads nobody has a claim on: first they are in the trash, for days of the
 * ledger's time; then they are removed; then the sectors they leave mostly empty are copied together.
 *
 * Invariants: a payload is removed only when no claim was seen for the whole trash time, ending now;
 * what the wall clock says does not matter; the journal knows of a removal before it happens; a
 * sector is deleted only after a time in which nobody can still be reading it.
 */
import {
  type Clock,
  HoldfastError,
  type Logger,
  milliseconds,
  type Root,
  type Seconds,
  type Timestamp,
  toNumber,
} from '@holdfast/protocol'
import type { Follower } from '../follow/follower.ts'
import type { Holdings } from '../holdings.ts'
import type { PromiseBook } from '../journal/promise-book.ts'
import type { Collectable } from '../store/collect.ts'
import type { Volume } from '../store/volume.ts'
import type { VolumeSet } from '../store/volume-set.ts'
import { claimedRoots } from './claims.ts'

export interface CollectorDependencies {
  readonly store: VolumeSet
  readonly holdings: Pick<Holdings, 'verify'>
  readonly book: PromiseBook
  readonly follower: Pick<Follower, 'state'>
  /** Told of every payload that was removed, after it is gone. */
  readonly onRemoved: (root: Root) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

export interface CollectorOptions {
  /** Days of the ledger that a payload nobody claims stays, and a receipt without a deal counts. */
  readonly trashTime: Seconds
  readonly everyMs?: number
  /** How long an emptied sector stays for those who may be reading it. */
  readonly graceMs?: number
}

const EVERY_MS = 10 * 60_000
const GRACE_MS = 10 * 60_000
/** Payloads looked at before others get their turn. */
const SLICE = 1_000

interface Emptied {
  readonly volume: Volume
  readonly sector: number
  readonly since: number
}

export class Collector {
  readonly #dependencies: CollectorDependencies
  readonly #options: CollectorOptions
  #emptied: Emptied[] = []

  constructor(dependencies: CollectorDependencies, options: CollectorOptions) {
    this.#dependencies = dependencies
    this.#options = options
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#dependencies
    while (!signal.aborted) {
      await clock.sleep(milliseconds(this.#options.everyMs ?? EVERY_MS), { signal })
      await this.pass(signal).catch((error: unknown) => {
        if (signal.aborted) return
        logger.error('collection ended early: it will be tried again', { reason: String(error) })
      })
    }
  }

  /** One round over everything. */
  async pass(signal?: AbortSignal): Promise<{ readonly removed: number }> {
    let removed = 0
    // First of all: it gives room, which the rest may need.
    await this.#dropEmptied()
    for (const volume of this.#usable()) removed += await this.#sweep(volume, signal)
    for (const volume of this.#usable()) await this.#compact(volume, signal)
    await this.#dropEmptied()
    return { removed }
  }

  #usable(): readonly Volume[] {
    const { volumes } = this.#dependencies.store
    return volumes.filter(
      (v) => v.unavailableReason === undefined && v.readOnlyReason === undefined,
    )
  }

  /** Everything that must stay; undefined before the first block. */
  #claims(): { readonly claimed: ReadonlySet<Root>; readonly now: Timestamp } | undefined {
    const { follower, book } = this.#dependencies
    const { state } = follower
    const now = state.cursor?.timestamp
    if (now === undefined) return undefined
    const receiptTime = this.#options.trashTime
    const finalBefore = state.finalBefore()
    const { promises } = book
    return { claimed: claimedRoots({ state, promises, finalBefore, now, receiptTime }), now }
  }

  async #sweep(volume: Volume, signal: AbortSignal | undefined): Promise<number> {
    const trashed = new Map<Root, number>()
    for await (const [root, since] of volume.index.stamps('trash')) trashed.set(root, since)
    let removed = 0
    let seen = 0
    /** The longest payload that there was no room to remove; no shorter one is tried then. */
    let stuck = -1n
    let claims = this.#claims()
    for (const entry of volume.table.values()) {
      if (seen++ % SLICE === 0) {
        await this.#dependencies.clock.sleep(
          milliseconds(0),
          signal === undefined ? {} : { signal },
        )
        claims = this.#claims()
      }
      if (claims === undefined) return removed
      const { root, length } = entry.trailer.commitment
      const since = trashed.get(root)
      if (claims.claimed.has(root)) {
        if (since !== undefined) await volume.index.unstamp('trash', root)
      } else if (since === undefined) {
        await volume.index.stamp('trash', root, toNumber(claims.now))
      } else if (BigInt(since) + this.#options.trashTime <= claims.now && length > stuck) {
        if (await this.#removeIfRoom(root)) removed++
        else stuck = length
      }
    }
    return removed
  }

  /** False when the disk is too full even for that: payloads in files of their own go nevertheless. */
  async #removeIfRoom(root: Root): Promise<boolean> {
    try {
      await this.#remove(root)
      return true
    } catch (error) {
      if (!HoldfastError.is(error, 'DISK_FULL')) throw error
      this.#dependencies.logger.warn('no room to remove a payload: it waits', { root })
      return false
    }
  }

  /**
   * The last look and the removal are one: no claim can come in between unseen. A drain that was cut
   * short has left the payload on two volumes: it goes from all before anybody is told.
   */
  async #remove(root: Root): Promise<void> {
    const { book, logger, onRemoved } = this.#dependencies
    await book.record({ kind: 'payload-removed', root })
    if (this.#claims()?.claimed.has(root) !== false) return
    for (const volume of this.#usable()) {
      if (volume.find(root) === undefined) continue
      await volume.ask({ kind: 'remove', root })
      await volume.index.unstamp('trash', root)
    }
    await onRemoved(root)
    logger.info('payload removed: nobody has a claim on it', { root })
  }

  /** Copies what is alive out of sectors that are mostly dead. What a round makes is left to the next. */
  async #compact(volume: Volume, signal: AbortSignal | undefined): Promise<void> {
    const seen = new Set(this.#emptied.filter((e) => e.volume === volume).map((e) => e.sector))
    let before: number | undefined
    for (;;) {
      if (signal?.aborted) return
      const found = await volume.ask({ kind: 'collectable', except: [...seen], before })
      if (found === undefined) return
      before ??= found.next
      seen.add(found.sector)
      if (!found.gains || !(await this.#empty(volume, found))) continue
      const since = this.#dependencies.clock.now()
      this.#emptied.push({ volume, sector: found.sector, since })
    }
  }

  /** False when something stays: damaged, or no room to copy to. */
  async #empty(volume: Volume, { sector, live }: Collectable): Promise<boolean> {
    const { holdings, logger } = this.#dependencies
    try {
      for (const root of live) {
        const moved = await volume.ask({ kind: 'move', root, from: sector })
        const stays = !moved && volume.find(root)?.sector.number === sector
        if (!stays) continue
        await holdings.verify(root)
        return false
      }
      return await volume.ask({ kind: 'retire', sector })
    } catch (error) {
      if (!HoldfastError.is(error, 'DISK_FULL')) throw error
      logger.warn('no room to copy a sector together', { path: volume.directory, sector })
      return false
    }
  }

  /** Each stays in the list until it is gone, so that what fails here is not copied once more. */
  async #dropEmptied(): Promise<void> {
    const { clock, logger, store } = this.#dependencies
    const { graceMs = GRACE_MS } = this.#options
    this.#emptied = this.#emptied.filter(({ volume }) => store.volumes.includes(volume))
    const usable = new Set(this.#usable())
    for (const emptied of [...this.#emptied]) {
      const { volume, sector, since } = emptied
      if (clock.now() - since < graceMs || !usable.has(volume)) continue
      await volume.ask({ kind: 'drop', sector })
      this.#emptied.splice(this.#emptied.indexOf(emptied), 1)
      logger.info('sector removed', { path: volume.directory, sector })
    }
  }
}
