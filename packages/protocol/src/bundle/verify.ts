/**
 * The check of one entry of a committed bundle, exactly the contracts' rule: it is in the bundle, at
 * a place for its question, and its answer is right. Source: docs/spec/bundles.md, section 3. Twin:
 * contracts/src/libraries/Bundle.sol.
 *
 * Which deal's entries stand at an index is for readers who know the whole tree (`bundleEntryAt`):
 * a deal's entry that verifies is a valid answer wherever it stands.
 */
import { type DecodedAnswer, decodeAnswer, type TreeRoot, verifyAnswer } from '../answer.ts'
import { type ChallengeContext, dealChallenge, globalChallenge } from '../challenge.ts'
import { depthFor, NODE_BYTES } from '../geometry.ts'
import type { Hash32 } from '../ids.ts'
import { keccak } from '../keccak.ts'
import { proofInvalid } from '../merkle/proof.ts'
import {
  BUNDLE_GLOBALS,
  BUNDLE_PER_DEAL,
  type BundleQuestion,
  bundleEntryHash,
  bundleRoot,
  isBundleCount,
} from './entry.ts'

/** What a provider committed to for one period, and the tree it is judged by. */
export interface CommittedBundle {
  readonly root: Hash32
  readonly context: ChallengeContext
  /** The provider's tree at the period's start. */
  readonly tree: TreeRoot
}

/** An entry with what opens it. */
export interface BundleOpening {
  readonly index: bigint
  readonly count: bigint
  readonly answer: Uint8Array
  /** Siblings in the bundle's tree, entry level first, joined. */
  readonly path: Uint8Array
}

const nameOf = (question: BundleQuestion): string =>
  question.class === 'global' ? `global ${question.i}` : `${question.i} of deal ${question.deal}`

const checkPlace = (question: BundleQuestion, { index, count }: BundleOpening): void => {
  if (!isBundleCount(count)) throw proofInvalid(`a bundle of ${count} entries`)
  const first = question.class === 'global' ? 0n : BUNDLE_GLOBALS
  const end = question.class === 'global' ? BUNDLE_GLOBALS : count
  const number = question.class === 'global' ? index : (index - first) % BUNDLE_PER_DEAL
  if (index < first || index >= end || Number(number) !== question.i) {
    throw proofInvalid(`entry ${index} of ${count} is no place for challenge ${nameOf(question)}`)
  }
}

/** The top node that an entry's hash and its path lead to. */
const topOf = (entry: Uint8Array, { index, count, path }: BundleOpening): Uint8Array => {
  const depth = depthFor(count)
  if (path.length !== depth * NODE_BYTES) {
    throw proofInvalid(
      `the path of entry ${index} has ${path.length} bytes instead of ${depth} x ${NODE_BYTES}`,
    )
  }
  let node = entry
  for (let level = 0; level < depth; level++) {
    const sibling = path.subarray(level * NODE_BYTES, (level + 1) * NODE_BYTES)
    node = (index >> BigInt(level)) & 1n ? keccak(sibling, node) : keccak(node, sibling)
  }
  return node
}

/** The weight left of the slot, as the answer's own path says; `verifyAnswer` then checks it. */
const claimedBefore = ({ slot }: DecodedAnswer): bigint =>
  slot.siblings.reduce(
    (sum, { weight }, level) => ((slot.slot >> BigInt(level)) & 1n ? sum + weight : sum),
    0n,
  )

const positionOf = (
  { context, tree }: CommittedBundle,
  question: BundleQuestion,
  answer: Uint8Array,
): bigint => {
  if (question.class === 'global') {
    if (tree.weight === 0n) throw proofInvalid('a provider without weight has nothing to prove')
    return globalChallenge(context, question.i, tree.weight)
  }
  const decoded = decodeAnswer(answer, tree.depth)
  const { deal, leaves } = decoded.leaf
  if (deal !== question.deal) {
    throw proofInvalid(`an answer of deal ${deal} where one of ${question.deal} was asked for`)
  }
  return claimedBefore(decoded) + dealChallenge(context, deal, question.i, leaves)
}

/**
 * Checks that a committed bundle holds the right answer to one challenge.
 * @returns the answer's parts.
 * @throws HoldfastError `PROOF_INVALID` naming what does not fit.
 */
export const verifyBundleEntry = (
  bundle: CommittedBundle,
  question: BundleQuestion,
  opening: BundleOpening,
): DecodedAnswer => {
  checkPlace(question, opening)
  const entry = bundleEntryHash(question, opening.index, opening.answer)
  const root = bundleRoot(bundle.context, opening.count, topOf(entry, opening))
  if (root !== bundle.root) {
    throw proofInvalid(
      `entry ${opening.index}, challenge ${nameOf(question)}, is not in bundle ${bundle.root}`,
    )
  }
  return verifyAnswer(bundle.tree, positionOf(bundle, question, opening.answer), opening.answer)
}
