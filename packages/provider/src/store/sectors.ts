/**
 * The sectors of a volume, with what is asked of all of them at every operation kept as a sum: how much
 * disk they take, and which shared ones are not finished. What an operation costs does not grow with
 * the number of sectors.
 *
 * Invariants: `used` is the sum of `size` over the sectors in here; `unfinished` are the shared ones
 * among them that take records or owe a footer. A sector tells when either of its own changes.
 */
import type { Entry, SectorId } from './record-entry.ts'
import type { SectorKind } from './sector-format.ts'

export class Sector {
  readonly id: SectorId
  readonly kind: SectorKind
  readonly salt: Uint8Array
  readonly path: string
  /** Where the next record would begin. */
  end = 0
  /** Live payloads, the bytes of their records, and payloads that are dead. */
  live = 0
  liveSize = 0
  dead = 0
  /** The lowest sequence number of its records. */
  firstSequence: bigint = 2n ** 64n
  /** Open reservations. */
  reserved = 0
  /** Everything in it, while it has no footer. */
  entries: Entry[] = []
  #size = 0
  #full = false
  #footed = false
  #home: Sectors | undefined

  constructor(id: SectorId, kind: SectorKind, salt: Uint8Array, path: string) {
    this.id = id
    this.kind = kind
    this.salt = salt
    this.path = path
  }

  /** Length of the file: `end`, and a footer's. */
  get size(): number {
    return this.#size
  }

  set size(size: number) {
    const before = this.#size
    this.#size = size
    this.#home?.changed(this, before)
  }

  /** It takes no more records and has a footer, or is about to. */
  get full(): boolean {
    return this.#full
  }

  set full(full: boolean) {
    this.#full = full
    this.#home?.changed(this, this.#size)
  }

  /** Its footer says all there is. */
  get footed(): boolean {
    return this.#footed
  }

  set footed(footed: boolean) {
    this.#footed = footed
    this.#home?.changed(this, this.#size)
  }

  /** Called by the sectors it comes to, or goes from. */
  belongsTo(home: Sectors | undefined): void {
    this.#home = home
  }
}

/** By number. */
export class Sectors extends Map<number, Sector> {
  readonly #unfinished = new Set<Sector>()
  #used = 0n

  /** Bytes of all files. */
  get used(): bigint {
    return this.#used
  }

  /** Shared sectors that take records or owe a footer: a few. */
  get unfinished(): Iterable<Sector> {
    return this.#unfinished
  }

  override set(number: number, sector: Sector): this {
    this.delete(number)
    super.set(number, sector)
    sector.belongsTo(this)
    this.changed(sector, 0)
    return this
  }

  override delete(number: number): boolean {
    const sector = this.get(number)
    if (sector === undefined) return false
    sector.belongsTo(undefined)
    this.#used -= BigInt(sector.size)
    this.#unfinished.delete(sector)
    return super.delete(number)
  }

  override clear(): void {
    for (const number of [...this.keys()]) this.delete(number)
  }

  /** Called by a sector in here, with the size that was counted for it. */
  changed(sector: Sector, sizeBefore: number): void {
    this.#used += BigInt(sector.size - sizeBefore)
    if (sector.kind === 'shared' && !(sector.full && sector.footed)) this.#unfinished.add(sector)
    else this.#unfinished.delete(sector)
  }
}
