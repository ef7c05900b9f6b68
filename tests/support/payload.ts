/** A payload held in memory with its whole tree, for providers that are programs of a test. */
import {
  buildPath,
  bytes,
  type Commitment,
  type DealId,
  depthFor,
  encodeAnswer,
  LEAF_BYTES,
  type LeafIndex,
  type LeafOpening,
  type Leaves,
  leafNodes,
  leavesFor,
  NODE_BYTES,
  parentNodes,
  plainHasher,
  root,
  type SlotLeaf,
  type SlotPath,
  toHex,
} from '@holdfast/protocol'

export class Payload {
  readonly commitment: Commitment
  readonly leaves: Leaves
  readonly #data: Uint8Array
  readonly #levels: readonly Uint8Array[]

  constructor(data: Uint8Array) {
    this.#data = data
    this.leaves = leavesFor(bytes(data.length))
    let level = leafNodes(data, plainHasher)
    const levels = [level]
    for (let height = 0; height < depthFor(this.leaves); height++) {
      level = parentNodes(level, height, plainHasher)
      levels.push(level)
    }
    this.#levels = levels
    this.commitment = { scheme: 1, root: root(toHex(level)), length: bytes(data.length) }
  }

  slotLeaf(deal: DealId): SlotLeaf {
    return { deal, scheme: 1, root: this.commitment.root, leaves: this.leaves }
  }

  answer(deal: DealId, slot: SlotPath, index: LeafIndex): Uint8Array {
    return encodeAnswer({ slot, leaf: this.slotLeaf(deal), opening: this.open(index) })
  }

  /** A leaf with its path to the root. */
  open(index: LeafIndex): LeafOpening {
    const at = Number(index) * LEAF_BYTES
    const leaf = new Uint8Array(LEAF_BYTES)
    leaf.set(this.#data.subarray(at, at + LEAF_BYTES))
    const path = buildPath(this.leaves, index, (level, node) => {
      const from = Number(node) * NODE_BYTES
      return this.#levels[level]?.subarray(from, from + NODE_BYTES) ?? new Uint8Array()
    })
    return { index, leaf, path }
  }
}
