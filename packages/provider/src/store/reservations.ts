/**
 * Places for payloads that are on their way. A payload above the shared maximum gets a file of its
 * own under `incoming/`, laid out as the sector it will become; a smaller one gets its place in a
 * shared sector at once. Either way its bytes are written where they stay.
 *
 * Invariants: the header with the commitment and the reservation's name is written before anything of
 * the payload and into the same file, so the sync that makes bytes durable makes their place known to a
 * restart; a place of which nothing was synced may be gone after power loss; no byte is written outside
 * the reserved payload.
 */
import { join } from 'node:path'
import {
  type Bytes,
  bytes,
  type Commitment,
  HoldfastError,
  smaller,
  toNumber,
} from '@holdfast/protocol'
import { crashPoint } from './crash-points.ts'
import { FrameSums } from './frame-sums.ts'
import type { Reservation } from './open-reservations.ts'
import {
  encodeHeader,
  FIRST_RECORD,
  HEADER_BYTES,
  layoutOf,
  NAME_BYTES_MAX,
  type RecordHeader,
  recordBytes,
} from './sector-format.ts'
import type { StagingName } from './sector-store.ts'
import { newIdentity, sectorFor, superblocks, takePlace } from './shared-sectors.ts'
import type { VolumeState } from './volume-state.ts'

export const STAGING_NAME: RegExp = new RegExp(`^[a-z0-9-]{1,${NAME_BYTES_MAX}}$`)

export const incomingPath = (state: VolumeState, name: StagingName): string =>
  join(state.paths.incoming, `${name}.sector`)

const atLeastNone = (value: bigint): Bytes => bytes(value > 0n ? value : 0n)

/** What sealed records take, and what reservations may. */
export const usageOf = (
  state: VolumeState,
): { readonly used: bigint; readonly reserved: bigint; readonly free: bigint } => {
  const { sectors, reservations } = state
  const used = sectors.used - reservations.shared
  const { reserved, outstanding } = reservations
  const { capacity, diskMargin } = state.options
  const byCapacity = capacity - used - reserved
  const byDisk = state.disk.free(state.paths.root) - diskMargin - outstanding
  return { used, reserved, free: smaller(atLeastNone(byCapacity), atLeastNone(byDisk)) }
}

/** Makes a place. Repeating it with the same name and root changes nothing. */
export const reserve = (
  state: VolumeState,
  name: StagingName,
  commitment: Commitment,
  layersBytes: RecordHeader['layersBytes'],
): Reservation => {
  const present = state.reservations.get(name)
  if (present?.header.commitment.root === commitment.root) return present
  if (!STAGING_NAME.test(name) || present !== undefined) {
    const sentence = `the reservation "${name}" has a name of its own`
    throw new HoldfastError({ code: 'INVARIANT', sentence })
  }
  const needed = recordBytes(commitment.length, layersBytes) + BigInt(FIRST_RECORD)
  const { free } = usageOf(state)
  if (needed > free) throw new HoldfastError({ code: 'DISK_FULL', needed, available: free })
  const sequence = state.nextSequence++
  const header: RecordHeader = { type: 'payload', sequence, commitment, layersBytes, name }
  const own = commitment.length > state.options.sharedPayloadMax
  const reservation = own ? ownPlace(state, header) : sharedPlace(state, header)
  state.reservations.set(name, reservation)
  crashPoint('reserve-header')
  state.pending.whenDurable(() => crashPoint('reserve-synced'))
  return reservation
}

const sumsFor = (state: VolumeState, { commitment }: RecordHeader): FrameSums =>
  new FrameSums(state.checksum, toNumber(commitment.length))

const sharedPlace = (state: VolumeState, header: RecordHeader): Reservation => {
  const size = layoutOf(0, header).end
  const sector = sectorFor(state, size)
  const { id, salt, path } = sector
  state.files.write(path, encodeHeader(header, salt), sector.end)
  const layout = layoutOf(takePlace(sector, size), header)
  // The file covers its records from the start, so that no part of one is ever behind its end.
  state.disk.truncate(state.files.get(path), layout.end)
  sector.reserved++
  const sums = sumsFor(state, header)
  return { ...begin(header), kind: 'shared', id, salt, path, header, layout, sums }
}

const ownPlace = (state: VolumeState, header: RecordHeader): Reservation => {
  const { number, tag, salt } = newIdentity(state)
  const { name = '' } = header
  const path = incomingPath(state, name)
  const layout = layoutOf(FIRST_RECORD, header)
  const file = state.files.create(path, state.paths.incoming)
  const start = new Uint8Array(FIRST_RECORD + HEADER_BYTES)
  start.set(superblocks(number, 'own', salt))
  start.set(encodeHeader(header, salt), FIRST_RECORD)
  try {
    state.files.write(path, start, 0)
    state.disk.truncate(file, layout.end)
  } catch (error) {
    state.files.forget(path)
    state.disk.unlink(path)
    throw error
  }
  const id = { number, tag }
  const sums = sumsFor(state, header)
  return { ...begin(header), kind: 'own', id, salt, path, header, layout, sums }
}

const begin = ({ name = '' }: RecordHeader): Pick<Reservation, 'name' | 'written' | 'sealing'> => ({
  name,
  written: 0,
  sealing: false,
})

/** @throws HoldfastError `SESSION_NOT_FOUND` when there is no such reservation. */
export const reservationOf = (state: VolumeState, name: StagingName): Reservation => {
  const reservation = state.reservations.get(name)
  if (reservation === undefined) {
    throw new HoldfastError({ code: 'SESSION_NOT_FOUND', session: name })
  }
  return reservation
}

/** Writes payload bytes. @throws HoldfastError `RANGE_INVALID` outside the payload. */
export const writeBytes = (
  state: VolumeState,
  name: StagingName,
  offset: number,
  data: Uint8Array,
): void => {
  const reservation = reservationOf(state, name)
  const { layout, header, path, sums, sealing } = reservation
  if (sealing || offset < 0 || BigInt(offset + data.length) > header.commitment.length) {
    const reason = `${data.length} bytes at ${offset} of a payload of ${header.commitment.length}`
    throw new HoldfastError({ code: 'RANGE_INVALID', reason })
  }
  state.files.write(path, data, layout.payload + offset)
  crashPoint('write-data')
  state.files.startWriting(path, layout.payload + offset, layout.payload + offset + data.length)
  sums.pass(offset, data)
  state.reservations.wrote(reservation, data.length)
}

/** Gives a reservation's place back. Should that not survive a crash, intake finds nobody who wants it. */
export const discard = (state: VolumeState, name: StagingName): void => {
  const reservation = state.reservations.get(name)
  if (reservation === undefined || reservation.sealing) return
  state.reservations.delete(name)
  if (reservation.kind === 'own') {
    state.files.forget(reservation.path)
    state.disk.unlink(reservation.path)
    return
  }
  const { header, layout, path, salt, id } = reservation
  state.files.write(path, encodeHeader({ ...header, type: 'pad' }, salt), layout.header)
  crashPoint('discard-marked')
  const sector = state.sectors.get(id.number)
  if (sector === undefined) return
  sector.reserved--
  if (sector.footed || sector.end !== layout.end) return
  sector.end = layout.header
  sector.size = layout.header
}
