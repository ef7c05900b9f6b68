/**
 * The two payload trees as figures: how many bytes a leaf spans, how deep a tree is, which level is
 * kept on disk, how work is cut. Pure arithmetic; the hashing is in `@holdfast/native`.
 *
 * A *block* is the run of payload under one kept node, the least that is read for an answer: 16 KiB
 * for `sha256-1k`, 4,064 bytes (4 KiB in Fr32) for `commp`.
 */
import {
  type Bytes,
  depthFor,
  divUp,
  KEPT_LEVEL,
  type Leaves,
  leaves,
  leavesFor,
  type SchemeId,
} from '@holdfast/protocol'

export interface SchemeShape {
  readonly id: SchemeId
  /** Bytes of a leaf as it is shown in a proof. */
  readonly leafWidth: number
  /** Level of the kept nodes. */
  readonly keptLevel: number
  /** Level of the largest piece of work of one worker task, about 16 MiB of payload. */
  readonly taskLevel: number
  /** Level of the smallest, about 1 MiB. */
  readonly taskLevelMin: number
}

const SHAPES: Readonly<Record<SchemeId, SchemeShape>> = {
  1: { id: 1, leafWidth: 1024, keptLevel: KEPT_LEVEL, taskLevel: 14, taskLevelMin: 10 },
  2: { id: 2, leafWidth: 32, keptLevel: 7, taskLevel: 19, taskLevelMin: 15 },
}

export const shapeOf = (scheme: SchemeId): SchemeShape => SHAPES[scheme]

/** Payload bytes under a full node of `level`; `level` is at least 2 for scheme 2. */
export const bytesUnder = (scheme: SchemeId, level: number): bigint =>
  scheme === 1 ? 1024n << BigInt(level) : 127n << BigInt(level - 2)

/**
 * Leaves of the tree itself: 1 KiB each for scheme 1; 32 bytes of Fr32 each for scheme 2, four for
 * every 127 bytes begun. (The weight of a deal is `ceil(length / 1024)` for both.)
 * @throws HoldfastError `PAYLOAD_EMPTY`, `PAYLOAD_TOO_LARGE`.
 */
export const treeLeaves = (scheme: SchemeId, length: Bytes): Leaves => {
  const kibibytes = leavesFor(length)
  return scheme === 1 ? kibibytes : leaves(4n * divUp(length, 127n))
}

/** Levels above the leaves; at least 2 for scheme 2 (FRC-0069). */
export const treeDepth = (scheme: SchemeId, length: Bytes): number => {
  const depth = depthFor(treeLeaves(scheme, length))
  return scheme === 1 ? depth : Math.max(2, depth)
}

/** Nodes of `level` that have at least one payload byte under them. */
export const nodesOf = (scheme: SchemeId, length: Bytes, level: number): bigint =>
  divUp(treeLeaves(scheme, length), 1n << BigInt(level))
