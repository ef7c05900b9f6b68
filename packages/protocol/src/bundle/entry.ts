/**
 * What a bundle consists of: questions, the hash of an entry, inner nodes, and the root that binds
 * them to one provider's one period. Source: docs/spec/bundles.md. Twin:
 * contracts/src/libraries/Bundle.sol.
 *
 * Entry preimages have 109 bytes, nodes 64, roots 104, so none can stand for another. The root holds
 * the challenge base, and so chain, ledger, provider, period and seed.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, uintBytes } from '../bytes.ts'
import {
  type ChallengeContext,
  challengeBase,
  DEAL_CHALLENGES,
  GLOBAL_CHALLENGES,
} from '../challenge.ts'
import { invariant } from '../errors.ts'
import { NODE_BYTES } from '../geometry.ts'
import { type DealId, fromHex, type Hash32, toHex } from '../ids.ts'
import { keccak, keccakText } from '../keccak.ts'
import type { TreeHasher } from '../merkle/hash.ts'
import { SLOT_DEPTH_MAX } from '../sum-node.ts'

/** Entries before the first deal's: one per global challenge. */
export const BUNDLE_GLOBALS: bigint = BigInt(GLOBAL_CHALLENGES)
/** Entries of each deal. */
export const BUNDLE_PER_DEAL: bigint = BigInt(DEAL_CHALLENGES)
/** A provider has at most 2^32 slots. */
export const BUNDLE_ENTRIES_MAX: bigint =
  BUNDLE_GLOBALS + (BUNDLE_PER_DEAL << BigInt(SLOT_DEPTH_MAX))

/** The challenge that an entry answers: what a dispute names. */
export type BundleQuestion =
  | { readonly class: 'global'; readonly i: number }
  | { readonly class: 'deal'; readonly deal: DealId; readonly i: number }

const BUNDLE_DOMAIN = keccakText('holdfast/bundle/v1')
const GLOBAL_TAG = concatBytes(Uint8Array.of(0), new Uint8Array(32))
const DEAL_TAG = Uint8Array.of(1)

const tag = (question: BundleQuestion): Uint8Array =>
  question.class === 'global' ? GLOBAL_TAG : concatBytes(DEAL_TAG, fromHex(question.deal))

/**
 * domain 32 ‖ class 1 ‖ deal 32 ‖ i 4 ‖ index 8 ‖ keccak(answer) 32: what an entry is the hash of,
 * for whoever hashes with faster code.
 * @throws HoldfastError `UNIT_INVALID` when `index` does not fit 64 bits or `i` 32.
 */
export const bundleEntryPreimage = (
  question: BundleQuestion,
  index: bigint,
  answerHash: Uint8Array,
): Uint8Array =>
  concatBytes(
    BUNDLE_DOMAIN,
    tag(question),
    uintBytes(BigInt(question.i), 4),
    uintBytes(index, 8),
    answerHash,
  )

/**
 * The hash of an entry; of an absent one when `answer` is empty (docs/spec/bundles.md, section 5).
 * @throws HoldfastError `UNIT_INVALID` when `index` does not fit 64 bits or `i` 32.
 */
export const bundleEntryHash = (
  question: BundleQuestion,
  index: bigint,
  answer: Uint8Array,
): Uint8Array => keccak(bundleEntryPreimage(question, index, keccak(answer)))

/** The root of a bundle: keccak(domain 32 ‖ challenge base 32 ‖ count 8 ‖ top node 32). */
export const bundleRoot = (context: ChallengeContext, count: bigint, top: Uint8Array): Hash32 =>
  toHex(keccak(BUNDLE_DOMAIN, fromHex(challengeBase(context)), uintBytes(count, 8), top)) as Hash32

/** True for 460 + 5 d entries with 0 <= d <= 2^32. */
export const isBundleCount = (count: bigint): boolean =>
  count >= BUNDLE_GLOBALS &&
  count <= BUNDLE_ENTRIES_MAX &&
  (count - BUNDLE_GLOBALS) % BUNDLE_PER_DEAL === 0n

/** keccak over pairs: a bundle's inner nodes. */
export const bundleHasher: Pick<TreeHasher, 'pairs'> = {
  pairs: (nodes, out) => {
    for (let at = 0; at < out.length; at += NODE_BYTES) {
      out.set(keccak_256(nodes.subarray(2 * at, 2 * at + 2 * NODE_BYTES)), at)
    }
  },
}

/** Levels of the largest bundle: 460 + 5 x 2^32 entries are below 2^35. */
const LEVELS = 35

const ZEROS: readonly Uint8Array[] = (() => {
  let below = new Uint8Array(NODE_BYTES)
  const nodes = [below]
  for (let level = 0; level < LEVELS; level++) {
    below = Uint8Array.from(keccak(below, below))
    nodes.push(below)
  }
  return nodes
})()

/** The node over 2^level places after the last entry; a view, not to be written. */
export const bundleZeroNode = (level: number): Uint8Array => {
  const node = ZEROS[level]
  invariant(node !== undefined, `bundles have levels 0 to ${LEVELS}, not ${level}`)
  return node
}
