/**
 * Hashes one aligned run of payload bytes into the root of its subtree: what a worker does with a
 * tile or a segment. Memory is 64 bytes per leaf; split larger runs and join their roots with
 * `RootAccumulator.appendSubtree`.
 */
import { HoldfastError, invariant } from '../errors.ts'
import { LEAF_BYTES, NODE_BYTES } from '../geometry.ts'
import { LEVEL_MAX, type TreeHasher, zeroNode } from './hash.ts'

/** The leaf nodes of a run; the last leaf is padded with zeros to 1024 bytes. */
export const leafNodes = (payload: Uint8Array, hasher: TreeHasher): Uint8Array => {
  const whole = Math.floor(payload.length / LEAF_BYTES)
  const rest = payload.length - whole * LEAF_BYTES
  const nodes = new Uint8Array((whole + (rest > 0 ? 1 : 0)) * NODE_BYTES)
  const split = whole * NODE_BYTES
  if (whole > 0) hasher.leaves(payload.subarray(0, whole * LEAF_BYTES), nodes.subarray(0, split))
  if (rest > 0) {
    const last = new Uint8Array(LEAF_BYTES)
    last.set(payload.subarray(whole * LEAF_BYTES))
    hasher.leaves(last, nodes.subarray(split))
  }
  return nodes
}

/**
 * The nodes one level up; an odd last node is paired with the zero node of `level`, the level of
 * `nodes`.
 */
export const parentNodes = (nodes: Uint8Array, level: number, hasher: TreeHasher): Uint8Array => {
  const count = nodes.length / NODE_BYTES
  const even = count % 2 === 0
  const input = even ? nodes : new Uint8Array(nodes.length + NODE_BYTES)
  if (!even) {
    input.set(nodes)
    input.set(zeroNode(level), nodes.length)
  }
  const out = new Uint8Array(input.length / 2)
  hasher.pairs(input, out)
  return out
}

/**
 * The node at `level` over up to 2^level leaves of payload; what is missing counts as missing
 * leaves.
 * @throws HoldfastError `PAYLOAD_EMPTY`; `INVARIANT` when the payload is longer than the subtree.
 */
export const subtreeRoot = (payload: Uint8Array, level: number, hasher: TreeHasher): Uint8Array => {
  if (payload.length === 0) throw new HoldfastError({ code: 'PAYLOAD_EMPTY' })
  invariant(
    level >= 0 && level <= LEVEL_MAX && payload.length <= LEAF_BYTES * 2 ** level,
    `${payload.length} bytes do not fit under a node of level ${level}`,
  )
  let nodes = leafNodes(payload, hasher)
  for (let at = 0; at < level; at++) nodes = parentNodes(nodes, at, hasher)
  return nodes
}
