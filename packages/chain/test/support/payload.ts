/** A payload held in memory with its whole tree: slow, small, obviously right. */
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
  readonly #levels: Uint8Array[]

  constructor(data: Uint8Array) {
    this.#data = data
    this.leaves = leavesFor(bytes(data.length))
    this.#levels = [leafNodes(data, plainHasher)]
    for (let level = 0; level < depthFor(this.leaves); level++) {
      const below = this.#levels[level] ?? new Uint8Array()
      this.#levels.push(parentNodes(below, level, plainHasher))
    }
    const top = this.#levels.at(-1) ?? new Uint8Array()
    this.commitment = { scheme: 1, root: root(toHex(top)), length: bytes(data.length) }
  }

  slotLeaf(deal: DealId): SlotLeaf {
    return { deal, scheme: 1, root: this.commitment.root, leaves: this.leaves }
  }

  /** A leaf with its path in the payload's tree. */
  open(index: LeafIndex): LeafOpening {
    const at = Number(index) * LEAF_BYTES
    const leaf = new Uint8Array(LEAF_BYTES)
    leaf.set(this.#data.subarray(at, at + LEAF_BYTES))
    const path = buildPath(this.leaves, index, (level, node) => {
      const from = Number(node) * NODE_BYTES
      return (this.#levels[level] ?? new Uint8Array()).subarray(from, from + NODE_BYTES)
    })
    return { index, leaf, path }
  }

  answer(deal: DealId, slot: SlotPath, index: LeafIndex): Uint8Array {
    return encodeAnswer({ slot, leaf: this.slotLeaf(deal), opening: this.open(index) })
  }
}

/** Bytes that differ everywhere, from a small seed. */
export const testBytes = (length: number, seed: number): Uint8Array => {
  const out = new Uint8Array(length)
  let state = seed * 2654435761 + 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    out[i] = state >>> 24
  }
  return out
}
