/** The check that every byte passes before it may leave the client: a block against its CID. */
import { HoldfastError } from '@holdfast/protocol'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import {
  BLAKE3_CODE,
  type BlockHasher,
  openHasher,
  SHA256_CODE,
  sha256Hasher,
} from './block-hasher.ts'

const IDENTITY_CODE = 0x00
let blake3: Promise<BlockHasher> | undefined

const digestOf = async (cid: CID, block: Uint8Array): Promise<Uint8Array> => {
  switch (cid.multihash.code) {
    case SHA256_CODE:
      return sha256Hasher.digest(block)
    case BLAKE3_CODE:
      blake3 ??= openHasher('blake3')
      return (await blake3).digest(block)
    case IDENTITY_CODE:
      return block
    default:
      throw new HoldfastError({
        code: 'CAR_INVALID',
        reason: `CID ${cid.toString()} uses hash 0x${cid.multihash.code.toString(16)}; known are sha2-256 and blake3`,
      })
  }
}

/**
 * @throws HoldfastError `CID_MISMATCH` when the bytes are not those the CID names,
 * `CAR_INVALID` for a hash that is not known here.
 */
export const verifyBlock = async (cid: CID, block: Uint8Array): Promise<void> => {
  const actual = await digestOf(cid, block)
  const expected = cid.multihash.digest
  if (actual.length === expected.length && expected.every((byte, i) => actual[i] === byte)) return
  const found = CID.create(cid.version, cid.code, create(cid.multihash.code, actual))
  throw new HoldfastError({
    code: 'CID_MISMATCH',
    expected: cid.toString(),
    actual: found.toString(),
  })
}
