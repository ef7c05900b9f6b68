/**
 * Piece CID v2 (FRC-0069): a CIDv1, raw codec, whose multihash 0x1011 holds the padding as a varint,
 * the tree's height as one byte, and the piece commitment's root.
 */
import { type Commitment, fromHex } from '@holdfast/protocol'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { varintLength, writeVarint } from './car/varint.ts'
import { RAW_CODE } from './unixfs/node-writer.ts'

const MULTIHASH_CODE = 0x1011
/** Unpadded bytes under the smallest tree: 4 nodes of 32 bytes, 254 bits of each used. */
const UNIT = 127n
const UNIT_HEIGHT = 2

/** `commitment` is of scheme `commp`. */
export const pieceCid = ({ root, length }: Commitment): CID => {
  let capacity = UNIT
  let height = UNIT_HEIGHT
  while (capacity < length) {
    capacity *= 2n
    height += 1
  }
  const padding = Number(capacity - length)
  const digest = new Uint8Array(varintLength(padding) + 33)
  const at = writeVarint(padding, digest, 0)
  digest[at] = height
  digest.set(fromHex(root), at + 1)
  return CID.createV1(RAW_CODE, create(MULTIHASH_CODE, digest))
}
