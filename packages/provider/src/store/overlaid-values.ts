/**
 * A key-value store that outlives a full disk: what it has no room for is kept in memory over it, and
 * read from there, until there is room again. What lies in these stores can all be made again, so what
 * a crash takes of it is no loss, and a node that goes on is worth more than one that says no.
 *
 * Invariants: what was written is what is read, wherever it is; changes reach the disk in one batch, so
 * never one without those before it. A store that could not be opened for want of room is empty and in
 * memory alone until the next start, and leaves what is on the disk as it was.
 */

import type { KeyRange, KeyValueBatch, KeyValues } from '../key-values.ts'
import { errnoOf, isNoRoom } from './disk-errors.ts'

/** Where the store under it comes from. */
export interface Underlying<V> {
  open(): Promise<KeyValues<V>>
  /** Bytes that are free on its disk. */
  free(): Promise<bigint>
  /** Told when the disk is full, each time anew. */
  onFull(error: unknown): void
}

type Changes<V> = ReadonlyMap<string, V | undefined>

/** A store that is opened again writes its log to a table: 4 MiB, and a few small files. */
const ROOM_BYTES = 2n ** 24n
const SAID_BY_LEVEL = /No space left on device|Disk quota exceeded/

/** Whether a key-value store failed for want of room on its disk. */
export const isWantOfRoom = (error: unknown): boolean => {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (isNoRoom(at)) return true
    if (errnoOf(at).startsWith('LEVEL_') && SAID_BY_LEVEL.test(at.message)) return true
  }
  return false
}

export class OverlaidValues<V> implements KeyValues<V> {
  readonly #place: Underlying<V>
  /** Undefined when there was no room to open it. */
  #under: KeyValues<V> | undefined
  /** What has no room on the disk; undefined removes. */
  readonly #over = new Map<string, V | undefined>()
  #isFull: boolean
  /** What is on the disk was cleared, and the disk does not know yet. */
  #isCleared = false
  /** Operations that use what is on the disk now. */
  #busy = 0
  #emptying: Promise<void> | undefined

  private constructor(place: Underlying<V>, under: KeyValues<V> | undefined) {
    this.#place = place
    this.#under = under
    this.#isFull = under === undefined
  }

  static async open<V>(place: Underlying<V>): Promise<OverlaidValues<V>> {
    try {
      return new OverlaidValues(place, await place.open())
    } catch (error) {
      if (!isWantOfRoom(error)) throw error
      place.onFull(error)
      return new OverlaidValues<V>(place, undefined)
    }
  }

  get(key: string): Promise<V | undefined> {
    return this.#use(async () => {
      if (this.#over.has(key)) return this.#over.get(key)
      return this.#visible?.get(key)
    })
  }

  put(key: string, value: V): Promise<void> {
    return this.#apply(new Map([[key, value]]), false)
  }

  del(key: string): Promise<void> {
    return this.#apply(new Map([[key, undefined]]), false)
  }

  batch(): KeyValueBatch<V> {
    const changes = new Map<string, V | undefined>()
    return {
      put: (key, value) => changes.set(key, value),
      del: (key) => changes.set(key, undefined),
      write: ({ sync } = { sync: false }) => this.#apply(changes, sync),
    }
  }

  async *iterator(range: KeyRange): AsyncGenerator<[string, V]> {
    while (this.#emptying !== undefined) await this.#emptying
    this.#busy++
    try {
      const kept = [...this.#over.keys()].filter((key) => key >= range.gte && key < range.lt).sort()
      let next = 0
      const under = this.#visible?.iterator(range) ?? []
      for await (const [key, value] of under) {
        for (; (kept[next] ?? key) < key; next++) yield* this.#kept(kept[next])
        if (kept[next] === key) yield* this.#kept(kept[next++])
        else yield [key, value]
      }
      for (; next < kept.length; next++) yield* this.#kept(kept[next])
    } finally {
      this.#busy--
    }
  }

  async *values(range: KeyRange): AsyncGenerator<V> {
    for await (const [, value] of this.iterator(range)) yield value
  }

  async clear(): Promise<void> {
    while (this.#emptying !== undefined) await this.#emptying
    this.#over.clear()
    if (await this.#tried(async (under) => under.clear())) return
    this.#isCleared = true
  }

  async close(): Promise<void> {
    await this.#empty()
    await this.#under?.close()
  }

  /** What is on the disk, as far as it counts. */
  get #visible(): KeyValues<V> | undefined {
    return this.#isCleared ? undefined : this.#under
  }

  *#kept(key: string | undefined): Generator<[string, V]> {
    const value = key === undefined ? undefined : this.#over.get(key)
    if (key !== undefined && value !== undefined) yield [key, value]
  }

  async #use<T>(work: () => Promise<T>): Promise<T> {
    while (this.#emptying !== undefined) await this.#emptying
    this.#busy++
    try {
      return await work()
    } finally {
      this.#busy--
    }
  }

  async #apply(changes: Changes<V>, sync: boolean): Promise<void> {
    await this.#empty()
    if (await this.#tried((under) => writeAll(under, changes, sync))) return
    for (const [key, value] of changes) this.#over.set(key, value)
  }

  /** Does it on the disk. False when that is full. */
  async #tried(work: (under: KeyValues<V>) => Promise<void>): Promise<boolean> {
    const under = this.#under
    if (this.#isFull || under === undefined) return false
    try {
      await this.#use(() => work(under))
      return true
    } catch (error) {
      if (!isWantOfRoom(error)) throw error
      if (!this.#isFull) this.#place.onFull(error)
      this.#isFull = true
      return false
    }
  }

  /** Brings what is in memory to the disk when there is room for it and nobody is reading. */
  async #empty(): Promise<void> {
    while (this.#emptying !== undefined) await this.#emptying
    if (!this.#isFull || this.#under === undefined) return
    if ((await this.#place.free()) < ROOM_BYTES || this.#busy > 0) return
    this.#emptying ??= this.#reopen().finally(() => {
      this.#emptying = undefined
    })
    await this.#emptying
  }

  /** After a failed write a store may take none before it is opened again. */
  async #reopen(): Promise<void> {
    await this.#under?.close()
    this.#under = undefined
    try {
      this.#under = await this.#place.open()
      if (this.#isCleared) await this.#under.clear()
      this.#isCleared = false
      await writeAll(this.#under, this.#over, true)
      this.#over.clear()
      this.#isFull = false
    } catch (error) {
      if (!isWantOfRoom(error)) throw error
    }
  }
}

const writeAll = <V>(under: KeyValues<V>, changes: Changes<V>, sync: boolean): Promise<void> => {
  const batch = under.batch()
  for (const [key, value] of changes) {
    if (value === undefined) batch.del(key)
    else batch.put(key, value)
  }
  return batch.write({ sync })
}
