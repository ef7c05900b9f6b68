/**
 * The shape of a payload's tree: how many leaves, how deep, which sizes are legal. Pure arithmetic,
 * no hashing. Source: docs/spec/commitment.md. Twin: contracts/src/libraries/Geometry.sol.
 */
import { HoldfastError } from './errors.ts'
import { type Bytes, bytes, divUp, type Leaves, leaves } from './units.ts'

/** Payload bytes under one leaf. */
export const LEAF_BYTES = 1024
/** Bytes of a node. */
export const NODE_BYTES = 32
/** A provider keeps the tree from the level of 16 KiB blocks upward. */
export const KEPT_LEVEL = 4
/** Leaves of a block, the least that is re-hashed for an answer: 2^KEPT_LEVEL. */
export const BLOCK_LEAVES = 16
/** Payload bytes of a block: BLOCK_LEAVES x LEAF_BYTES. */
export const BLOCK_BYTES = 16_384
/** The level of a segment root: 2^20 leaves, 1 GiB. */
export const SEGMENT_LEVEL = 20
/** The longest payload. */
export const PAYLOAD_BYTES_MAX: Bytes = bytes(1n << 50n)

/**
 * Leaves of a payload: `ceil(length / 1024)`.
 * @throws HoldfastError `PAYLOAD_EMPTY` for 0, `PAYLOAD_TOO_LARGE` above 2^50.
 */
export const leavesFor = (length: Bytes): Leaves => {
  if (length === 0n) throw new HoldfastError({ code: 'PAYLOAD_EMPTY' })
  if (length > PAYLOAD_BYTES_MAX) {
    throw new HoldfastError({ code: 'PAYLOAD_TOO_LARGE', limit: PAYLOAD_BYTES_MAX, actual: length })
  }
  return leaves(divUp(length, BigInt(LEAF_BYTES)))
}

/** Levels above the leaves: `ceil(log2(count))`, 0 for one leaf. `count` must be positive. */
export const depthFor = (count: bigint): number =>
  count <= 1n ? 0 : (count - 1n).toString(2).length
