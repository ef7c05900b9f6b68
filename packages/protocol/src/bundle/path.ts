/**
 * Paths of a bundle's entries, from whatever keeps its nodes: a port, and the simplest thing behind
 * it, all nodes in memory (64 bytes per entry: 3.2 MB for 10,000 deals).
 * Source: docs/spec/bundles.md, section 2.
 */
import { invariant } from '../errors.ts'
import { depthFor, NODE_BYTES } from '../geometry.ts'
import { nodesAt } from '../merkle/accumulator.ts'
import type { NodeSource } from '../merkle/proof.ts'
import { bundleHasher, bundleZeroNode } from './entry.ts'

/**
 * The siblings of entry `index`, entry level first. The source is asked only for nodes that have an
 * entry under them.
 * @throws HoldfastError `INVARIANT` when the index is outside, and whatever the source throws.
 */
export const buildBundlePath = (count: bigint, index: bigint, source: NodeSource): Uint8Array => {
  invariant(index >= 0n && index < count, `entry ${index} of a bundle of ${count}`)
  const depth = depthFor(count)
  const path = new Uint8Array(depth * NODE_BYTES)
  for (let level = 0; level < depth; level++) {
    const sibling = (index >> BigInt(level)) ^ 1n
    const missing = sibling >= nodesAt(count, level)
    const node = missing ? bundleZeroNode(level) : source(level, sibling)
    invariant(node.length === NODE_BYTES, `node ${level}/${sibling} has ${node.length} bytes`)
    path.set(node, level * NODE_BYTES)
  }
  return path
}

const parents = (below: Uint8Array, level: number): Uint8Array => {
  const odd = below.length % (2 * NODE_BYTES) !== 0
  const pairs = new Uint8Array(below.length + (odd ? NODE_BYTES : 0))
  pairs.set(below)
  if (odd) pairs.set(bundleZeroNode(level), below.length)
  const out = new Uint8Array(pairs.length / 2)
  bundleHasher.pairs(pairs, out)
  return out
}

/**
 * All nodes over these entry hashes (32 bytes each, joined, as `BundleBuilder.add` gave them),
 * computed once. Keeps a view of the argument.
 * @throws HoldfastError `INVARIANT` unless they are one or more whole hashes.
 */
export const bundleNodes = (entryHashes: Uint8Array): NodeSource => {
  const count = entryHashes.length / NODE_BYTES
  invariant(Number.isInteger(count) && count > 0, `${entryHashes.length} bytes of entry hashes`)
  const levels = [entryHashes]
  let below = entryHashes
  for (let level = 0; level < depthFor(BigInt(count)); level++) {
    below = parents(below, level)
    levels.push(below)
  }
  return (level, index) => {
    const at = Number(index) * NODE_BYTES
    const node = levels[level]?.subarray(at, at + NODE_BYTES)
    invariant(node?.length === NODE_BYTES, `no node ${level}/${index} over ${count} entries`)
    return node
  }
}
