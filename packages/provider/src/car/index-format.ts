/**
 * The form of a CAR index: an immutable sorted table in one file per payload. It is a hint that can be
 * made again from the payload at any time; a reader compares the CID it finds in the payload with the
 * one it wants, so a wrong index can cost an answer and never give a wrong byte.
 *
 * Pages of 4096 bytes, integers little endian. Page 0: magic, payload root (32), payload length (8),
 * entries (8), length of the JSON that follows (4), JSON (roots, counts). Pages from 1 on: up to 170
 * entries of 24 bytes (first 16 bytes of the digest, offset of the section), ascending by key. The last
 * 4 bytes of every page are the CRC-32C of those before.
 */
import type { Checksum } from '@holdfast/prover'
import { KEY_BYTES } from './cids.ts'

export const PAGE_BYTES = 4096
export const ENTRY_BYTES: number = KEY_BYTES + 8
export const ENTRIES_PER_PAGE = 170

const MAGIC = Buffer.from('holdfast-cidx/1\n')
const AT = { root: 16, length: 48, entries: 56, jsonLength: 64, json: 68 } as const
const CRC_AT: number = PAGE_BYTES - 4

/** What page 0 says. */
export interface IndexHeader {
  /** Root of the payload, 0x and hex. */
  readonly payload: string
  readonly payloadLength: number
  readonly entries: number
  /** CIDs that the CAR's header names; the first ones, as many as fit. */
  readonly roots: readonly string[]
  readonly unknown: number
  readonly wrong: number
  readonly ended: string | undefined
}

/** Fills in the last four bytes. */
export const sealPage = (page: Buffer, checksum: Checksum): void => {
  page.writeUInt32LE(checksum(page.subarray(0, CRC_AT)), CRC_AT)
}

export const isPageWhole = (page: Buffer, checksum: Checksum): boolean =>
  page.length === PAGE_BYTES && page.readUInt32LE(CRC_AT) === checksum(page.subarray(0, CRC_AT))

export const encodeIndexHeader = (header: IndexHeader, checksum: Checksum): Buffer => {
  const page = Buffer.alloc(PAGE_BYTES)
  MAGIC.copy(page)
  Buffer.from(header.payload.slice(2), 'hex').copy(page, AT.root)
  page.writeBigUInt64LE(BigInt(header.payloadLength), AT.length)
  page.writeBigUInt64LE(BigInt(header.entries), AT.entries)
  const { unknown, wrong, ended } = header
  let roots = [...header.roots]
  let json = Buffer.alloc(PAGE_BYTES)
  while (json.length > CRC_AT - AT.json) {
    json = Buffer.from(JSON.stringify({ roots, unknown, wrong, ended: ended?.slice(0, 200) }))
    if (json.length > CRC_AT - AT.json) roots = roots.slice(0, roots.length >> 1)
  }
  page.writeUInt32LE(json.length, AT.jsonLength)
  json.copy(page, AT.json)
  sealPage(page, checksum)
  return page
}

/** Undefined for a page that is damaged or of another format. */
export const decodeIndexHeader = (page: Buffer, checksum: Checksum): IndexHeader | undefined => {
  if (!isPageWhole(page, checksum) || !page.subarray(0, MAGIC.length).equals(MAGIC))
    return undefined
  const jsonLength = page.readUInt32LE(AT.jsonLength)
  const said: Pick<IndexHeader, 'roots' | 'unknown' | 'wrong' | 'ended'> = JSON.parse(
    page.subarray(AT.json, AT.json + jsonLength).toString(),
  )
  return {
    payload: `0x${page.subarray(AT.root, AT.root + 32).toString('hex')}`,
    payloadLength: Number(page.readBigUInt64LE(AT.length)),
    entries: Number(page.readBigUInt64LE(AT.entries)),
    roots: said.roots,
    unknown: said.unknown,
    wrong: said.wrong,
    ended: said.ended,
  }
}
