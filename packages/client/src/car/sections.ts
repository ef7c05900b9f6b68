/**
 * The bytes of a CARv1 around its blocks: the header and each section's prefix (length and CID).
 * Bounds on what is read: a header of 32 KiB, a section of 4 MiB (blocks are at most 2 MiB by
 * IPFS convention; ours at most 1 MiB, directories at most 256 KiB and their framing).
 */
import { HoldfastError } from '@holdfast/protocol'
import { encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { readVarint, varintLength, writeVarint } from './varint.ts'

export const HEADER_LENGTH_MAX: number = 32 * 1024
export const SECTION_LENGTH_MAX: number = 4 * 1024 * 1024
/** More than any section prefix takes: the length, then a CID with a digest of up to 64 bytes. */
export const PREFIX_LENGTH_MAX = 96

/** A CARv1 header with one root. */
export const encodeHeader = (root: CID): Uint8Array => {
  const body = encode({ roots: [root], version: 1 })
  const header = new Uint8Array(varintLength(body.length) + body.length)
  header.set(body, writeVarint(body.length, header, 0))
  return header
}

/** What stands before a block: the section's length and the CID. */
export const encodePrefix = (cid: CID, blockLength: number): Uint8Array => {
  const length = cid.bytes.length + blockLength
  if (length > SECTION_LENGTH_MAX) {
    const reason = `block ${cid.toString()} of ${blockLength} bytes is above the section limit`
    throw new HoldfastError({ code: 'CAR_INVALID', reason })
  }
  const prefix = new Uint8Array(varintLength(length) + cid.bytes.length)
  prefix.set(cid.bytes, writeVarint(length, prefix, 0))
  return prefix
}

export interface SectionPrefix {
  readonly cid: CID
  /** Bytes before the block. */
  readonly prefixLength: number
  readonly blockLength: number
}

/**
 * Reads a section's prefix from the start of `data`; undefined when more bytes are needed.
 * @throws HoldfastError `CAR_INVALID` for a length of 0 or above the limit, or a malformed CID.
 */
export const decodePrefix = (data: Uint8Array): SectionPrefix | undefined => {
  const length = readVarint(data, 0)
  if (length === undefined) return undefined
  if (length.value === 0 || length.value > SECTION_LENGTH_MAX) {
    throw new HoldfastError({ code: 'CAR_INVALID', reason: `a section of ${length.value} bytes` })
  }
  const available = Math.min(data.length, length.end + length.value)
  try {
    const [cid] = CID.decodeFirst(data.subarray(length.end, available))
    const prefixLength = length.end + cid.bytes.length
    return { cid, prefixLength, blockLength: length.value - cid.bytes.length }
  } catch (cause) {
    const whole = available === length.end + length.value
    if (!whole && data.length < PREFIX_LENGTH_MAX) return undefined
    throw new HoldfastError({ code: 'CAR_INVALID', reason: 'a section has no CID' }, { cause })
  }
}
