/**
 * Proofs that a run of leaves [first, last] belongs to a payload, checked while the bytes stream
 * past. Source: docs/spec/commitment.md, section 5.
 *
 * The proof holds the roots of the largest aligned subtrees left of the run, highest level first
 * (left to right), then of those right of it, lowest level first (left to right too). Subtrees that
 * hold no payload are the zero node and are not sent. Invariant: 32 x (2 x depth) bytes at most.
 */
import { equalBytes } from '../bytes.ts'
import type { Commitment } from '../deal/terms.ts'
import { invariant } from '../errors.ts'
import { depthFor, LEAF_BYTES, leavesFor, NODE_BYTES } from '../geometry.ts'
import { fromHex } from '../ids.ts'
import { type LeafIndex, leafIndex } from '../units.ts'
import { nodesAt } from './accumulator.ts'
import { plainHasher, type TreeHasher, zeroNode } from './hash.ts'
import { LeafFeed } from './leaf-feed.ts'
import { NodeStack } from './node-stack.ts'
import { type NodeSource, proofInvalid, requireSha256Tree } from './proof.ts'

/** Leaves `first` to `last`, both included. */
export interface LeafRange {
  readonly first: LeafIndex
  readonly last: LeafIndex
}

interface Place {
  readonly level: number
  readonly index: bigint
}

const bit = (value: bigint, level: number): boolean => ((value >> BigInt(level)) & 1n) === 1n

/** The largest aligned subtrees that cover leaves [0, first), left to right. */
const leftOf = (first: bigint, depth: number): readonly Place[] => {
  const places: Place[] = []
  for (let level = depth - 1; level >= 0; level--) {
    if (bit(first, level)) places.push({ level, index: (first >> BigInt(level)) - 1n })
  }
  return places
}

/** The largest aligned subtrees that cover leaves [last + 1, 2^depth), left to right. */
const rightOf = (last: bigint, depth: number): readonly Place[] => {
  const places: Place[] = []
  for (let level = 0; level < depth; level++) {
    if (!bit(last, level)) places.push({ level, index: (last >> BigInt(level)) + 1n })
  }
  return places
}

const checkRange = ({ first, last }: LeafRange, count: bigint): void => {
  if (first > last || last >= count) {
    throw proofInvalid(`leaves ${first} to ${last} are no range of the ${count} leaves`)
  }
}

/**
 * The proof for a run of leaves in a tree of `leafCount`.
 * @throws HoldfastError `PROOF_INVALID` when the range is outside, and whatever the source throws.
 */
export const buildRangeProof = (
  leafCount: bigint,
  range: LeafRange,
  source: NodeSource,
): Uint8Array => {
  checkRange(range, leafCount)
  const depth = depthFor(leafCount)
  const places = [...leftOf(range.first, depth), ...rightOf(range.last, depth)].filter(
    ({ level, index }) => index < nodesAt(leafCount, level),
  )
  const proof = new Uint8Array(places.length * NODE_BYTES)
  places.forEach(({ level, index }, at) => {
    const node = source(level, index)
    invariant(node.length === NODE_BYTES, `node ${level}/${index} has ${node.length} bytes`)
    proof.set(node, at * NODE_BYTES)
  })
  return proof
}

/**
 * Checks a run of payload bytes as they arrive, in any chunks, holding one tile and one node per
 * level. Nothing of it is verified before `finish` returns.
 */
export class RangeVerifier {
  readonly #commitment: Commitment
  readonly #range: LeafRange
  readonly #leafCount: bigint
  readonly #depth: number
  readonly #stack: NodeStack
  readonly #feed: LeafFeed
  readonly #proof: Uint8Array
  readonly #expected: bigint
  #used = 0
  #received = 0n

  /**
   * Keeps `proof`; copies nothing else.
   * @throws HoldfastError `PROOF_INVALID` when range or proof do not fit the commitment.
   */
  constructor(input: {
    readonly commitment: Commitment
    readonly range: LeafRange
    readonly proof: Uint8Array
    readonly hasher?: TreeHasher
  }) {
    const { commitment, range, proof, hasher = plainHasher } = input
    requireSha256Tree(commitment)
    this.#commitment = commitment
    this.#range = range
    this.#leafCount = leavesFor(commitment.length)
    this.#depth = depthFor(this.#leafCount)
    checkRange(range, this.#leafCount)
    this.#proof = proof
    this.#stack = new NodeStack(hasher)
    this.#feed = new LeafFeed(this.#stack, hasher)
    const start = range.first * BigInt(LEAF_BYTES)
    const end = (range.last + 1n) * BigInt(LEAF_BYTES)
    this.#expected = (end < commitment.length ? end : commitment.length) - start
    for (const place of leftOf(range.first, this.#depth)) this.#pushProven(place)
  }

  /** Payload bytes from the start of leaf `first`; the payload's last leaf comes unpadded. */
  update(data: Uint8Array): void {
    this.#received += BigInt(data.length)
    if (this.#received > this.#expected) {
      throw proofInvalid(`${this.#what()}: more than its ${this.#expected} bytes arrived`)
    }
    this.#feed.update(data)
  }

  /** @throws HoldfastError `PROOF_INVALID` unless exactly the committed bytes were fed. */
  finish(): void {
    if (this.#received !== this.#expected) {
      throw proofInvalid(`${this.#what()}: ${this.#received} of ${this.#expected} bytes arrived`)
    }
    this.#feed.flush()
    for (const place of rightOf(this.#range.last, this.#depth)) this.#pushProven(place)
    if (this.#used !== this.#proof.length) {
      throw proofInvalid(`${this.#what()}: the proof has ${this.#proof.length} bytes`)
    }
    if (!equalBytes(this.#stack.rootAt(this.#depth), fromHex(this.#commitment.root))) {
      throw proofInvalid(`${this.#what()} do not lead to root ${this.#commitment.root}`)
    }
  }

  #what(): string {
    return `leaves ${this.#range.first} to ${this.#range.last}`
  }

  #pushProven({ level, index }: Place): void {
    if (index >= nodesAt(this.#leafCount, level)) {
      this.#stack.push(level, zeroNode(level))
      return
    }
    const node = this.#proof.subarray(this.#used, this.#used + NODE_BYTES)
    if (node.length !== NODE_BYTES) {
      throw proofInvalid(`${this.#what()}: the proof ends before node ${level}/${index}`)
    }
    this.#used += NODE_BYTES
    this.#stack.push(level, node)
  }
}

/**
 * Checks that `payload` is the run of committed bytes that starts at leaf `first`: whole leaves, or
 * up to the payload's end.
 * @throws HoldfastError `PROOF_INVALID`.
 */
export const verifyRange = (input: {
  readonly commitment: Commitment
  readonly first: LeafIndex
  readonly payload: Uint8Array
  readonly proof: Uint8Array
  readonly hasher?: TreeHasher
}): void => {
  const { commitment, first, payload, proof, hasher = plainHasher } = input
  const count = BigInt(Math.ceil(payload.length / LEAF_BYTES))
  if (count === 0n) throw proofInvalid(`no bytes for leaf ${first}`)
  const range: LeafRange = { first, last: leafIndex(first + count - 1n) }
  const verifier = new RangeVerifier({ commitment, range, proof, hasher })
  verifier.update(payload)
  verifier.finish()
}
