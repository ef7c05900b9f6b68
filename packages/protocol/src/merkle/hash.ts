/**
 * Hashing of the `sha256-1k` tree: the port that engines implement, the plain engine over noble,
 * and the zero subtrees that stand for missing leaves. Source: docs/spec/commitment.md.
 *
 * Leaf preimages are 1024 bytes and node preimages 64, so no prefix is needed to tell them apart.
 * The plain engine is the reference and the last fallback; payload bytes go through
 * `@holdfast/prover`.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { invariant } from '../errors.ts'
import { LEAF_BYTES, NODE_BYTES } from '../geometry.ts'

/** Hashes many leaves or many pairs in one call. `out` never overlaps the input. */
export interface TreeHasher {
  /** For logs and metrics. */
  readonly name: string
  /** `payload` is k x 1024 bytes; writes k x 32. */
  leaves(payload: Uint8Array, out: Uint8Array): void
  /** `nodes` is k x 64 bytes, left and right joined; writes k x 32. */
  pairs(nodes: Uint8Array, out: Uint8Array): void
}

const each = (width: number, input: Uint8Array, out: Uint8Array): void => {
  const count = input.length / width
  invariant(
    Number.isInteger(count) && out.length === count * NODE_BYTES,
    `a hasher is given whole ${width}-byte preimages and 32 bytes for each`,
  )
  for (let i = 0; i < count; i++) {
    out.set(sha256(input.subarray(i * width, (i + 1) * width)), i * NODE_BYTES)
  }
}

/** SHA-256 by noble. */
export const plainHasher: TreeHasher = {
  name: 'noble',
  leaves: (payload, out) => each(LEAF_BYTES, payload, out),
  pairs: (nodes, out) => each(2 * NODE_BYTES, nodes, out),
}

/** The highest level a tree can have: 2^40 leaves are 2^50 bytes. */
export const LEVEL_MAX = 40

const ZEROS: readonly Uint8Array[] = (() => {
  const nodes = [new Uint8Array(NODE_BYTES)]
  for (let level = 0; level < LEVEL_MAX; level++) {
    const below = nodes[level] ?? new Uint8Array(NODE_BYTES)
    const pair = new Uint8Array(2 * NODE_BYTES)
    pair.set(below, 0)
    pair.set(below, NODE_BYTES)
    nodes.push(sha256(pair))
  }
  return nodes
})()

/**
 * The root of 2^level missing leaves: 32 zero bytes at level 0. A fresh copy.
 * @throws HoldfastError `INVARIANT` unless 0 <= level <= 40.
 */
export const zeroNode = (level: number): Uint8Array => {
  const node = ZEROS[level]
  invariant(node !== undefined, `tree levels are 0 to ${LEVEL_MAX}, not ${level}`)
  return node.slice()
}
