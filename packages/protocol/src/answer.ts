/**
 * Answers to global challenges: their bytes, and the one check that the contracts make of them.
 * Source: docs/spec/answers.md. Twin: contracts/src/libraries/AnswerCheck.sol.
 *
 * Layout: deal 32 ‖ scheme 1 ‖ root 32 ‖ leaves 8 ‖ slot 4 ‖ treeDepth x (hash 32 ‖ weight 8) ‖
 * leaf 1024 ‖ payloadDepth x 32. Invariant: the length follows from the snapshot's depth and
 * `leaves`; no other length is accepted.
 */
import { bytesUint, concatBytes, equalBytes, uintBytes } from './bytes.ts'
import { HoldfastError } from './errors.ts'
import { depthFor, LEAF_BYTES, NODE_BYTES } from './geometry.ts'
import { type DealId, fromHex, type Hash32, type Root, toHex } from './ids.ts'
import { plainHasher } from './merkle/hash.ts'
import { type LeafOpening, leafRoot, proofInvalid } from './merkle/proof.ts'
import {
  pathRoot,
  SLOT_DEPTH_MAX,
  type SlotLeaf,
  type SlotPath,
  type SumNode,
  slotNode,
  slotPathBytes,
  weightBefore,
} from './sum-node.ts'
import { type Leaves, leafIndex, leaves, slotIndex } from './units.ts'

const HEAD_BYTES = 77
const SIBLING_BYTES = 40
const LEAVES_MAX = 1n << 40n

export interface AnswerInput {
  readonly slot: SlotPath
  readonly leaf: SlotLeaf
  readonly opening: LeafOpening
}

/** What an answer says; its leaf's index follows from the challenged position. */
export interface DecodedAnswer {
  readonly slot: SlotPath
  readonly leaf: SlotLeaf
  /** 1024 bytes; a view into the answer. */
  readonly payloadLeaf: Uint8Array
  /** Siblings in the payload's tree, joined; a view into the answer. */
  readonly payloadPath: Uint8Array
}

/** The provider tree an answer is judged by: the one at the start of the period. */
export interface TreeRoot {
  readonly root: Hash32
  readonly weight: Leaves
  readonly depth: number
}

/** Bytes of an answer. */
export const answerLength = (treeDepth: number, leafCount: bigint): number =>
  HEAD_BYTES + treeDepth * SIBLING_BYTES + LEAF_BYTES + depthFor(leafCount) * NODE_BYTES

/** What stands before the leaf, the same in every answer of a deal in one period. */
export const answerHead = ({ slot, leaf }: Omit<AnswerInput, 'opening'>): Uint8Array =>
  concatBytes(
    fromHex(leaf.deal),
    Uint8Array.of(leaf.scheme),
    fromHex(leaf.root),
    uintBytes(leaf.leaves, 8),
    uintBytes(slot.slot, 4),
    slotPathBytes(slot),
  )

/**
 * @throws HoldfastError `PROOF_INVALID` when the opening's leaf or path have the wrong size for
 *   the slot's leaf count: better here than in a transaction.
 */
export const encodeAnswer = ({ slot, leaf, opening }: AnswerInput): Uint8Array => {
  const encoded = concatBytes(answerHead({ slot, leaf }), opening.leaf, opening.path)
  if (
    opening.leaf.length !== LEAF_BYTES ||
    encoded.length !== answerLength(slot.siblings.length, leaf.leaves)
  ) {
    throw proofInvalid(
      `the opening of leaf ${opening.index} does not fit deal ${leaf.deal} of ${leaf.leaves} leaves`,
    )
  }
  return encoded
}

const decodeSiblings = (data: Uint8Array): readonly SumNode[] =>
  Array.from({ length: data.length / SIBLING_BYTES }, (_, level) => {
    const at = level * SIBLING_BYTES
    return {
      hash: toHex(data.subarray(at, at + 32)) as Hash32,
      weight: leaves(bytesUint(data.subarray(at + 32, at + SIBLING_BYTES))),
    }
  })

