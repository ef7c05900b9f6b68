/**
 * CIDs as this provider uses them: read from text and from sections, compared by multihash, because a
 * block is the same block under every codec and base.
 */
import { createHash } from 'node:crypto'
import { base32 } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { CID_BYTES_MAX } from './car-limits.ts'

/** Bytes of a digest that an index keeps. */
export const KEY_BYTES = 16

const SHA2_256 = 0x12
const SHA2_512 = 0x13
export const IDENTITY = 0x00

/** Hash functions that are checked here, by their multihash code. */
const NODE_NAMES: ReadonlyMap<number, string> = new Map([
  [SHA2_256, 'sha256'],
  [SHA2_512, 'sha512'],
])

const BASES = base32.decoder.or(base58btc.decoder).or(base36.decoder)
/** The longest text of a CID that is looked at. */
const TEXT_MAX = 256

/** The CID that a text names in base 32, 36 or 58; undefined when it names none. */
export const parseCid = (text: string): CID | undefined => {
  if (text.length > TEXT_MAX) return undefined
  try {
    const cid = /^Qm[1-9A-HJ-NP-Za-km-z]{44}$/.test(text) ? CID.parse(text) : CID.parse(text, BASES)
    return cid.bytes.length > CID_BYTES_MAX ? undefined : cid
  } catch {
    return undefined
  }
}

/** A CID at the start of some bytes, and what follows; undefined when there is none. */
export const cidAt = (bytes: Uint8Array): readonly [CID, Uint8Array] | undefined => {
  try {
    const head = bytes.subarray(0, CID_BYTES_MAX)
    const [cid, rest] = CID.decodeFirst(head)
    return [cid, bytes.subarray(head.length - rest.length)]
  } catch {
    return undefined
  }
}

/** Whether blocks under this CID can be checked and found again. */
export const isIndexable = ({ multihash }: CID): boolean =>
  NODE_NAMES.has(multihash.code) && multihash.digest.length >= KEY_BYTES

/** Whether the block is the one that the CID names; false for hash functions that are not known. */
export const isBlockOf = ({ multihash }: CID, block: Uint8Array): boolean => {
  const name = NODE_NAMES.get(multihash.code)
  if (name === undefined) return false
  const digest = createHash(name).update(block).digest()
  return digest.subarray(0, multihash.digest.length).equals(multihash.digest)
}

export const keyOf = ({ multihash }: CID): Buffer =>
  Buffer.from(multihash.digest.subarray(0, KEY_BYTES))

/** One text for all CIDs of a block. */
export const multihashText = ({ multihash }: CID): string =>
  Buffer.from(multihash.bytes).toString('hex')

export const isSameBlock = (a: CID, b: CID): boolean =>
  Buffer.compare(a.multihash.bytes, b.multihash.bytes) === 0
