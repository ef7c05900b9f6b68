/**
 * Directory nodes: flat while small, a HAMT above the profile's threshold. The shape of a HAMT
 * depends on the names alone, never on the order of insertion, so it is built in one recursion.
 * Sizes come from the importer's own functions, so that the threshold falls on the same byte.
 */
import { HoldfastError } from '@holdfast/protocol'
import { UnixFS } from 'ipfs-unixfs'
import {
  dataFieldSerializedSize,
  linkSerializedSize,
  utf8ByteLength,
} from 'ipfs-unixfs-importer/utils'
import {
  HAMT_DEPTH_MAX,
  HAMT_FANOUT,
  HAMT_HASH_CODE,
  hamtSlots,
  slotBitfield,
  slotLabel,
} from './hamt.ts'
import type { DagLink, DagNode, NodeWriter } from './node-writer.ts'

interface Placed extends DagLink {
  readonly slots: Uint8Array
}

/**
 * Writes a directory's blocks, deepest shard first, and returns its root.
 * @throws HoldfastError `INPUT_UNREADABLE` when two names share 64 bits of murmur3 (never by chance).
 */
export const writeDirectory = (links: readonly DagLink[], writer: NodeWriter): DagNode => {
  if (isSmall(links, writer)) return writer.node(new UnixFS({ type: 'directory' }), links)
  const placed = links.map((link) => ({ ...link, slots: hamtSlots(link.name) }))
  return writeShard(placed, 0, writer)
}

const isSmall = (links: readonly DagLink[], writer: NodeWriter): boolean => {
  const { shardBy, shardAbove } = writer.profile
  let size = shardBy === 'block-bytes' ? dataFieldSerializedSize() : 0
  for (const { name, node } of links) {
    const nameLength = utf8ByteLength(name)
    size +=
      shardBy === 'block-bytes'
        ? linkSerializedSize(nameLength, node.cid.byteLength, Number(node.tsize))
        : nameLength + node.cid.byteLength
    if (size > shardAbove) return false
  }
  return true
}

const writeShard = (placed: readonly Placed[], level: number, writer: NodeWriter): DagNode => {
  const links: DagLink[] = []
  const bySlot = groupBySlot(placed, level)
  for (const [slot, group] of bySlot) {
    const [only] = group
    if (group.length === 1 && only !== undefined) {
      links.push({ name: slotLabel(slot) + only.name, node: only.node })
    } else {
      links.push({ name: slotLabel(slot), node: writeShard(group, level + 1, writer) })
    }
  }
  const unixfs = new UnixFS({
    type: 'hamt-sharded-directory',
    data: slotBitfield(bySlot.keys()),
    fanout: BigInt(HAMT_FANOUT),
    hashType: HAMT_HASH_CODE,
  })
  return writer.node(unixfs, links)
}

/** Groups in slot order; inside a group the given order stays. */
const groupBySlot = (placed: readonly Placed[], level: number): Map<number, Placed[]> => {
  if (level >= HAMT_DEPTH_MAX) {
    throw new HoldfastError({
      code: 'INPUT_UNREADABLE',
      path: placed.map(({ name }) => name).join(', '),
      reason: 'these names collide in the hash that places directory entries; rename one',
    })
  }
  const groups: Placed[][] = Array.from({ length: HAMT_FANOUT }, () => [])
  for (const entry of placed) groups[entry.slots[level] ?? 0]?.push(entry)
  return new Map([...groups.entries()].filter(([, group]) => group.length > 0))
}
