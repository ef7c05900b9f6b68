/**
 * Cuts a byte stream into tiles and pushes their roots onto a `NodeStack`: the part that the
 * accumulator and the range verifier share. Holds at most one tile; whole tiles inside a chunk are
 * hashed where they are, without a copy.
 *
 * Invariant: after `flush` with a short last leaf nothing more may be fed.
 */
import { invariant } from '../errors.ts'
import { LEAF_BYTES, NODE_BYTES } from '../geometry.ts'
import type { TreeHasher } from './hash.ts'
import type { NodeStack } from './node-stack.ts'
import { leafNodes, parentNodes } from './subtree.ts'

/** 64 leaves: large enough to keep batch hashers busy, small enough to forget about. */
const TILE_LEVEL = 6
const TILE_BYTES = LEAF_BYTES << TILE_LEVEL

export class LeafFeed {
  readonly #stack: NodeStack
  readonly #hasher: TreeHasher
  readonly #tile = new Uint8Array(TILE_BYTES)
  #held = 0
  #closed = false

  constructor(stack: NodeStack, hasher: TreeHasher) {
    this.#stack = stack
    this.#hasher = hasher
  }

  update(data: Uint8Array): void {
    if (data.length === 0) return
    invariant(!this.#closed, 'nothing can follow a short leaf')
    let at = 0
    while (at < data.length) {
      const room = this.#room()
      if (this.#held === 0 && data.length - at >= room) {
        this.#push(data.subarray(at, at + room))
        at += room
        continue
      }
      const taken = Math.min(room - this.#held, data.length - at)
      this.#tile.set(data.subarray(at, at + taken), this.#held)
      this.#held += taken
      at += taken
      if (this.#held === room) this.flush()
    }
  }

  /** Pushes what is held; a short last leaf is padded with zeros and ends the stream. */
  flush(): void {
    if (this.#held === 0) return
    this.#closed = this.#held % LEAF_BYTES !== 0
    this.#push(this.#tile.subarray(0, this.#held))
    this.#held = 0
  }

  /** Bytes up to the next tile boundary of the payload. */
  #room(): number {
    return TILE_BYTES - Number(this.#stack.position % BigInt(1 << TILE_LEVEL)) * LEAF_BYTES
  }

  #push(run: Uint8Array): void {
    let nodes = leafNodes(run, this.#hasher)
    if (run.length === TILE_BYTES) {
      for (let level = 0; level < TILE_LEVEL; level++) {
        nodes = parentNodes(nodes, level, this.#hasher)
      }
      this.#stack.push(TILE_LEVEL, nodes)
      return
    }
    for (let at = 0; at < nodes.length; at += NODE_BYTES) {
      this.#stack.push(0, nodes.subarray(at, at + NODE_BYTES))
    }
  }
}
