/**
 * Opens leaves of one payload: climbs from the block through one page per group to the root, and
 * compares at every border what was computed from below with what is kept above. When they differ
 * it looks from the root downward for the first thing that does not fit, and names it.
 */
import { equalBytes, invariant, NODE_BYTES } from '@holdfast/protocol'
import type { ReadPlan } from './read-plan.ts'
import type { PlannedOpening, SmallTree, TreeReader } from './tree-reader.ts'

/** What is wrong on disk, as a sentence. */
export class Damage extends Error {}

/** One opening whose reads have been made. */
export interface ReadyOpening {
  readonly reader: TreeReader
  readonly plan: ReadPlan
  readonly opening: PlannedOpening
  /** The root that everything must lead to. */
  readonly root: Uint8Array
}

const topOf = (tree: SmallTree): Uint8Array => tree.nodes.subarray(-NODE_BYTES)

/** The node at `level` and `index` of the whole tree, which lies inside `tree`; a view. */
const nodeIn = (tree: SmallTree, level: number, index: bigint): Uint8Array => {
  const start = tree.starts[level - tree.from]
  invariant(start !== undefined, 'the level lies inside the small tree')
  const at = start + Number(index - (tree.index << BigInt(tree.to - level))) * NODE_BYTES
  return tree.nodes.subarray(at, at + NODE_BYTES)
}

const siblingsInto = (tree: SmallTree, index: bigint, path: Uint8Array): void => {
  const first = index >> BigInt(tree.from)
  let at = Number(first - (tree.index << BigInt(tree.to - tree.from)))
  for (let level = tree.from; level < tree.to; level++, at >>= 1) {
    const from = (tree.starts[level - tree.from] ?? 0) + (at ^ 1) * NODE_BYTES
    path.set(tree.nodes.subarray(from, from + NODE_BYTES), level * NODE_BYTES)
  }
}

/** From the root down: the first page that does not lead to what is above it, else the block. */
const findDamage = ({ reader, plan, opening, root }: ReadyOpening): string => {
  let above = root
  for (let slot = reader.groups.length - 1; slot >= 0; slot--) {
    const group = reader.groups[slot]
    invariant(group !== undefined, 'every slot has its group')
    const page = reader.page(plan, opening, slot)
    if (!equalBytes(topOf(page), above)) {
      return `page ${page.index} of the kept layer of level ${group.level} does not lead to the root`
    }
    above = nodeIn(page, group.level, opening.index >> BigInt(group.level))
  }
  const block = reader.blockOf(opening.index)
  const { offset, length } = reader.placeOf(block)
  return `payload bytes ${offset} to ${offset + length - 1} (block ${block}) do not match their kept node`
}

/**
 * Writes one opening: the leaf, then exactly `depth` siblings, leaf level first.
 * @throws Damage naming what does not fit; ReadFailure.
 */
export const openLeaf = (ready: ReadyOpening, out: Uint8Array): void => {
  const { reader, plan, opening, root } = ready
  const { index } = opening
  const { leafWidth, keptLevel } = reader.shape
  const path = out.subarray(leafWidth)
  const block = reader.block(plan, opening)
  const at = Number(index - (block.index << BigInt(keptLevel))) * leafWidth
  out.set(block.leaves.subarray(at, at + leafWidth))
  siblingsInto(block, index, path)
  let node = topOf(block)
  for (let slot = 0; slot < reader.groups.length; slot++) {
    const page = reader.page(plan, opening, slot)
    const kept = nodeIn(page, page.from, index >> BigInt(page.from))
    if (!equalBytes(kept, node)) throw new Damage(findDamage(ready))
    siblingsInto(page, index, path)
    node = topOf(page)
  }
  if (!equalBytes(node, root)) throw new Damage(findDamage(ready))
}

/**
 * The node at `level` over the leaf that was opened, checked against the root.
 * @throws Damage naming what does not fit; ReadFailure.
 */
export const openNode = (ready: ReadyOpening, level: number): Uint8Array => {
  const { reader, plan, opening } = ready
  openLeaf(ready, new Uint8Array(reader.shape.leafWidth + reader.depth * NODE_BYTES))
  const index = opening.index >> BigInt(level)
  if (level < reader.shape.keptLevel)
    return nodeIn(reader.block(plan, opening), level, index).slice()
  const slot = reader.groups.findLastIndex((group) => group.level <= level)
  return nodeIn(reader.page(plan, opening, slot), level, index).slice()
}
