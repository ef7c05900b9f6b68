/**
 * Gives the room of dead records back. A shared sector of which little is alive is copied record by
 * record, each checked on the way, into the sector that is being filled; then its tombstones that are
 * still needed follow, and after a time in which nobody can be reading it any more it is removed.
 *
 * Invariants: at every moment each live payload has a whole durable record, and of two records of a
 * root the later one holds; a tombstone is dropped only when no sector can hold what it buries; room
 * for a copy is there before it begins; a sector is copied only when at least half of it comes free.
 */
import { HoldfastError, type Root, toNumber } from '@holdfast/protocol'
import { crashPoint } from './crash-points.ts'
import { readFully, withFile } from './disk.ts'
import type { Entry, SectorId } from './record-entry.ts'
import { usageOf } from './reservations.ts'
import { become, bury, sectorOf, writeTrailer } from './seal-record.ts'
import { entriesIn, readFooter } from './sector-footer.ts'
import {
  encodeHeader,
  FRAME_BYTES,
  layoutOf,
  type RecordLayout,
  type RecordTrailer,
} from './sector-format.ts'
import type { Sector } from './sectors.ts'
import { noteRecord, sectorFor, takePlace } from './shared-sectors.ts'
import { recordSize, type VolumeState } from './volume-state.ts'

/** Sectors with less than this share of live bytes are worth copying. */
const LIVE_SHARE_MAX = 0.5

/** A sector of which little is alive, and what has to be moved out of it. */
export interface Collectable {
  readonly sector: number
  readonly live: readonly Root[]
  /** Whether copying it gives room back: false when tombstones that are needed fill it. */
  readonly gains: boolean
  /** Sectors that are made from now on have this number or a higher one. */
  readonly next: number
}

/** Which sectors are looked at. */
export interface CollectableQuery {
  readonly except: ReadonlySet<number>
  /** Only sectors below this number; default: all. */
  readonly before?: number | undefined
}

const worthIt = (sector: Sector): boolean =>
  sector.kind === 'shared' &&
  sector.full &&
  sector.footed &&
  sector.reserved === 0 &&
  sector.liveSize < LIVE_SHARE_MAX * sector.end

/**
 * The sector with the least alive; undefined when none is left. What is made of one is copied again only
 * in a later round (`before`), so that a round always ends.
 */
export const collectable = (
  state: VolumeState,
  { except, before = Number.POSITIVE_INFINITY }: CollectableQuery,
): Collectable | undefined => {
  const [best] = [...state.sectors.values()]
    .filter((sector) => worthIt(sector) && sector.id.number < before)
    .filter(({ id }) => !except.has(id.number))
    .sort((a, b) => a.liveSize / a.end - b.liveSize / b.end)
  if (best === undefined) return undefined
  const carried = neededTombstones(state, best)
  const gains = carried !== undefined && best.liveSize + sizeOf(carried) <= mostCopied(best)
  const sector = best.id.number
  return { sector, live: [...state.table.roots(sector)], gains, next: state.nextNumber }
}

/** More than this is not copied out of a sector: less than that much room would come of it. */
const mostCopied = ({ end }: Sector): number => LIVE_SHARE_MAX * end

/**
 * Copies a payload's record out of a sector.
 * @returns false when it is no longer there, or is damaged and stays where it is.
 * @throws HoldfastError `DISK_FULL` before anything is written.
 */
export const move = (state: VolumeState, root: Root, from: number): boolean => {
  const entry = state.table.get(root)
  if (entry === undefined || entry.sector.number !== from) return false
  if (state.pending.removals.has(root)) return false
  const { free } = usageOf(state)
  const needed = BigInt(recordSize(entry))
  if (needed > free) throw new HoldfastError({ code: 'DISK_FULL', needed, available: free })
  const body = readBody(state, entry)
  if (body === undefined) return false
  const sequence = state.nextSequence++
  const trailer: RecordTrailer = { ...entry.trailer, sequence }
  const sector = sectorFor(state, recordSize(entry))
  const offset = takePlace(sector, recordSize(entry))
  const layout = layoutOf(offset, trailer)
  const { path, salt } = sector
  const { storedAt: _at, framesCrc: _frames, layersCrc: _layers, ...header } = trailer
  state.files.write(path, encodeHeader(header, salt), offset)
  state.files.write(path, body, layout.payload)
  writeTrailer(state, { path, at: layout.trailer, own: false, begun: sequence }, trailer)
  crashPoint('move-written')
  const moved: Entry = { sector: sector.id, offset, trailer, mark: entry.mark }
  state.pending.whenDurable(() => {
    crashPoint('move-synced')
    noteRecord(sector, moved)
    if (state.table.get(root)?.trailer.sequence !== entry.trailer.sequence) sector.dead++
    else become(state, sector, moved)
  })
  return true
}