/**
 * @throws HoldfastError `PROOF_INVALID` when the length is not exactly that of an answer, the
 *   scheme is not 1, or the leaf count is not 1 to 2^40.
 */
export const decodeAnswer = (data: Uint8Array, treeDepth: number): DecodedAnswer => {
  if (!Number.isInteger(treeDepth) || treeDepth < 0 || treeDepth > SLOT_DEPTH_MAX) {
    throw proofInvalid(`a provider tree has depth 0 to ${SLOT_DEPTH_MAX}, not ${treeDepth}`)
  }
  const atLeaf = HEAD_BYTES + treeDepth * SIBLING_BYTES
  if (data.length < atLeaf + LEAF_BYTES) throw proofInvalid(`an answer of ${data.length} bytes`)
  if (data[32] !== 1) throw proofInvalid(`an answer for scheme ${data[32]}`)
  const count = bytesUint(data.subarray(65, 73))
  if (count === 0n || count > LEAVES_MAX) throw proofInvalid(`an answer for ${count} leaves`)
  if (data.length !== answerLength(treeDepth, count)) {
    throw proofInvalid(
      `an answer of ${data.length} bytes instead of ${answerLength(treeDepth, count)}`,
    )
  }
  return {
    slot: {
      slot: slotIndex(bytesUint(data.subarray(73, HEAD_BYTES))),
      siblings: decodeSiblings(data.subarray(HEAD_BYTES, atLeaf)),
    },
    leaf: {
      deal: toHex(data.subarray(0, 32)) as string as DealId,
      scheme: 1,
      root: toHex(data.subarray(33, 65)) as string as Root,
      leaves: leaves(count),
    },
    payloadLeaf: data.subarray(atLeaf, atLeaf + LEAF_BYTES),
    payloadPath: data.subarray(atLeaf + LEAF_BYTES),
  }
}

const treeRootOf = (answer: DecodedAnswer): SumNode => {
  try {
    return pathRoot(slotNode(answer.leaf), answer.slot)
  } catch (cause) {
    if (!HoldfastError.is(cause, 'UNIT_INVALID')) throw cause
    throw proofInvalid('the weights along the path pass 64 bits')
  }
}

/**
 * Checks the answer to the global challenge at `position`: the slot belongs to the provider's tree,
 * the position lies in its leaves, and the leaf belongs to its payload. Exactly the contracts' rule.
 * @throws HoldfastError `PROOF_INVALID` naming what does not fit.
 */
export const verifyAnswer = (
  snapshot: TreeRoot,
  position: bigint,
  data: Uint8Array,
): DecodedAnswer => {
  const answer = decodeAnswer(data, snapshot.depth)
  const { slot, leaf } = answer
  if (slot.slot >> BigInt(snapshot.depth) !== 0n) {
    throw proofInvalid(`slot ${slot.slot} is outside a tree of depth ${snapshot.depth}`)
  }
  const top = treeRootOf(answer)
  if (top.hash !== snapshot.root || top.weight !== snapshot.weight) {
    throw proofInvalid(`slot ${slot.slot} with deal ${leaf.deal} is not in tree ${snapshot.root}`)
  }
  const before = weightBefore(slot)
  if (position < before || position >= before + leaf.leaves) {
    throw proofInvalid(`position ${position} is not in deal ${leaf.deal}, slot ${slot.slot}`)
  }
  const opening: LeafOpening = {
    index: leafIndex(position - before),
    leaf: answer.payloadLeaf,
    path: answer.payloadPath,
  }
  if (!equalBytes(leafRoot(opening, leaf.leaves, plainHasher), fromHex(leaf.root))) {
    throw proofInvalid(`leaf ${opening.index} of deal ${leaf.deal} does not lead to its root`)
  }
  return answer
}
