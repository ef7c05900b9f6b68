/**
 * What a volume holds when it opens: sectors of one payload from the index where it knows their
 * names, full shared sectors from their footers, and only the few that have none record by record.
 *
 * Invariants: a record counts only with a valid trailer; of two records of a root the later one holds, unless a
 * tombstone buries it; bytes behind the last header are kept in `quarantine/` before they are cut.
 */
import { join } from 'node:path'
import type { Root } from '@holdfast/protocol'
import { buriedUpTo } from './collect.ts'
import { cutTail, type RecoveryNote } from './cut-tail.ts'
import { withFile } from './disk.ts'
import { healSuperblock } from './heal-superblock.ts'
import { ENTRY_BYTES, type Entry, encodeEntry } from './record-entry.ts'
import { recoverReservation, recoverReservations } from './recover-reservations.ts'
import { entriesIn, readFooter } from './sector-footer.ts'
import { FIRST_RECORD, layoutOf, type Superblock } from './sector-format.ts'
import { sectorFile, sectorNamed, sectorPath, tagOf } from './sector-names.ts'
import { FileWindow, readHeader, readSuperblock, readTrailer, scanSector } from './sector-scan.ts'
import { Sector } from './sectors.ts'
import { noteChange, type VolumeState } from './volume-state.ts'

export interface RecoveryOptions {
  /** Sectors of one payload that the index knows, by file name. */
  readonly known: ReadonlyMap<string, Entry>
  /** Trusts neither index nor footers. */
  readonly deep: boolean
  readonly note: (note: RecoveryNote) => void
}

/** What is gathered while the sectors are gone through. */
class Recovery {
  readonly state: VolumeState
  readonly options: RecoveryOptions
  readonly #buried = new Map<Root, bigint>()
  readonly #payloads = new Map<number, number>()

  constructor(state: VolumeState, options: RecoveryOptions) {
    this.state = state
    this.options = options
  }

  /** Takes in the bytes of one entry. */
  add(sector: Sector, raw: Uint8Array): void {
    const view = new DataView(raw.buffer, raw.byteOffset, ENTRY_BYTES)
    const sequence = view.getBigUint64(32, true)
    if (sequence < sector.firstSequence) sector.firstSequence = sequence
    if (sequence >= this.state.nextSequence) this.state.nextSequence = sequence + 1n
    const type = view.getUint8(88)
    if (type === 1) {
      const { number } = sector.id
      this.#payloads.set(number, (this.#payloads.get(number) ?? 0) + 1)
      this.state.table.putIfLater(raw)
    } else this.#addOther(sector, raw)
  }

  addEntry(sector: Sector, entry: Entry): void {
    const raw = new Uint8Array(ENTRY_BYTES)
    encodeEntry(entry, raw)
    this.add(sector, raw)
  }

  /** Buries what is buried, and counts. */
  finish(): void {
    const { table, sectors } = this.state
    for (const [root, upTo] of this.#buried) {
      const sequence = table.get(root)?.trailer.sequence
      if (sequence !== undefined && sequence <= upTo) table.delete(root)
    }
    const sums = table.bySector()
    for (const sector of [...sectors.values()]) {
      const { live, size } = sums.get(sector.id.number) ?? { live: 0, size: 0 }
      sector.live = live
      sector.liveSize = size
      sector.dead = (this.#payloads.get(sector.id.number) ?? 0) - live
      if (sector.kind === 'own' && live === 0) this.#dropOwn(sector)
    }
  }

  #addOther(sector: Sector, raw: Uint8Array): void {
    const [entry] = entriesIn(raw)
    if (entry === undefined) return
    const { trailer } = entry
    if (trailer.type === 'pad') {
      this.#addOpen(sector, entry.offset)
      return
    }
    const upTo = buriedUpTo(trailer)
    const { root } = trailer.commitment
    if (upTo > (this.#buried.get(root) ?? -1n)) this.#buried.set(root, upTo)
  }

  /** What was a reservation when the footer was written may have been sealed since. */
  #addOpen(sector: Sector, offset: number): void {
    const { disk } = this.state
    const sealed = withFile(disk, sector.path, 'read', (file) => {
      const header = readHeader(disk, file, offset, sector.salt)
      return header && readTrailer(disk, file, header, layoutOf(offset, header))
    })
    if (sealed === undefined) {
      recoverReservation(this.state, sector, offset)
      return
    }
    const late = { sector: sector.id, offset, trailer: sealed, mark: 0 }
    sector.entries.push(late)
    this.addEntry(sector, late)
  }

  /** A later record of the same payload has taken this one's place. */
  #dropOwn(sector: Sector): void {
    this.state.sectors.delete(sector.id.number)
    this.state.disk.unlink(sector.path)
    noteChange(this.state, sector, undefined)
  }
}

/** Fills the state of a volume from its files. @throws HoldfastError `STORE_CORRUPT`. */
export const recoverVolume = (state: VolumeState, options: RecoveryOptions): void => {
  const { disk, paths } = state
  for (const part of [paths.incoming, paths.sectors, paths.quarantine]) disk.makeDirectory(part)
  const recovery = new Recovery(state, options)
  const files = new Set(disk.list(paths.sectors))
  for (const file of files) {
    const id = sectorNamed(file)
    const known = options.deep ? undefined : options.known.get(file)
    if (id === undefined) note(recovery, 'warn', 'a file that is no sector', file)
    else if (known !== undefined) addOwn(recovery, known)
    else recoverFile(recovery, file, files)
    if (id !== undefined && id.number >= state.nextNumber) state.nextNumber = id.number + 1
  }
  for (const file of options.known.keys()) {
    if (!files.has(file)) state.changes.set(file, undefined)
  }
  recovery.finish()
  recoverReservations(state)
}

