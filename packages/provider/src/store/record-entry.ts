/**
 * What is known of one record without reading it, as 96 bytes: the unit of the table in memory, of a
 * sector's footer and of the index. Little-endian:
 *
 *   root 32 | sequence 8 | length 8 | layers 8 | offset 8 | stored at 8 | frames CRC 4 | layers CRC 4
 *   | sector 4 | tag 4 | type 1 | scheme 1 | unused 2 | mark 4
 *
 * `mark` is when the record was last verified (in the table), or the sector of the buried record.
 */
import { bytes, fromHex, root, schemeId, timestamp, toHex } from '@holdfast/protocol'
import type { RecordTrailer, RecordType } from './sector-format.ts'

export const ENTRY_BYTES = 96

/** The name of a sector: its number, and four bytes of its salt, so that no name is used twice. */
export interface SectorId {
  readonly number: number
  /** 0 for sectors of the first format, whose names have none. */
  readonly tag: number
}

/** A record and where it lies. */
export interface Entry {
  readonly sector: SectorId
  readonly offset: number
  readonly trailer: RecordTrailer
  /** When a payload was last verified, in seconds since 1970; 0: never. */
  readonly mark: number
}

/** Where the parts of an entry that are looked at alone lie. */
/** As in the sectors; `pad` stands for a reservation that was open when the footer was written. */
const TYPES: readonly RecordType[] = ['payload', 'tombstone', 'pad']

export const AT = { sequence: 32, length: 40, layers: 48, sector: 80, type: 88, mark: 92 } as const

export const encodeEntry = (entry: Entry, into: Uint8Array): void => {
  const { trailer, sector, offset, mark } = entry
  const { commitment } = trailer
  const data = new DataView(into.buffer, into.byteOffset, ENTRY_BYTES)
  into.set(fromHex(commitment.root), 0)
  data.setBigUint64(32, trailer.sequence, true)
  data.setBigUint64(40, commitment.length, true)
  data.setBigUint64(48, trailer.layersBytes, true)
  data.setBigUint64(56, BigInt(offset), true)
  data.setBigUint64(64, trailer.storedAt, true)
  data.setUint32(72, trailer.framesCrc, true)
  data.setUint32(76, trailer.layersCrc, true)
  data.setUint32(80, sector.number, true)
  data.setUint32(84, sector.tag, true)
  data.setUint8(AT.type, TYPES.indexOf(trailer.type) + 1)
  data.setUint8(89, commitment.scheme)
  data.setUint16(90, 0, true)
  data.setUint32(AT.mark, trailer.type === 'tombstone' ? (trailer.target ?? 0) : mark, true)
}

/** Undefined for a place that holds no entry. */
export const decodeEntry = (from: Uint8Array): Entry | undefined => {
  const data = new DataView(from.buffer, from.byteOffset, ENTRY_BYTES)
  const type = TYPES[data.getUint8(AT.type) - 1]
  const scheme = data.getUint8(89)
  if (type === undefined || (scheme !== 1 && scheme !== 2)) return undefined
  const mark = data.getUint32(AT.mark, true)
  return {
    sector: { number: data.getUint32(80, true), tag: data.getUint32(84, true) },
    offset: Number(data.getBigUint64(56, true)),
    mark: type === 'tombstone' ? 0 : mark,
    trailer: {
      type,
      sequence: data.getBigUint64(32, true),
      commitment: {
        scheme: schemeId(scheme),
        root: root(toHex(from.slice(0, 32))),
        length: bytes(data.getBigUint64(40, true)),
      },
      layersBytes: bytes(data.getBigUint64(48, true)),
      storedAt: timestamp(data.getBigUint64(64, true)),
      framesCrc: data.getUint32(72, true),
      layersCrc: data.getUint32(76, true),
      ...(type === 'tombstone' ? { target: mark } : {}),
    },
  }
}
