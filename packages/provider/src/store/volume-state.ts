/**
 * What the engine of a volume knows and works with: its sectors, its open reservations, its table,
 * and the work that waits for the next sync. Data and small moves on them; the protocols are in
 * `volume-engine.ts`, `seal-record.ts`, `collect.ts`.
 */

import type { Random, Root } from '@holdfast/protocol'
import type { Checksum } from '@holdfast/prover'
import type { Disk } from './disk.ts'
import type { FrameSums } from './frame-sums.ts'
import type { OpenFiles } from './open-files.ts'
import type { Entry, SectorId } from './record-entry.ts'
import type { RecordTable } from './record-table.ts'
import {
  type RecordHeader,
  type RecordLayout,
  recordBytes,
  type SectorKind,
} from './sector-format.ts'
import { sectorFile } from './sector-names.ts'
import type { StagingName } from './sector-store.ts'
import type { VolumePaths } from './volume-paths.ts'

export interface Sector {
  readonly id: SectorId
  readonly kind: SectorKind
  readonly salt: Uint8Array
  readonly path: string
  /** Where the next record would begin. */
  end: number
  /** Length of the file: `end`, and a footer's. */
  size: number
  /** Live payloads, the bytes of their records, and payloads that are dead. */
  live: number
  liveSize: number
  dead: number
  /** The lowest sequence number of its records. */
  firstSequence: bigint
  /** Open reservations. */
  reserved: number
  /** It takes no more records and has a footer, or is about to. */
  full: boolean
  /** Its footer says all there is. */
  footed: boolean
  /** Everything in it, while it has no footer. */
  entries: Entry[]
}

/** An open reservation. */
export interface Reservation {
  readonly name: StagingName
  readonly kind: SectorKind
  readonly id: SectorId
  readonly salt: Uint8Array
  /** The file it lies in now. */
  readonly path: string
  readonly header: RecordHeader
  readonly layout: RecordLayout
  readonly sums: FrameSums
  /** Payload bytes written in this run. */
  written: number
  sealing: boolean
}

export interface EngineOptions {
  readonly capacity: bigint
  /** Disk left alone, so that what is not payloads can still grow. */
  readonly diskMargin: bigint
  /** Payloads up to this share sectors. */
  readonly sharedPayloadMax: bigint
  /** A shared sector takes no record that would end behind this. */
  readonly sharedSectorBytes: bigint
}

/** Changes of what is known that become true with the next sync. */
export class Pending {
  readonly #afterFiles: (() => void)[] = []
  readonly #effects: (() => void)[] = []
  /** Payloads that are about to be forgotten: not worth copying. */
  readonly removals: Set<Root> = new Set()

  /** Done when the files are durable: trailers, which are synced in turn, and renames. */
  whenFilesDurable(action: () => void): void {
    this.#afterFiles.push(action)
  }

  /** Done when everything is durable. */
  whenDurable(effect: () => void): void {
    this.#effects.push(effect)
  }

  get waits(): boolean {
    return this.#afterFiles.length > 0 || this.#effects.length > 0
  }

  runAfterFiles(): void {
    for (const action of this.#afterFiles.splice(0)) action()
  }

  runEffects(): void {
    for (const effect of this.#effects.splice(0)) effect()
    this.removals.clear()
  }

  drop(): void {
    this.#afterFiles.length = 0
    this.#effects.length = 0
  }
}

export interface VolumeState {
  readonly disk: Disk
  readonly files: OpenFiles
  readonly paths: VolumePaths
  readonly identity: string
  readonly options: EngineOptions
  readonly random: Random
  readonly checksum: Checksum
  readonly table: RecordTable
  readonly sectors: Map<number, Sector>
  readonly reservations: Map<StagingName, Reservation>
  readonly pending: Pending
  /** Own sectors that the index must learn or forget: file name to entry. */
  readonly changes: Map<string, Entry | undefined>
  nextSequence: bigint
  nextNumber: number
}

/** A new sector of this volume, without records. */
export const newSector = (
  id: SectorId,
  kind: SectorKind,
  salt: Uint8Array,
  path: string,
): Sector => ({
  ...{ id, kind, salt, path, end: 0, size: 0, live: 0, liveSize: 0, dead: 0, reserved: 0 },
  ...{ firstSequence: 2n ** 64n, full: false, footed: false, entries: [] },
})

/** What a payload's record takes in its sector. */
export const recordSize = ({ trailer }: Entry): number =>
  Number(recordBytes(trailer.commitment.length, trailer.layersBytes))

/** A payload of this sector is no longer the live one of its root. */
export const countDead = (state: VolumeState, entry: Entry): void => {
  const sector = state.sectors.get(entry.sector.number)
  if (sector === undefined) return
  sector.live--
  sector.liveSize -= recordSize(entry)
  sector.dead++
}

/** A payload of this sector is the live one of its root now. */
export const countLive = (sector: Sector, entry: Entry): void => {
  sector.live++
  sector.liveSize += recordSize(entry)
}

/** What the index has to learn of an own sector. Names of the first format may come again: not those. */
export const noteChange = (state: VolumeState, { id }: Sector, entry: Entry | undefined): void => {
  if (id.tag !== 0) state.changes.set(sectorFile(id), entry)
}
