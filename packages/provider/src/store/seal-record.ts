/**
 * From a fully written reservation to a record: frame checksums, then (elsewhere) the root, then the
 * trailer; and the way back, a record that is buried or removed.
 *
 * Invariants: a trailer is written only after everything it vouches for; a record becomes known, and
 * a former one forgotten, only when the new one is durable.
 */
import {
  type Bytes,
  bytes,
  type Commitment,
  HoldfastError,
  type Root,
  type Timestamp,
  timestamp,
  toNumber,
} from '@holdfast/protocol'
import { crashPoint } from './crash-points.ts'
import { isNoRoom } from './disk-errors.ts'
import type { PreparedFrames } from './frame-sums.ts'
import type { Reservation } from './open-reservations.ts'
import type { Entry } from './record-entry.ts'
import { readBack, sealLayers } from './record-parts.ts'
import { reservationOf } from './reservations.ts'
import {
  encodeHeader,
  encodeTrailer,
  FRAME_BYTES,
  layoutOf,
  type RecordTrailer,
  TRAILER_BYTES,
} from './sector-format.ts'
import { sectorPath } from './sector-names.ts'
import type { StagingName } from './sector-store.ts'
import { Sector } from './sectors.ts'
import { noteRecord, sectorFor, takePlace } from './shared-sectors.ts'
import { countDead, countLive, noteChange, type VolumeState } from './volume-state.ts'

/** Frames that one step reads again: 64 MiB, so that no step keeps others waiting for long. */
const FRAMES_PER_STEP = 1024

/**
 * Reads the frames whose checksums did not come by, a step at a time, and writes all of them.
 * @returns undefined when there is more to do.
 */
export const prepare = (state: VolumeState, name: StagingName): PreparedFrames | undefined => {
  const { sums, layout, header, path, kind } = reservationOf(state, name)
  const file = state.files.get(path)
  const length = toNumber(header.commitment.length)
  const unknown = sums.unknownFrom(0)
  const buffer = new Uint8Array(unknown === undefined ? 0 : FRAME_BYTES)
  for (let step = 0, frame = unknown; frame !== undefined; step++) {
    if (step === FRAMES_PER_STEP) return undefined
    const at = frame * FRAME_BYTES
    const part = buffer.subarray(0, Math.min(FRAME_BYTES, length - at))
    readBack(state, { path, file }, part, layout.payload + at)
    sums.pass(at, part)
    frame = sums.unknownFrom(frame)
  }
  const crcs = sums.bytes()
  // In a shared sector the places of layers and trailer are taken with them: writing to disk that is
  // taken costs no entry in the file system's journal. Layers of a large payload may be there already.
  const rest = kind === 'shared' ? layout.trailer + TRAILER_BYTES - layout.layers : 0
  const block = rest === 0 ? crcs : Buffer.concat([crcs, new Uint8Array(rest)])
  state.files.write(path, block, layout.frameCrcs)
  crashPoint('seal-checksums')
  return { framesCrc: state.checksum(crcs), readBack: unknown !== undefined }
}

/** What a sealed reservation becomes. */
export interface Sealed {
  readonly entry: Entry
}

/**
 * Writes the trailer. The payload is known when the next sync is through.
 * @param kept the kept layers, where they are not in the file already.
 */
export const seal = (
  state: VolumeState,
  name: StagingName,
  record: { readonly storedAt: Timestamp; readonly framesCrc: number },
  kept?: Uint8Array,
): Sealed => {
  const reservation = reservationOf(state, name)
  const { header, layout, path, id } = reservation
  if (reservation.sealing) {
    throw new HoldfastError({ code: 'INVARIANT', sentence: `${name} is sealed once at a time` })
  }
  const layersCrc = sealLayers(state, reservation, kept)
  const { name: _name, ...head } = header
  const trailer: RecordTrailer = { ...head, ...record, layersCrc, sequence: state.nextSequence++ }
  const own = reservation.kind === 'own'
  const placeTaken = !own
  writeTrailer(
    state,
    { path, at: layout.trailer, own, placeTaken, begun: header.sequence },
    trailer,
  )
  reservation.sealing = true
  const entry: Entry = {
    sector: id,
    offset: layout.header,
    trailer,
    mark: toNumber(record.storedAt),
  }
  state.pending.whenFilesDurable(() => {
    crashPoint('seal-synced')
    if (reservation.kind === 'own') promote(state, reservation)
  })
  state.pending.whenDurable(() => {
    state.reservations.delete(name)
    const sector =
      reservation.kind === 'own' ? ownSector(state, reservation) : sectorOf(state, entry)
    if (reservation.kind === 'shared') {
      sector.reserved--
      noteRecord(sector, entry)
    }
    become(state, sector, entry)
  })
  return { entry }
}

export interface TrailerPlace {
  readonly path: string
  readonly at: number
  /** Whether the file is the record's own. */
  readonly own: boolean
  /** Whether something was written there before. */
  readonly placeTaken?: boolean
  /** The sequence number of the record's header. */
  readonly begun: bigint
}