/** Payload, frame checksums and layers of a record; undefined when any of it is damaged. */
const readBody = (state: VolumeState, entry: Entry): Uint8Array | undefined => {
  const layout = layoutOf(entry.offset, entry.trailer)
  const body = new Uint8Array(layout.trailer - layout.payload)
  const { path } = sectorOf(state, entry)
  try {
    withFile(state.disk, path, 'read', (file) => readFully(state.disk, file, body, layout.payload))
  } catch {
    return undefined
  }
  return isWhole(state, layout, entry.trailer, body) ? body : undefined
}

const isWhole = (
  { checksum }: VolumeState,
  layout: RecordLayout,
  trailer: RecordTrailer,
  body: Uint8Array,
): boolean => {
  const length = toNumber(trailer.commitment.length)
  const crcs = body.slice(length, length + 4 * layout.frames)
  if (checksum(crcs) !== trailer.framesCrc) return false
  const wanted = new DataView(crcs.buffer)
  for (let frame = 0; frame < layout.frames; frame++) {
    const at = frame * FRAME_BYTES
    const data = body.subarray(at, Math.min(length, at + FRAME_BYTES))
    if (checksum(data) !== wanted.getUint32(4 * frame, true)) return false
  }
  return checksum(body.subarray(length + 4 * layout.frames)) === trailer.layersCrc
}

/** Whether this is a tombstone, and some sector but `from` may still hold a dead record that it buries. */
const stillNeeded = (state: VolumeState, from: Sector, { trailer }: Entry): boolean => {
  if (trailer.type !== 'tombstone') return false
  for (const sector of state.sectors.values()) {
    if (sector === from || sector.kind !== 'shared' || sector.dead === 0) continue
    if (sector.firstSequence <= buriedUpTo(trailer)) return true
  }
  return false
}

/** The sequence number up to which a tombstone buries. Those of format 1 buried all before them. */
export const buriedUpTo = ({ layersBytes, sequence, target }: RecordTrailer): bigint =>
  target === undefined || target === 0 ? sequence : layersBytes

/**
 * Writes the tombstones of an emptied sector again that are still needed.
 * @returns false when the sector is not empty, or that would not give room back.
 * @throws HoldfastError `DISK_FULL` before anything is written.
 */
export const retire = (state: VolumeState, number: number): boolean => {
  const sector = state.sectors.get(number)
  if (sector === undefined) return true
  if (sector.live > 0 || !worthIt(sector)) return false
  const needed = neededTombstones(state, sector)
  if (needed === undefined || sizeOf(needed) > mostCopied(sector)) return false
  const { free } = usageOf(state)
  const size = BigInt(sizeOf(needed))
  if (size > free) throw new HoldfastError({ code: 'DISK_FULL', needed: size, available: free })
  for (const { trailer } of needed) {
    const target = trailer.target || sector.id.number
    bury(state, { commitment: trailer.commitment, buries: buriedUpTo(trailer), target })
  }
  crashPoint('retire-carried')
  return true
}

/** The tombstones in a sector that other sectors need; undefined when its footer cannot be read. */
const neededTombstones = (state: VolumeState, sector: Sector): readonly Entry[] | undefined => {
  const footer = withFile(state.disk, sector.path, 'read', (file) =>
    readFooter(state.disk, file, sector.salt, state.checksum),
  )
  return footer && entriesIn(footer.data).filter((entry) => stillNeeded(state, sector, entry))
}

/** What records take when they are written again. */
const sizeOf = (entries: readonly Entry[]): number =>
  entries.reduce((sum, { trailer }) => sum + layoutOf(0, trailer).end, 0)

/** Removes a sector that was retired. */
export const drop = (state: VolumeState, { number }: Pick<SectorId, 'number'>): void => {
  const sector = state.sectors.get(number)
  if (sector === undefined || sector.live > 0) return
  state.sectors.delete(number)
  state.files.forget(sector.path)
  state.disk.unlink(sector.path)
  crashPoint('drop-unlinked')
  state.files.renamedIn(state.paths.sectors)
}
