/**
 * The sealed sectors of one volume: which there are, how far each is filled, and the one shared
 * sector that takes small records. Appends happen one at a time, each durable before the next, so at
 * most the last record of a shared sector can be unfinished.
 */
import { type FileHandle, open, truncate, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bytes, bytes, type Random } from '@holdfast/protocol'
import { crcOf, type WriteGuard } from './disk-errors.ts'
import type { FramePool } from './frame-pool.ts'
import { createSector, syncDirectory } from './sector-files.ts'
import {
  encodeHeader,
  encodeTrailer,
  FIRST_RECORD,
  layoutOf,
  type RecordTrailer,
  SALT_BYTES,
} from './sector-format.ts'
import type { Staged } from './staging.ts'
import type { RecoveredSector } from './volume-recovery.ts'

/** A shared sector takes no new record once it is this long. */
const SHARED_SECTOR_BYTES: number = 2 ** 30

export interface SectorSetDependencies {
  readonly directory: string
  readonly guard: WriteGuard
  readonly frames: FramePool
  readonly random: Random
}

/** Where an appended record went. */
export interface Appended {
  readonly sector: number
  readonly offset: number
}

interface Sector {
  readonly number: number
  readonly kind: 'shared' | 'own'
  readonly salt: Uint8Array
  readonly path: string
  end: number
  live: number
}

export class SectorSet {
  readonly #dependencies: SectorSetDependencies
  readonly #sectors = new Map<number, Sector>()
  #nextNumber = 1
  #appending: Promise<unknown> = Promise.resolve()

  constructor(
    dependencies: SectorSetDependencies,
    recovered: readonly RecoveredSector[],
    live: ReadonlyMap<number, { readonly live: number }>,
  ) {
    this.#dependencies = dependencies
    for (const sector of recovered) {
      this.#sectors.set(sector.number, { ...sector, live: live.get(sector.number)?.live ?? 0 })
      this.claim(sector.number)
    }
  }

  /** Keeps a number from being given out again. */
  claim(number: number): void {
    if (number >= this.#nextNumber) this.#nextNumber = number + 1
  }

  /** A number that no sector of this volume has. */
  takeNumber(): number {
    return this.#nextNumber++
  }

  pathOf(number: number): string {
    return join(this.#dependencies.directory, `${String(number).padStart(8, '0')}.sector`)
  }

  get used(): Bytes {
    let sum = 0
    for (const { end } of this.#sectors.values()) sum += end
    return bytes(sum)
  }

  /** What the index has to remember of a sector. */
  stateOf(number: number): { readonly indexed: number; readonly live: number } | undefined {
    const sector = this.#sectors.get(number)
    return sector && { indexed: sector.end, live: sector.live }
  }

  /** Takes in a file that has become the sector of one payload. */
  adopt({ superblock, layout }: Staged): Appended {
    const { sector: number, salt } = superblock
    const path = this.pathOf(number)
    this.#sectors.set(number, { number, kind: 'own', salt, path, end: layout.end, live: 1 })
    return { sector: number, offset: layout.header }
  }

  /** Copies a finished record out of its staging file into the shared sector, durably. */
  append(staged: Staged, trailer: RecordTrailer): Promise<Appended> {
    return this.#exclusively(async () => {
      const { guard, frames } = this.#dependencies
      const sector = await this.#sharedSector()
      const offset = sector.end
      const layout = layoutOf(offset, trailer)
      await this.#prepare(sector, layout.end, trailer, offset)
      const copied = await frames.run('bulk', {
        kind: 'copy',
        from: staged.path,
        fromOffset: staged.layout.payload,
        to: sector.path,
        toOffset: layout.payload,
        length: layout.trailer - layout.payload,
      })
      crcOf(copied, guard)
      await this.#writeTrailer(sector, layout.trailer, trailer)
      sector.end = layout.end
      sector.live++
      return { sector: sector.number, offset }
    })
  }

  /** Writes down, durably, that a payload of a shared sector is gone. */
  bury(number: number, tombstone: RecordTrailer): Promise<void> {
    return this.#exclusively(async () => {
      const sector = await this.#sharedSector()
      const offset = sector.end
      const layout = layoutOf(offset, tombstone)
      await this.#prepare(sector, layout.end, tombstone, offset)
      await this.#writeTrailer(sector, layout.trailer, tombstone)
      sector.end = layout.end
      const buried = this.#sectors.get(number)
      if (buried !== undefined) buried.live--
      await this.#dropDead(sector.number)
    })
  }

  /** Removes the sector of one payload. */
  async removeOwn(number: number): Promise<void> {
    const sector = this.#sectors.get(number)
    if (sector === undefined) return
    this.#sectors.delete(number)
    await unlink(sector.path)
    await syncDirectory(this.#dependencies.directory)
  }

  /** A record of this shared sector is no longer the live one of its root. */
  forget(number: number): void {
    const sector = this.#sectors.get(number)
    if (sector !== undefined) sector.live--
  }

  kindOf(number: number): 'shared' | 'own' | undefined {
    return this.#sectors.get(number)?.kind
  }

  /**
   * Removes shared sectors without live payloads, oldest first and never past a live one: a
   * tombstone must outlive the record it buries.
   */
  async #dropDead(current: number): Promise<void> {
    const shared = [...this.#sectors.values()].filter(({ kind }) => kind === 'shared')
    for (const sector of shared.sort((a, b) => a.number - b.number)) {
      if (sector.live > 0 || sector.number === current) return
      await this.removeOwn(sector.number)
    }
  }

  async #sharedSector(): Promise<Sector> {
    for (const sector of this.#sectors.values()) {
      if (sector.kind === 'shared' && sector.end < SHARED_SECTOR_BYTES) return sector
    }
    const { guard, random } = this.#dependencies
    const number = this.takeNumber()
    const path = this.pathOf(number)
    const salt = random.bytes(SALT_BYTES)
    const handle = await guard.run(() =>
      createSector(path, { sector: number, kind: 'shared', salt }),
    )
    await handle.close()
    const sector: Sector = { number, kind: 'shared', salt, path, end: FIRST_RECORD, live: 0 }
    this.#sectors.set(number, sector)
    return sector
  }

  /** Cuts what a failed append left behind, makes room and writes the header. */
  async #prepare(
    sector: Sector,
    end: number,
    header: RecordTrailer,
    offset: number,
  ): Promise<void> {
    await this.#dependencies.guard.run(async () => {
      await truncate(sector.path, offset)
      await truncate(sector.path, end)
      await withHandle(sector.path, (handle) =>
        handle.write(encodeHeader(header, sector.salt), 0, undefined, offset),
      )
    })
  }

  async #writeTrailer(sector: Sector, at: number, trailer: RecordTrailer): Promise<void> {
    await this.#dependencies.guard.run(() =>
      withHandle(sector.path, async (handle) => {
        await handle.write(encodeTrailer(trailer), 0, undefined, at)
        await handle.datasync()
      }),
    )
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#appending.then(work, work)
    this.#appending = result.catch(() => undefined)
    return result
  }
}

const withHandle = async <T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> => {
  const handle = await open(path, 'r+')
  try {
    return await use(handle)
  } finally {
    await handle.close()
  }
}
