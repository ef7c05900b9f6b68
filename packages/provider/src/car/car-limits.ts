/** How far a payload is believed while it is read as a CAR. What passes these bounds is not indexed. */

/** The header of a CAR, without its length. */
export const HEADER_BYTES_MAX = 32_768
/** CID and block of one section. */
export const SECTION_BYTES_MAX: number = 4 * 2 ** 20
export const CID_BYTES_MAX = 128
/** Blocks that are indexed of one payload, whatever its size. */
export const BLOCKS_MAX: number = 2 ** 23

/** A payload of tiny sections must not have an index that is larger than itself. */
export const blocksMaxOf = (payloadLength: number): number =>
  Math.min(BLOCKS_MAX, 4096 + Math.floor(payloadLength / 128))
