/**
 * Shared sectors: which one takes the next small record, and their end, when they get a footer. At
 * most `OPEN_SECTORS_MAX` are without one, which bounds what a restart has to read.
 */
import { crashPoint } from './crash-points.ts'
import type { Reservation } from './open-reservations.ts'
import type { Entry } from './record-entry.ts'
import { encodeFooter } from './sector-footer.ts'
import {
  alignUp,
  encodeSuperblock,
  FIRST_RECORD,
  SALT_BYTES,
  SECTOR_FORMAT,
  type SectorKind,
} from './sector-format.ts'
import { sectorPath, tagOf } from './sector-names.ts'
import { Sector } from './sectors.ts'
import type { VolumeState } from './volume-state.ts'

export const OPEN_SECTORS_MAX = 4

/** A number and a salt that no sector of this volume has. */
export const newIdentity = (
  state: VolumeState,
): { readonly number: number; readonly tag: number; readonly salt: Uint8Array } => {
  let salt = state.random.bytes(SALT_BYTES)
  while (tagOf(salt) === 0) salt = state.random.bytes(SALT_BYTES)
  return { number: state.nextNumber++, tag: tagOf(salt), salt }
}

/** Both copies of a superblock, as a file begins. */
export const superblocks = (number: number, kind: SectorKind, salt: Uint8Array): Uint8Array => {
  const block = encodeSuperblock({ format: SECTOR_FORMAT, sector: number, kind, salt })
  const both = new Uint8Array(FIRST_RECORD)
  both.set(block)
  both.set(block, block.length)
  return both
}

/** The shared sector in which a record of `size` bytes has its place; made when none has room. */
export const sectorFor = (state: VolumeState, size: number): Sector => {
  for (const sector of state.sectors.unfinished) {
    if (sector.full) continue
    const fits = BigInt(sector.end + size) <= state.options.sharedSectorBytes
    if (fits || sector.end === FIRST_RECORD) return sector
    sector.full = true
  }
  const { number, tag, salt } = newIdentity(state)
  const id = { number, tag }
  const path = sectorPath(state.paths.sectors, id)
  const sector = new Sector(id, 'shared', salt, path)
  const file = state.files.create(path, state.paths.sectors)
  try {
    state.files.write(path, superblocks(number, 'shared', salt), 0)
  } catch (error) {
    state.files.forget(path)
    state.disk.unlink(path)
    throw error
  }
  // Durable before anything is in it: a longer file without superblocks is damage, not a crash.
  state.disk.sync(file)
  state.disk.syncDirectory(state.paths.sectors)
  sector.end = FIRST_RECORD
  sector.size = FIRST_RECORD
  state.sectors.set(number, sector)
  return sector
}

/** Takes the next place of a sector. */
export const takePlace = (sector: Sector, size: number): number => {
  const offset = sector.end
  sector.end = alignUp(offset + size)
  sector.size = Math.max(sector.size, sector.end)
  return offset
}

/** Remembers a record of a sector for its footer. */
export const noteRecord = (sector: Sector, entry: Entry): void => {
  const { sequence } = entry.trailer
  if (sequence < sector.firstSequence) sector.firstSequence = sequence
  sector.entries.push(entry)
  sector.footed = false
}

/** Full sectors that may get their footer now. */
const waitingForFooter = (state: VolumeState): readonly Sector[] => {
  const open = [...state.sectors.unfinished].filter(({ footed }) => !footed)
  const full = open.filter((sector) => sector.full)
  const ready = full.filter(({ reserved }) => reserved === 0)
  const tooMany = Math.max(0, open.length - ready.length - OPEN_SECTORS_MAX)
  return [...ready, ...full.filter(({ reserved }) => reserved > 0).slice(0, tooMany)]
}

/** Writes the footers that are due; they count from the next sync on. */
export const writeFooters = (state: VolumeState): void => {
  for (const sector of waitingForFooter(state)) {
    const { path, id, salt } = sector
    const open = [...state.reservations.values()].filter((r) => r.id.number === id.number)
    const entries = [...sector.entries, ...open.map(entryOfReservation)]
    const offset = Math.max(sector.end, alignUp(sector.size))
    const footer = encodeFooter(entries, { offset, salt })
    state.files.write(path, footer, offset)
    state.disk.truncate(state.files.get(path), offset + footer.length)
    crashPoint('footer-written')
    sector.size = offset + footer.length
    sector.footed = true
    state.pending.whenDurable(() => {
      crashPoint('footer-synced')
      if (sector.footed && sector.reserved === 0) sector.entries = []
    })
  }
}

const entryOfReservation = ({ id, layout, header }: Reservation): Entry => {
  const none = { storedAt: 0n as Entry['trailer']['storedAt'], framesCrc: 0, layersCrc: 0 }
  const trailer = { ...header, type: 'pad', ...none } as const
  return { sector: id, offset: layout.header, trailer, mark: 0 }
}
