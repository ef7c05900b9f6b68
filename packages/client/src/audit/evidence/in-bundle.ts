/**
 * Whether an entry, right or wrong, is what a provider committed to for a question: the part of the
 * check of docs/spec/bundles.md, section 3, that does not look at the answer.
 */
import {
  BUNDLE_GLOBALS,
  BUNDLE_PER_DEAL,
  type BundleOpening,
  type BundleQuestion,
  bundleEntryHash,
  bundleRoot,
  type CommittedBundle,
  depthFor,
  isBundleCount,
  keccak,
  NODE_BYTES,
} from '@holdfast/protocol'

export const isInBundle = (
  { root, context }: CommittedBundle,
  question: BundleQuestion,
  { index, count, answer, path }: BundleOpening,
): boolean => {
  if (!isBundleCount(count) || index >= count) return false
  const place = (index - BUNDLE_GLOBALS) % BUNDLE_PER_DEAL
  const fits =
    question.class === 'global'
      ? index === BigInt(question.i)
      : index >= BUNDLE_GLOBALS && place === BigInt(question.i)
  const depth = depthFor(count)
  if (!fits || path.length !== depth * NODE_BYTES) return false
  let node = bundleEntryHash(question, index, answer)
  for (let level = 0; level < depth; level++) {
    const sibling = path.subarray(level * NODE_BYTES, (level + 1) * NODE_BYTES)
    node = (index >> BigInt(level)) & 1n ? keccak(sibling, node) : keccak(node, sibling)
  }
  return bundleRoot(context, count, node) === root
}