/**
 * Writes a trailer when what it vouches for is durable. Its place is taken before, so that a full disk
 * is noticed while nothing depends on it. In a file of its own the name does what the trailer does
 * elsewhere: it is given when everything is durable.
 */
export const writeTrailer = (
  state: VolumeState,
  { path, at, own, placeTaken = false, begun }: TrailerPlace,
  trailer: RecordTrailer,
): void => {
  const block = encodeTrailer(trailer, begun)
  if (own) {
    state.files.write(path, block, at)
    crashPoint('seal-trailer')
  } else {
    if (!placeTaken) state.files.write(path, new Uint8Array(block.length), at)
    state.pending.whenFilesDurable(() => {
      state.files.write(path, block, at)
      crashPoint('seal-trailer')
    })
  }
}

/** Gives a durable file its final name. */
const promote = (state: VolumeState, { path, id }: Reservation): void => {
  state.files.forget(path)
  state.disk.rename(path, sectorPath(state.paths.sectors, id))
  crashPoint('seal-renamed')
  state.files.renamedIn(state.paths.incoming)
  state.files.renamedIn(state.paths.sectors)
}

const ownSector = (state: VolumeState, { id, salt, layout, header }: Reservation): Sector => {
  const sector = new Sector(id, 'own', salt, sectorPath(state.paths.sectors, id))
  Object.assign(sector, { end: layout.end, size: layout.end, full: true, footed: true })
  sector.firstSequence = header.sequence
  state.sectors.set(id.number, sector)
  return sector
}

export const sectorOf = (state: VolumeState, { sector: { number } }: Entry): Sector => {
  const sector = state.sectors.get(number)
  if (sector === undefined) {
    throw new HoldfastError({ code: 'INVARIANT', sentence: `there is a sector ${number}` })
  }
  return sector
}

/** Makes an entry the live one of its root; a former one is given up. */
export const become = (state: VolumeState, sector: Sector, entry: Entry): void => {
  const former = state.table.get(entry.trailer.commitment.root)
  state.table.put(entry)
  countLive(sector, entry)
  if (sector.kind === 'own') noteChange(state, sector, entry)
  crashPoint('seal-indexed')
  if (former !== undefined) giveUp(state, former)
}

const giveUp = (state: VolumeState, former: Entry): void => {
  const sector = state.sectors.get(former.sector.number)
  if (sector?.kind === 'own') removeOwn(state, sector)
  else countDead(state, former)
}

/** Removes the sector of one payload, file and all. */
export const removeOwn = (state: VolumeState, sector: Sector): void => {
  state.sectors.delete(sector.id.number)
  state.files.forget(sector.path)
  state.disk.unlink(sector.path)
  crashPoint('remove-own')
  state.files.renamedIn(state.paths.sectors)
  noteChange(state, sector, undefined)
}

/**
 * Forgets a payload; it is gone for good when the next sync is through. A tombstone is needed for own
 * sectors too: a former record of the payload may still lie in a shared one. On a full disk they go
 * without: that gives room, and a record that comes back is collected again.
 * @throws the system's error when there is no room for the tombstone of one in a shared sector.
 */
export const remove = (state: VolumeState, root: Root): void => {
  const entry = state.table.get(root)
  if (entry === undefined) return
  const { commitment } = entry.trailer
  const buries = state.nextSequence
  try {
    bury(state, { commitment, buries, target: entry.sector.number })
  } catch (error) {
    if (!isNoRoom(error) || sectorOf(state, entry).kind !== 'own') throw error
  }
  state.pending.removals.add(root)
  state.pending.whenDurable(() => {
    const present = state.table.get(root)
    if (present === undefined || present.trailer.sequence > buries) return
    state.table.delete(root)
    giveUp(state, present)
  })
}

export interface Burial {
  readonly commitment: Commitment
  /** Records of the root up to this sequence number are dead. */
  readonly buries: bigint
  readonly target: number
}

/** Writes a tombstone into a shared sector. */
export const bury = (state: VolumeState, { commitment, buries, target }: Burial): void => {
  const sequence = state.nextSequence++
  const layersBytes: Bytes = bytes(buries)
  const header = { type: 'tombstone', sequence, commitment, layersBytes } as const
  const size = layoutOf(0, header).end
  const sector = sectorFor(state, size)
  const layout = layoutOf(sector.end, header)
  const none = { storedAt: timestamp(0), framesCrc: 0, layersCrc: 0 }
  const trailer: RecordTrailer = { ...header, ...none, target }
  state.files.write(sector.path, encodeHeader(header, sector.salt), layout.header)
  state.files.write(sector.path, encodeTrailer(trailer), layout.trailer)
  takePlace(sector, size)
  crashPoint('bury-written')
  const entry = { sector: sector.id, offset: layout.header, trailer, mark: 0 }
  state.pending.whenDurable(() => noteRecord(sector, entry))
}
