/**
 * Openings of single leaves: building a path from kept nodes, and checking one against a
 * commitment. Source: docs/spec/commitment.md, section 4. Twin: contracts/src/libraries/PayloadProof.sol.
 *
 * `leafRoot` is the rule the contracts enforce; `verifyLeaf` knows the true length as well and so
 * also refuses padding and missing subtrees that are not zero.
 */
import { equalBytes, isZero } from '../bytes.ts'
import type { Commitment } from '../deal/terms.ts'
import { HoldfastError, invariant } from '../errors.ts'
import { depthFor, LEAF_BYTES, leavesFor, NODE_BYTES } from '../geometry.ts'
import { fromHex } from '../ids.ts'
import type { LeafIndex } from '../units.ts'
import { nodesAt } from './accumulator.ts'
import { plainHasher, type TreeHasher, zeroNode } from './hash.ts'

/** One opened leaf; the prover's `LeafProof` has the same shape. */
export interface LeafOpening {
  readonly index: LeafIndex
  /** 1024 bytes, zero-padded at the payload's end. */
  readonly leaf: Uint8Array
  /** Exactly `depth` siblings of 32 bytes, leaf level first, joined. */
  readonly path: Uint8Array
}

/**
 * Gives the node at `level` (0 = leaves) and `index`. Asked only for nodes that have payload under
 * them; a view is fine.
 */
export type NodeSource = (level: number, index: bigint) => Uint8Array

export const proofInvalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROOF_INVALID', reason })

/** @throws HoldfastError `PROOF_INVALID` for schemes whose tree this package does not have. */
export const requireSha256Tree = (commitment: Commitment): void => {
  if (commitment.scheme !== 1) {
    throw proofInvalid(`scheme ${commitment.scheme} has no openings here, only sha256-1k has`)
  }
}

/** The node from the source, or the zero node where no payload is. */
export const nodeOr = (
  source: NodeSource,
  at: { readonly leaves: bigint; readonly level: number; readonly index: bigint },
): Uint8Array => {
  if (at.index >= nodesAt(at.leaves, at.level)) return zeroNode(at.level)
  const node = source(at.level, at.index)
  invariant(node.length === NODE_BYTES, `node ${at.level}/${at.index} has ${node.length} bytes`)
  return node
}

/**
 * The path of a leaf in a tree of `leafCount` leaves.
 * @throws HoldfastError `INVARIANT` when the index is outside, and whatever the source throws.
 */
export const buildPath = (leafCount: bigint, index: LeafIndex, source: NodeSource): Uint8Array => {
  invariant(index < leafCount, `leaf ${index} of ${leafCount}`)
  const depth = depthFor(leafCount)
  const path = new Uint8Array(depth * NODE_BYTES)
  for (let level = 0; level < depth; level++) {
    const sibling = (index >> BigInt(level)) ^ 1n
    path.set(nodeOr(source, { leaves: leafCount, level, index: sibling }), level * NODE_BYTES)
  }
  return path
}

/**
 * The root that a leaf and its path lead to, in a tree of `leafCount` leaves.
 * @throws HoldfastError `PROOF_INVALID` when leaf, index or path have the wrong size.
 */
export const leafRoot = (
  opening: LeafOpening,
  leafCount: bigint,
  hasher: TreeHasher,
): Uint8Array => {
  const { index, leaf, path } = opening
  const depth = depthFor(leafCount)
  if (index >= leafCount) throw proofInvalid(`leaf ${index} is outside the ${leafCount} leaves`)
  if (leaf.length !== LEAF_BYTES) {
    throw proofInvalid(`leaf ${index} has ${leaf.length} bytes instead of ${LEAF_BYTES}`)
  }
  if (path.length !== depth * NODE_BYTES) {
    throw proofInvalid(
      `the path of leaf ${index} has ${path.length} bytes instead of ${depth} x ${NODE_BYTES}`,
    )
  }
  let node = new Uint8Array(NODE_BYTES)
  hasher.leaves(leaf, node)
  const pair = new Uint8Array(2 * NODE_BYTES)
  for (let level = 0; level < depth; level++) {
    const right = (index >> BigInt(level)) & 1n
    pair.set(node, right === 1n ? NODE_BYTES : 0)
    pair.set(
      path.subarray(level * NODE_BYTES, (level + 1) * NODE_BYTES),
      right === 1n ? 0 : NODE_BYTES,
    )
    node = new Uint8Array(NODE_BYTES)
    hasher.pairs(pair, node)
  }
  return node
}

const checkMissing = (opening: LeafOpening, commitment: Commitment): void => {
  const { index, leaf, path } = opening
  const count = leavesFor(commitment.length)
  const used = commitment.length - index * BigInt(LEAF_BYTES)
  if (used < LEAF_BYTES && !isZero(leaf.subarray(Number(used)))) {
    throw proofInvalid(`leaf ${index} has bytes after the payload's end`)
  }
  for (let level = 0; level < depthFor(count); level++) {
    const sibling = (index >> BigInt(level)) ^ 1n
    if (sibling < nodesAt(count, level)) continue
    const shown = path.subarray(level * NODE_BYTES, (level + 1) * NODE_BYTES)
    if (!equalBytes(shown, zeroNode(level))) {
      throw proofInvalid(`node ${level}/${sibling} lies after the payload's end but is not zero`)
    }
  }
}

/**
 * Checks that a leaf belongs to a payload.
 * @throws HoldfastError `PROOF_INVALID` naming leaf or node; `PAYLOAD_EMPTY`, `PAYLOAD_TOO_LARGE`
 *   for lengths that no payload has.
 */
export const verifyLeaf = (
  commitment: Commitment,
  opening: LeafOpening,
  hasher: TreeHasher = plainHasher,
): void => {
  requireSha256Tree(commitment)
  const root = leafRoot(opening, leavesFor(commitment.length), hasher)
  checkMissing(opening, commitment)
  if (!equalBytes(root, fromHex(commitment.root))) {
    throw proofInvalid(`leaf ${opening.index} does not lead to root ${commitment.root}`)
  }
}
