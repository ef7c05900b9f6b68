/**
 * What the engine of a volume knows and works with: its sectors, its open reservations, its table,
 * and the work that waits for the next sync. Data and small moves on them; the protocols are in
 * `volume-engine.ts`, `seal-record.ts`, `collect.ts`.
 */

import type { Random, Root } from '@holdfast/protocol'
import type { Checksum } from '@holdfast/prover'
import type { Disk } from './disk.ts'
import type { OpenFiles } from './open-files.ts'
import type { OpenReservations } from './open-reservations.ts'
import type { Entry } from './record-entry.ts'
import type { RecordTable } from './record-table.ts'
import { recordBytes } from './sector-format.ts'
import { sectorFile } from './sector-names.ts'
import type { Sector, Sectors } from './sectors.ts'
import type { VolumePaths } from './volume-paths.ts'

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
  readonly sectors: Sectors
  readonly reservations: OpenReservations
  readonly pending: Pending
  /** Own sectors that the index must learn or forget: file name to entry. */
  readonly changes: Map<string, Entry | undefined>
  nextSequence: bigint
  nextNumber: number
}

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
