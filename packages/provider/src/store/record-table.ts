/**
 * The live payloads of a volume in shared memory: written by the volume's thread, read by everybody.
 * About 110 bytes a payload, so a million of them fit where a `Map` of objects would take half a GB.
 *
 * Invariants: one writer; an entry is whole before its slot points to it and is never changed
 * afterwards, but for its mark and for being taken out; readers therefore need no lock. When the
 * table grows it moves to new memory, and `onMoved` tells the readers' side.
 */
import { bytes, fromHex, type Root, toHex } from '@holdfast/protocol'
import { AT, decodeEntry, ENTRY_BYTES, type Entry, encodeEntry } from './record-entry.ts'
import { recordBytes } from './sector-format.ts'

/** The memory of a table, as it goes from thread to thread. */
export interface TableMemory {
  readonly entries: SharedArrayBuffer
  /** Open addressing by the first bytes of the root: index of the entry plus 1, 0 free, -1 was used. */
  readonly slots: SharedArrayBuffer
  /** Entries ever put, entries alive, slots ever used. */
  readonly counts: SharedArrayBuffer
}

export interface VerifiedTotals {
  readonly payloads: number
  /** Their bytes. */
  readonly length: bigint
  readonly oldest: number | undefined
}

const CAPACITY_MIN = 1024
const PUT = 0
const ALIVE = 1
const SLOTS_USED = 2
const FREE = 0
const WAS_USED = -1

const memoryFor = (capacity: number): TableMemory => ({
  entries: new SharedArrayBuffer(capacity * ENTRY_BYTES),
  slots: new SharedArrayBuffer(4 * slotsFor(capacity)),
  counts: new SharedArrayBuffer(12),
})

/** A power of two, at least a third of it free. */
const slotsFor = (capacity: number): number => 2 ** Math.ceil(Math.log2(capacity * 1.5))

export class RecordTable {
  readonly #onMoved: (memory: TableMemory) => void
  #memory: TableMemory
  #entries: Uint8Array
  #view: DataView
  #slots: Int32Array
  #counts: Int32Array

  constructor(memory: TableMemory, onMoved: (memory: TableMemory) => void = () => undefined) {
    this.#onMoved = onMoved
    this.#memory = memory
    this.#entries = new Uint8Array(memory.entries)
    this.#view = new DataView(memory.entries)
    this.#slots = new Int32Array(memory.slots)
    this.#counts = new Int32Array(memory.counts)
  }

  static empty(
    onMoved?: (memory: TableMemory) => void,
    capacity: number = CAPACITY_MIN,
  ): RecordTable {
    return new RecordTable(memoryFor(capacity), onMoved)
  }

  get memory(): TableMemory {
    return this.#memory
  }

  /** Live payloads. */
  get size(): number {
    return this.#count(ALIVE)
  }

  /** Places to look at with `at`. */
  get places(): number {
    return this.#count(PUT)
  }

  /** Reader's side: the table has moved. */
  moveTo(memory: TableMemory): void {
    this.#memory = memory
    this.#entries = new Uint8Array(memory.entries)
    this.#view = new DataView(memory.entries)
    this.#slots = new Int32Array(memory.slots)
    this.#counts = new Int32Array(memory.counts)
  }

