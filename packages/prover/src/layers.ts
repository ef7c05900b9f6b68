/**
 * The kept layers as bytes: which nodes are on disk and where. Nodes of the kept level come first,
 * in payload order; then, seven levels higher, the nodes over 128 of those; and so on up to below
 * the root. So 128 siblings are one page of 4 KiB, an answer reads one page for every seven levels,
 * and the levels between are computed again from the page, which checks it.
 *
 * Invariant: group g + 1 holds exactly the roots of the pages of group g. Trees that are not deeper
 * than the kept level keep nothing.
 */
import { type Bytes, bytes, NODE_BYTES, type SchemeId } from '@holdfast/protocol'
import { nodesOf, shapeOf, treeDepth } from './scheme.ts'

/** Levels that one page spans. */
export const PAGE_LEVELS = 7
/** Nodes of a full page. */
export const PAGE_NODES: number = 1 << PAGE_LEVELS
/** Bytes of a full page. */
export const PAGE_BYTES: number = PAGE_NODES * NODE_BYTES

/** Nodes of one level, one after another. */
export interface LayerGroup {
  readonly level: number
  /** How many nodes. */
  readonly count: bigint
  /** Where they start, in bytes from the start of the layers. */
  readonly offset: bigint
}

/** The groups of a payload's kept layers, lowest first; empty for small payloads. */
export const layerGroups = (scheme: SchemeId, length: Bytes): readonly LayerGroup[] => {
  const groups: LayerGroup[] = []
  const depth = treeDepth(scheme, length)
  let offset = 0n
  for (let level = shapeOf(scheme).keptLevel; level < depth; level += PAGE_LEVELS) {
    const count = nodesOf(scheme, length, level)
    groups.push({ level, count, offset })
    offset += count * BigInt(NODE_BYTES)
  }
  return groups
}

/**
 * Bytes that the kept layers of a payload take: under 0.2 % of it for scheme 1, under 0.8 % for
 * scheme 2; 0 when the whole tree lies under one kept node.
 * @throws HoldfastError `PAYLOAD_EMPTY`, `PAYLOAD_TOO_LARGE`.
 */
export const keptLayersLength = (length: Bytes, scheme: SchemeId = 1): Bytes => {
  const last = layerGroups(scheme, length).at(-1)
  return bytes(last === undefined ? 0n : last.offset + last.count * BigInt(NODE_BYTES))
}
