/**
 * The bytes of a sector file, and the arithmetic of its records. A sector is two copies of a 4 KiB
 * superblock and then records, each starting at a multiple of 4 KiB:
 *
 *   header 128 | payload | CRC-32C per 64 KiB frame, 4 bytes each | kept layers | trailer 128 | pad
 *
 * Invariants: a record exists if and only if its trailer is valid and agrees with its header; the
 * header carries the sector's secret salt, so that payload bytes cannot pass for a header. All
 * integers are little-endian. The format is described for people in packages/provider/README.md.
 *
 * Format 2 differs from 1: a header names its reservation, a trailer has a sequence number of its own
 * (a place may be taken long before it is sealed), `pad` marks a place that was given up, a tombstone
 * says which record it buries, and a full shared sector ends with a footer.
 */
import {
  type Bytes,
  bytes,
  type Commitment,
  divUp,
  fromHex,
  HoldfastError,
  root,
  schemeId,
  type Timestamp,
  timestamp,
  toHex,
  toNumber,
} from '@holdfast/protocol'
import { crc32c } from './crc32c.ts'

/** What new sectors are written in. */
export const SECTOR_FORMAT = 2
const FORMATS: ReadonlySet<number> = new Set([1, 2])
export const SUPERBLOCK_BYTES = 4096
/** Where the first record begins: after both superblocks. */
export const FIRST_RECORD: number = 2 * SUPERBLOCK_BYTES
export const RECORD_ALIGNMENT = 4096
export const HEADER_BYTES = 128
export const TRAILER_BYTES = 128
/** Payload bytes under one checksum: the least that is read and checked for a range. */
export const FRAME_BYTES = 65_536
export const SALT_BYTES = 16

const SUPERBLOCK_MAGIC = 'HFSECTOR'
const HEADER_MAGIC = 'HFRECORD'
const TRAILER_MAGIC = 'HFCOMMIT'
/** Bytes of a reservation's name in a header. */
export const NAME_BYTES_MAX = 40
const RECORD_TYPES = { payload: 1, tombstone: 2, pad: 3 } as const

export type RecordType = keyof typeof RECORD_TYPES
const TYPE_NAMES: readonly (RecordType | undefined)[] = [undefined, 'payload', 'tombstone', 'pad']

/** `shared` sectors take many small records one after the other; an `own` sector holds one payload. */
export type SectorKind = 'shared' | 'own'

export interface Superblock {
  readonly format: number
  readonly sector: number
  readonly kind: SectorKind
  /** Random, secret: binds headers to this file. */
  readonly salt: Uint8Array
}

export interface RecordHeader {
  readonly type: RecordType
  /**
   * Grows with everything a volume begins and seals; of two records of one root the one that was
   * sealed under the higher number holds.
   */
  readonly sequence: bigint
  readonly commitment: Commitment
  /** Of a tombstone: the sequence number up to which it buries records of its root. */
  readonly layersBytes: Bytes
  /** The reservation that a record began as. */
  readonly name?: string
}

export interface RecordTrailer extends Omit<RecordHeader, 'name'> {
  readonly storedAt: Timestamp
  /** CRC-32C over the frame checksums. */
  readonly framesCrc: number
  /** CRC-32C over the kept layers. */
  readonly layersCrc: number
  /** Of a tombstone: the sector of the record that it buries; 0 when that is not known. */
  readonly target?: number
}

/** Where the parts of a record lie, as offsets from the start of its file. */
export interface RecordLayout {
  readonly header: number
  readonly payload: number
  readonly frameCrcs: number
  readonly frames: number
  readonly layers: number
  readonly trailer: number
  /** The next record may begin here: a multiple of the alignment. */
  readonly end: number
}

/** @throws HoldfastError `UNIT_INVALID` past 2^53. */
export const layoutAt = (offset: number, payload: Bytes, layers: Bytes): RecordLayout => {
  const frames = toNumber(divUp(payload, BigInt(FRAME_BYTES)))
  const frameCrcs = offset + HEADER_BYTES + toNumber(payload)
  const layersAt = frameCrcs + 4 * frames
  const trailer = layersAt + toNumber(layers)
  return {
    header: offset,
    payload: offset + HEADER_BYTES,
    frameCrcs,
    frames,
    layers: layersAt,
    trailer,
    end: alignUp(trailer + TRAILER_BYTES),
  }
}

/** Where the parts of the record with this header lie. A tombstone has no payload of its own. */
export const layoutOf = (offset: number, header: RecordHeader): RecordLayout =>
  header.type !== 'tombstone'
    ? layoutAt(offset, header.commitment.length, header.layersBytes)
    : layoutAt(offset, bytes(0), bytes(0))

/** How much disk a record takes, padding included. */
export const recordBytes = (payload: Bytes, layers: Bytes): Bytes =>
  bytes(layoutAt(0, payload, layers).end)

export const alignUp = (offset: number): number =>
  Math.ceil(offset / RECORD_ALIGNMENT) * RECORD_ALIGNMENT

const magicBytes = (magic: string): Uint8Array => new TextEncoder().encode(magic)

/** Writes the CRC of everything before it into the last four bytes. */
const sealed = (block: Uint8Array): Uint8Array => {
  const end = block.length - 4
  new DataView(block.buffer, block.byteOffset).setUint32(end, crc32c(block.subarray(0, end)), true)
  return block
}

const view = (block: Uint8Array): DataView =>
  new DataView(block.buffer, block.byteOffset, block.length)

const isSealed = (block: Uint8Array, magic: string, length: number): boolean => {
  if (block.length !== length) return false
  if (!magicBytes(magic).every((byte, i) => block[i] === byte)) return false
  return view(block).getUint32(length - 4, true) === crc32c(block.subarray(0, length - 4))
}

