/**
 * Finds the open reservations again: files under `incoming/`, and headers without a whole record in
 * shared sectors. Which of them somebody still wants is for the intake to say.
 */
import { toNumber } from '@holdfast/protocol'
import { withFile } from './disk.ts'
import { FrameSums } from './frame-sums.ts'
import type { Reservation } from './open-reservations.ts'
import { incomingPath } from './reservations.ts'
import { FIRST_RECORD, layoutOf, type RecordHeader } from './sector-format.ts'
import { tagOf } from './sector-names.ts'
import { readHeader, readSuperblock } from './sector-scan.ts'
import type { Sector } from './sectors.ts'
import type { VolumeState } from './volume-state.ts'

const add = (state: VolumeState, reservation: Reservation): void => {
  const { name, header } = reservation
  const present = state.reservations.get(name)
  if (present !== undefined && present.header.sequence > header.sequence) return
  if (present !== undefined) release(state, present)
  state.reservations.set(name, reservation)
  const sector = state.sectors.get(reservation.id.number)
  if (reservation.kind === 'shared' && sector !== undefined) sector.reserved++
  if (header.sequence >= state.nextSequence) state.nextSequence = header.sequence + 1n
  if (reservation.id.number >= state.nextNumber) state.nextNumber = reservation.id.number + 1
}

const release = (state: VolumeState, { kind, id }: Reservation): void => {
  const sector = state.sectors.get(id.number)
  if (kind === 'shared' && sector !== undefined) sector.reserved--
}

const fresh = (
  state: VolumeState,
  header: RecordHeader,
): Pick<Reservation, 'header' | 'sums' | 'written' | 'sealing'> => ({
  header,
  sums: new FrameSums(state.checksum, toNumber(header.commitment.length)),
  written: 0,
  sealing: false,
})

/** A header in a shared sector whose record was never finished. */
export const recoverReservation = (state: VolumeState, sector: Sector, offset: number): void => {
  const { id, salt, path } = sector
  const header = withFile(state.disk, path, 'read', (file) =>
    readHeader(state.disk, file, offset, salt),
  )
  if (header?.type !== 'payload' || header.name === undefined) return
  const layout = layoutOf(offset, header)
  add(state, { ...fresh(state, header), name: header.name, kind: 'shared', id, salt, path, layout })
}

/** Files under `incoming/`; those that never became reservations are removed. */
export const recoverReservations = (state: VolumeState): void => {
  const { disk, paths } = state
  for (const file of disk.list(paths.incoming)) {
    const name = file.replace(/\.sector$/, '')
    const path = incomingPath(state, name)
    const found = file === name ? undefined : readIncoming(state, name, path)
    if (found === undefined) disk.unlink(`${paths.incoming}/${file}`)
    else add(state, found)
  }
}

const readIncoming = (state: VolumeState, name: string, path: string): Reservation | undefined =>
  withFile(state.disk, path, 'read', (file) => {
    const superblock = readSuperblock(state.disk, file, path)
    const header = superblock && readHeader(state.disk, file, FIRST_RECORD, superblock.salt)
    const layout = header && layoutOf(FIRST_RECORD, header)
    if (superblock === undefined || header === undefined || layout === undefined) return undefined
    if (state.disk.size(file) < layout.end) return undefined
    const { salt, sector: number, format } = superblock
    const id = { number, tag: format === 1 ? 0 : tagOf(salt) }
    return { ...fresh(state, header), name, kind: 'own', id, salt, path, layout }
  })
