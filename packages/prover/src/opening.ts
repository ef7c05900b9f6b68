/**
 * Opens leaves of one payload: climbs from the block through one page per group to the root, and
 * compares at every border what was computed from below with what is kept above. When they differ
 * it looks from the root downward for the first thing that does not fit, and names it.
 */
import { equalBytes, invariant, NODE_BYTES } from '@holdfast/protocol'
import type { SmallTree, TreeReader } from './tree-reader.ts'

/** What is wrong on disk, as a sentence. */
export class Damage extends Error {}

const topOf = (tree: SmallTree): Uint8Array => {
  const top = tree.levels.at(-1)
  invariant(top !== undefined, 'a small tree has a top')
  return top
}

/** The node at `level` and `index` of the whole tree, which lies inside `tree`; a view. */
const nodeIn = (tree: SmallTree, level: number, index: bigint): Uint8Array => {
  const nodes = tree.levels[level - tree.from]
  invariant(nodes !== undefined, 'the level lies inside the small tree')
  const span = BigInt(tree.levels.length - 1 - (level - tree.from))
  const at = Number(index - (tree.index << span)) * NODE_BYTES
  return nodes.subarray(at, at + NODE_BYTES)
}

const siblingsInto = (tree: SmallTree, index: bigint, path: Uint8Array): void => {
  for (let i = 0; i < tree.levels.length - 1; i++) {
    const level = tree.from + i
    const sibling = (index >> BigInt(level)) ^ 1n
    path.set(nodeIn(tree, level, sibling), level * NODE_BYTES)
  }
}

/** From the root down: the first page that does not lead to what is above it, else the block. */
const findDamage = (reader: TreeReader, root: Uint8Array, index: bigint): string => {
  let above = root
  for (const group of [...reader.groups].reverse()) {
    const number = reader.pageOf(group, index)
    const page = reader.page(group, number)
    if (!equalBytes(topOf(page), above)) {
      return `page ${number} of the kept layer of level ${group.level} does not lead to the root`
    }
    above = nodeIn(page, group.level, index >> BigInt(group.level))
  }
  const block = reader.blockOf(index)
  const { offset, length } = reader.placeOf(block)
  return `payload bytes ${offset} to ${offset + length - 1} (block ${block}) do not match their kept node`
}

/**
 * Writes one opening: the leaf, then exactly `depth` siblings, leaf level first.
 * @throws Damage naming what does not fit; whatever reading throws.
 */
export const openLeaf = (
  reader: TreeReader,
  root: Uint8Array,
  index: bigint,
  out: Uint8Array,
): void => {
  const { leafBytes } = reader.shape
  const path = out.subarray(leafBytes)
  const block = reader.block(reader.blockOf(index))
  const at = Number(index - (block.index << BigInt(reader.shape.keptLevel))) * leafBytes
  out.set(block.leaves.subarray(at, at + leafBytes))
  siblingsInto(block, index, path)
  let node = topOf(block)
  for (const group of reader.groups) {
    const page = reader.page(group, reader.pageOf(group, index))
    const kept = nodeIn(page, group.level, index >> BigInt(group.level))
    if (!equalBytes(kept, node)) throw new Damage(findDamage(reader, root, index))
    siblingsInto(page, index, path)
    node = topOf(page)
  }
  if (!equalBytes(node, root)) throw new Damage(findDamage(reader, root, index))
}

/**
 * The node at `level` and `index`, checked against the root.
 * @throws Damage naming what does not fit; whatever reading throws.
 */
export const openNode = (
  reader: TreeReader,
  root: Uint8Array,
  place: { readonly level: number; readonly index: bigint },
): Uint8Array => {
  const leaf = place.index << BigInt(place.level)
  const scratch = new Uint8Array(reader.shape.leafBytes + reader.depth * NODE_BYTES)
  openLeaf(reader, root, leaf, scratch)
  if (place.level < reader.shape.keptLevel) {
    return nodeIn(reader.block(reader.blockOf(leaf)), place.level, place.index).slice()
  }
  const group = reader.groups.findLast(({ level }) => level <= place.level)
  invariant(group !== undefined, 'a node above the blocks lies in a page')
  return nodeIn(reader.page(group, reader.pageOf(group, leaf)), place.level, place.index).slice()
}