export const encodeSuperblock = (superblock: Superblock): Uint8Array => {
  const block = new Uint8Array(SUPERBLOCK_BYTES)
  block.set(magicBytes(SUPERBLOCK_MAGIC))
  view(block).setUint32(8, superblock.format, true)
  view(block).setUint32(12, superblock.sector, true)
  block.set(superblock.salt, 16)
  view(block).setUint8(16 + SALT_BYTES, superblock.kind === 'shared' ? 1 : 2)
  return sealed(block)
}

/**
 * The superblock of a file's first two blocks: the first valid copy; undefined when neither is.
 * @throws HoldfastError `STORE_CORRUPT` for a format this program does not know.
 */
export const decodeSuperblock = (blocks: Uint8Array, path: string): Superblock | undefined => {
  for (const start of [0, SUPERBLOCK_BYTES]) {
    const block = blocks.subarray(start, start + SUPERBLOCK_BYTES)
    if (!isSealed(block, SUPERBLOCK_MAGIC, SUPERBLOCK_BYTES)) continue
    const format = view(block).getUint32(8, true)
    if (!FORMATS.has(format)) {
      const reason = `format ${format} is newer than this program (${SECTOR_FORMAT}); use the one that wrote it`
      throw new HoldfastError({ code: 'STORE_CORRUPT', path, offset: 8n, reason })
    }
    return {
      format,
      sector: view(block).getUint32(12, true),
      kind: view(block).getUint8(16 + SALT_BYTES) === 1 ? 'shared' : 'own',
      salt: block.slice(16, 16 + SALT_BYTES),
    }
  }
  return undefined
}

const putHeader = (block: Uint8Array, magic: string, header: RecordHeader): DataView => {
  block.set(magicBytes(magic))
  const data = view(block)
  data.setUint16(8, SECTOR_FORMAT, true)
  data.setUint8(10, RECORD_TYPES[header.type])
  data.setUint8(11, header.commitment.scheme)
  data.setBigUint64(12, header.sequence, true)
  block.set(fromHex(header.commitment.root), 20)
  data.setBigUint64(52, header.commitment.length, true)
  data.setBigUint64(60, header.layersBytes, true)
  return data
}

const getHeader = (block: Uint8Array): RecordHeader | undefined => {
  const data = view(block)
  const type = data.getUint8(10)
  const scheme = data.getUint8(11)
  if (!FORMATS.has(data.getUint16(8, true)) || (scheme !== 1 && scheme !== 2)) return undefined
  const known = TYPE_NAMES[type]
  if (known === undefined) return undefined
  return {
    type: known,
    sequence: data.getBigUint64(12, true),
    commitment: {
      scheme: schemeId(scheme),
      root: root(toHex(block.subarray(20, 52))),
      length: bytes(data.getBigUint64(52, true)),
    },
    layersBytes: bytes(data.getBigUint64(60, true)),
  }
}

export const encodeHeader = (header: RecordHeader, salt: Uint8Array): Uint8Array => {
  const block = new Uint8Array(HEADER_BYTES)
  putHeader(block, HEADER_MAGIC, header)
  block.set(salt, 68)
  block.set(magicBytes(header.name ?? '').subarray(0, NAME_BYTES_MAX), NAME_AT)
  return sealed(block)
}

/** Undefined unless the block is a whole header of the sector with this salt. */
export const decodeHeader = (block: Uint8Array, salt: Uint8Array): RecordHeader | undefined => {
  if (!isSealed(block, HEADER_MAGIC, HEADER_BYTES)) return undefined
  if (!salt.every((byte, i) => block[68 + i] === byte)) return undefined
  const header = getHeader(block)
  const name = nameIn(block.subarray(NAME_AT, NAME_AT + NAME_BYTES_MAX))
  return header === undefined || name === '' ? header : { ...header, name }
}

const NAME_AT: number = 68 + SALT_BYTES

const nameIn = (field: Uint8Array): string => {
  const end = field.indexOf(0)
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end))
}

/** @param begun the sequence number of the record's header, where it is not the trailer's own. */
export const encodeTrailer = (
  trailer: RecordTrailer,
  begun: bigint = trailer.sequence,
): Uint8Array => {
  const block = new Uint8Array(TRAILER_BYTES)
  const data = putHeader(block, TRAILER_MAGIC, { ...trailer, sequence: begun })
  data.setBigUint64(68, trailer.storedAt, true)
  data.setUint32(76, trailer.framesCrc, true)
  data.setUint32(80, trailer.layersCrc, true)
  data.setUint32(84, trailer.target ?? 0, true)
  data.setBigUint64(88, trailer.sequence, true)
  return sealed(block)
}

/** Undefined unless the block is a whole trailer that belongs to `header`. */
export const decodeTrailer = (
  block: Uint8Array,
  header: RecordHeader,
): RecordTrailer | undefined => {
  if (!isSealed(block, TRAILER_MAGIC, TRAILER_BYTES)) return undefined
  const own = getHeader(block)
  if (own === undefined || !sameHeader(own, header)) return undefined
  const data = view(block)
  const sealed = data.getBigUint64(88, true)
  return {
    ...own,
    sequence: sealed === 0n ? own.sequence : sealed,
    storedAt: timestamp(data.getBigUint64(68, true)),
    framesCrc: data.getUint32(76, true),
    layersCrc: data.getUint32(80, true),
    ...(own.type === 'tombstone' ? { target: data.getUint32(84, true) } : {}),
  }
}

const sameHeader = (a: RecordHeader, b: RecordHeader): boolean =>
  a.type === b.type &&
  a.sequence === b.sequence &&
  a.commitment.scheme === b.commitment.scheme &&
  a.commitment.root === b.commitment.root &&
  a.commitment.length === b.commitment.length &&
  a.layersBytes === b.layersBytes