  get(root: Root): Entry | undefined {
    const key = fromHex(root)
    for (;;) {
      const slot = this.#find(key)
      if (slot === undefined) return undefined
      const index = Atomics.load(this.#slots, slot) - 1
      // The slot may have been pointed elsewhere between the two looks: then look again.
      const entry = index < 0 ? undefined : this.at(index)
      if (entry !== undefined) return entry
    }
  }

  has(root: Root): boolean {
    return this.#find(fromHex(root)) !== undefined
  }

  /** The live payload at a place; undefined where none is. */
  at(index: number): Entry | undefined {
    return decodeEntry(this.#entries.subarray(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES))
  }

  /** When the payload at a place was last verified; undefined where none is. */
  markAt(index: number): number | undefined {
    const at = index * ENTRY_BYTES
    return this.#view.getUint8(at + AT.type) === 0
      ? undefined
      : this.#view.getUint32(at + AT.mark, true)
  }

  *values(): Iterable<Entry> {
    for (let index = 0; index < this.places; index++) {
      const entry = this.at(index)
      if (entry !== undefined) yield entry
    }
  }

  /** Roots of the live payloads, of one sector or all. Should the table grow meanwhile, some come twice. */
  *roots(sector?: number): Iterable<Root> {
    let memory = this.#memory
    for (let index = 0; index < this.places; index++) {
      if (memory !== this.#memory) [memory, index] = [this.#memory, 0]
      const at = index * ENTRY_BYTES
      if (this.#view.getUint8(at + AT.type) === 0) continue
      if (sector !== undefined && this.#view.getUint32(at + AT.sector, true) !== sector) continue
      yield toHex(this.#entries.slice(at, at + 32)) as Root
    }
  }

  /** Up to `limit` payloads, those verified longest ago first. One pass over the marks. */
  oldest(limit: number): readonly Entry[] {
    const found: { readonly index: number; readonly mark: number }[] = []
    let newest = Number.POSITIVE_INFINITY
    for (let index = 0; index < this.places; index++) {
      const mark = this.markAt(index)
      if (mark === undefined || (found.length >= limit && mark >= newest)) continue
      found.push({ index, mark })
      if (found.length < 2 * limit) continue
      found.sort((a, b) => a.mark - b.mark).length = limit
      newest = found.at(-1)?.mark ?? newest
    }
    const best = found.sort((a, b) => a.mark - b.mark).slice(0, limit)
    return best.flatMap(({ index }) => this.at(index) ?? [])
  }

  /** What was verified at or after a moment, and the oldest verification of all. */
  verifiedSince(seconds: number): VerifiedTotals {
    const totals = { payloads: 0, length: 0n, oldest: undefined as number | undefined }
    for (let index = 0; index < this.places; index++) {
      const mark = this.markAt(index)
      if (mark === undefined) continue
      totals.oldest = Math.min(totals.oldest ?? mark, mark)
      if (mark < seconds) continue
      totals.payloads++
      totals.length += this.#view.getBigUint64(index * ENTRY_BYTES + AT.length, true)
    }
    return totals
  }

  /** What each sector holds, by its number. */
  bySector(): ReadonlyMap<number, { readonly live: number; readonly size: number }> {
    const sums = new Map<number, { live: number; size: number }>()
    for (let index = 0; index < this.places; index++) {
      const at = index * ENTRY_BYTES
      if (this.#view.getUint8(at + AT.type) === 0) continue
      const number = this.#view.getUint32(at + AT.sector, true)
      const sum = sums.get(number) ?? { live: 0, size: 0 }
      sum.live++
      const length = bytes(this.#view.getBigUint64(at + AT.length, true))
      const layers = bytes(this.#view.getBigUint64(at + AT.layers, true))
      sum.size += Number(recordBytes(length, layers))
      sums.set(number, sum)
    }
    return sums
  }

  /** Writer's side: makes this the payload's entry. */
  put(entry: Entry): void {
    const raw = new Uint8Array(ENTRY_BYTES)
    encodeEntry(entry, raw)
    this.putRaw(raw)
  }

  /** The same with an entry's bytes. */
  putRaw(raw: Uint8Array): void {
    const key = raw.subarray(0, 32)
    if (this.places === this.#entries.length / ENTRY_BYTES || this.#crowded()) this.#grow()
    const index = this.places
    this.#entries.set(raw, index * ENTRY_BYTES)
    this.#counts[PUT] = index + 1
    const present = this.#find(key)
    if (present !== undefined) {
      const former = Atomics.exchange(this.#slots, present, index + 1)
      this.#view.setUint8((former - 1) * ENTRY_BYTES + AT.type, 0)
      return
    }
    Atomics.store(this.#slots, this.#vacant(key), index + 1)
    this.#counts[ALIVE] = this.size + 1
  }

  /** The same, unless a later record of the payload is there. */
  putIfLater(raw: Uint8Array): void {
    const slot = this.#find(raw.subarray(0, 32))
    if (slot !== undefined) {
      const at = (Atomics.load(this.#slots, slot) - 1) * ENTRY_BYTES
      const present = this.#view.getBigUint64(at + AT.sequence, true)
      const data = new DataView(raw.buffer, raw.byteOffset, ENTRY_BYTES)
      if (present >= data.getBigUint64(AT.sequence, true)) return
    }
    this.putRaw(raw)
  }

  /** Writer's side: forgets a payload. */
  delete(root: Root): void {
    const slot = this.#find(fromHex(root))
    if (slot === undefined) return
    const former = Atomics.exchange(this.#slots, slot, WAS_USED)
    this.#view.setUint8((former - 1) * ENTRY_BYTES + AT.type, 0)
    this.#counts[ALIVE] = this.size - 1
  }

  /** Writer's side: the payload was verified then. */
  mark(root: Root, seconds: number): void {
    const slot = this.#find(fromHex(root))
    if (slot === undefined) return
    const index = Atomics.load(this.#slots, slot) - 1
    this.#view.setUint32(index * ENTRY_BYTES + AT.mark, seconds, true)
  }

  #count(which: number): number {
    return Atomics.load(this.#counts, which)
  }

  #crowded(): boolean {
    return this.#count(SLOTS_USED) > 0.75 * this.#slots.length
  }

  #start(key: Uint8Array): number {
    const [a = 0, b = 0, c = 0, d = 0] = [key[0], key[1], key[2], key[3]]
    return (a | (b << 8) | (c << 16) | (d << 24)) & (this.#slots.length - 1)
  }

  #find(key: Uint8Array): number | undefined {
    const mask = this.#slots.length - 1
    for (let slot = this.#start(key); ; slot = (slot + 1) & mask) {
      const value = Atomics.load(this.#slots, slot)
      if (value === FREE) return undefined
      if (value > 0 && this.#holds(value - 1, key)) return slot
    }
  }

  #holds(index: number, key: Uint8Array): boolean {
    const at = index * ENTRY_BYTES
    for (let i = 0; i < 32; i++) if (this.#entries[at + i] !== key[i]) return false
    return true
  }

  #vacant(key: Uint8Array): number {
    const mask = this.#slots.length - 1
    for (let slot = this.#start(key); ; slot = (slot + 1) & mask) {
      const value = Atomics.load(this.#slots, slot)
      if (value > 0) continue
      if (value === FREE) this.#counts[SLOTS_USED] = this.#count(SLOTS_USED) + 1
      return slot
    }
  }

  /** Moves what is alive to memory with room for twice as much. */
  #grow(): void {
    const former = new RecordTable(this.#memory)
    this.moveTo(memoryFor(Math.max(CAPACITY_MIN, 2 * former.size)))
    for (let index = 0; index < former.places; index++) {
      const at = index * ENTRY_BYTES
      const entry = former.#entries.subarray(at, at + ENTRY_BYTES)
      if (entry[AT.type] === 0) continue
      const to = this.places
      this.#entries.set(entry, to * ENTRY_BYTES)
      this.#counts[PUT] = to + 1
      this.#slots[this.#vacant(entry)] = to + 1
    }
    this.#counts[ALIVE] = former.size
    this.#onMoved(this.#memory)
  }
}
