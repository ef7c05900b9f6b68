/**
 * The open reservations of a volume, with their sums kept: what they take in sectors of their own and
 * in shared ones, and what of it is not yet on disk.
 *
 * Invariant: every reservation in here counts as it was when it came, less the bytes written since.
 */
import type { FrameSums } from './frame-sums.ts'
import type { SectorId } from './record-entry.ts'
import {
  FIRST_RECORD,
  type RecordHeader,
  type RecordLayout,
  type SectorKind,
} from './sector-format.ts'
import type { StagingName } from './sector-store.ts'

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

const placeBytes = ({ layout }: Reservation): number => layout.end - layout.header

/** Disk that it has asked for and not yet taken. */
const missing = (reservation: Reservation): number =>
  Math.max(0, placeBytes(reservation) - reservation.written)

/** By name. */
export class OpenReservations extends Map<StagingName, Reservation> {
  #own = 0n
  #shared = 0n
  #outstanding = 0n

  /** Disk they may take in the end. */
  get reserved(): bigint {
    return this.#own + this.#shared
  }

  /** The part of it that lies in shared sectors, whose files cover it already. */
  get shared(): bigint {
    return this.#shared
  }

  /** Disk that they have asked for and not yet taken. */
  get outstanding(): bigint {
    return this.#outstanding
  }

  override set(name: StagingName, reservation: Reservation): this {
    this.delete(name)
    this.#count(reservation, 1n)
    return super.set(name, reservation)
  }

  override delete(name: StagingName): boolean {
    const reservation = this.get(name)
    if (reservation !== undefined) this.#count(reservation, -1n)
    return super.delete(name)
  }

  override clear(): void {
    for (const name of [...this.keys()]) this.delete(name)
  }

  /** Payload bytes of a reservation in here were written. */
  wrote(reservation: Reservation, length: number): void {
    const before = missing(reservation)
    reservation.written += length
    this.#outstanding += BigInt(missing(reservation) - before)
  }

  #count(reservation: Reservation, sign: 1n | -1n): void {
    const size = BigInt(placeBytes(reservation))
    if (reservation.kind === 'shared') this.#shared += sign * size
    else this.#own += sign * (size + BigInt(FIRST_RECORD))
    this.#outstanding += sign * BigInt(missing(reservation))
  }
}