const note = (
  { state, options }: Recovery,
  level: RecoveryNote['level'],
  event: string,
  file: string,
  fields: RecoveryNote['fields'] = {},
): void =>
  options.note({ level, event, fields: { path: join(state.paths.sectors, file), ...fields } })

const addOwn = (recovery: Recovery, entry: Entry, salt: Uint8Array = new Uint8Array(0)): Sector => {
  const { state } = recovery
  const path = sectorPath(state.paths.sectors, entry.sector)
  const sector = new Sector(entry.sector, 'own', salt, path)
  const { end } = layoutOf(entry.offset, entry.trailer)
  Object.assign(sector, { end, size: end, full: true, footed: true })
  state.sectors.set(entry.sector.number, sector)
  recovery.addEntry(sector, entry)
  return sector
}

const recoverFile = (recovery: Recovery, file: string, files: ReadonlySet<string>): void => {
  const { disk, paths } = recovery.state
  const path = join(paths.sectors, file)
  let rightful: string | undefined
  withFile(disk, path, 'read', (open) => {
    const superblock = readSuperblock(disk, open, path)
    if (superblock === undefined) return notASector(recovery, file, disk.size(open))
    rightful = sectorFile(idOf(superblock))
    if (rightful !== file) return undefined
    if (healSuperblock(disk, path, superblock)) {
      note(recovery, 'warn', 'a copy of the superblock was damaged: written again', file)
    }
    if (superblock.kind === 'own') recoverOwn(recovery, superblock, open, file)
    else recoverShared(recovery, superblock, open, path)
  })
  if (rightful === undefined || rightful === file) return
  if (files.has(rightful)) {
    note(recovery, 'error', 'sector file is a copy of another', file)
    return
  }
  note(recovery, 'warn', 'sector file had another name', file, { name: rightful })
  disk.rename(path, join(paths.sectors, rightful))
  recoverFile(recovery, rightful, new Set([...files, rightful]))
}

const idOf = ({ format, sector, salt }: Superblock): Sector['id'] => ({
  number: sector,
  tag: format === 1 ? 0 : tagOf(salt),
})

/** A sector file whose creation was cut short holds nothing; anything longer is left for a person. */
const notASector = (recovery: Recovery, file: string, size: number): void => {
  const { disk, paths } = recovery.state
  if (size <= FIRST_RECORD) disk.unlink(join(paths.sectors, file))
  else note(recovery, 'error', 'sector unreadable: both superblocks are damaged', file)
}

const recoverOwn = (
  recovery: Recovery,
  superblock: Superblock,
  open: number,
  file: string,
): void => {
  const { disk } = recovery.state
  const header = readHeader(disk, open, FIRST_RECORD, superblock.salt)
  const layout = header && layoutOf(FIRST_RECORD, header)
  const trailer = header && layout && readTrailer(disk, open, header, layout)
  if (trailer === undefined) {
    note(recovery, 'error', 'sector damaged: its record cannot be read', file)
    return
  }
  const entry = { sector: idOf(superblock), offset: FIRST_RECORD, trailer, mark: 0 }
  const sector = addOwn(recovery, entry, superblock.salt)
  noteChange(recovery.state, sector, entry)
}

const recoverShared = (
  recovery: Recovery,
  superblock: Superblock,
  open: number,
  path: string,
): void => {
  const { state, options } = recovery
  const sector = new Sector(idOf(superblock), 'shared', superblock.salt, path)
  state.sectors.set(superblock.sector, sector)
  const footer = readFooter(state.disk, open, superblock.salt, state.checksum)
  sector.size = state.disk.size(open)
  if (footer !== undefined && !options.deep) {
    Object.assign(sector, { end: footer.offset, full: true, footed: true })
    for (let at = 0; at < footer.data.length; at += ENTRY_BYTES) {
      recovery.add(sector, footer.data.subarray(at, at + ENTRY_BYTES))
    }
    const late = sector.entries.length
    if (late === 0 && sector.reserved === 0) return
    // It will get another footer, which has to say all of this again.
    const before = entriesIn(footer.data).filter(({ trailer }) => trailer.type !== 'pad')
    sector.entries.unshift(...before)
    sector.footed = late === 0
    return
  }
  sector.end = scanShared(recovery, sector, open, superblock)
  sector.full = superblock.format === 1 || BigInt(sector.end) >= state.options.sharedSectorBytes
  // Read in spite of its footer: it gets a new one in the same place.
  if (footer !== undefined) Object.assign(sector, { full: true, size: footer.offset })
  else cutTail(recovery.state, sector, open, recovery.options.note)
}

/** Walks a sector's records; returns where they end. */
const scanShared = (
  recovery: Recovery,
  sector: Sector,
  open: number,
  superblock: Superblock,
): number => {
  const { state } = recovery
  const window = new FileWindow(state.disk, open)
  let end = FIRST_RECORD
  for (const step of scanSector(window, superblock)) {
    end = step.end
    const place = { path: sector.path, offset_bytes: step.offset, end_bytes: step.end }
    if (step.kind === 'record') {
      const { offset, trailer } = step
      const entry = { sector: sector.id, offset, trailer, mark: 0 }
      sector.entries.push(entry)
      recovery.addEntry(sector, entry)
      continue
    }
    if (step.kind === 'open') {
      recoverReservation(state, sector, step.offset)
      continue
    }
    // After power loss this is a place that was never given out; whatever was promised and is missing
    // is found when the promises are gone through.
    const event = 'no record can be read here, later ones can'
    recovery.options.note({ level: 'warn', event, fields: place })
  }
  return end
}
