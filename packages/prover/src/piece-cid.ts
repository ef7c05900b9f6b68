/**
 * The piece CID v2 of a `commp` commitment (FRC-0069): base32 of CIDv1, raw codec, multihash
 * `fr32-sha256-trunc254-padbintree` over padding, height and root.
 */
import { type Commitment, concatBytes, fromHex, HoldfastError } from '@holdfast/protocol'
import { base32 } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { treeDepth } from './scheme.ts'

/** Multicodec `raw`. */
const RAW = 0x55
/** Multicodec `fr32-sha256-trunc254-padbintree`. */
const PIECE_HASH = 0x1011

/** Seven bits a byte, lowest first; the top bit says that more follow. */
const uvarint = (value: bigint): Uint8Array => {
  const out: number[] = []
  let rest = value
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80)
  return Uint8Array.of(...out, Number(rest))
}

/** @throws HoldfastError `SCHEME_UNKNOWN` for anything but a `commp` commitment. */
export const pieceCid = ({ scheme, root, length }: Commitment): string => {
  if (scheme !== 2) throw new HoldfastError({ code: 'SCHEME_UNKNOWN', scheme: String(scheme) })
  const height = treeDepth(2, length)
  const padding = (127n << BigInt(height - 2)) - length
  const digest = concatBytes(uvarint(padding), Uint8Array.of(height), fromHex(root))
  return CID.createV1(RAW, Digest.create(PIECE_HASH, digest)).toString(base32)
}
