/**
 * Nodes of one tree that arrive in any order: siblings are joined as soon as both are there, so
 * what is held is one node per maximal covered subtree. The rest of the tree is filled with zero
 * nodes at the end.
 *
 * Invariant: no two held nodes are siblings, and none lies under another.
 */
import { type Engine, zeroNodes } from '@holdfast/native'
import { invariant, NODE_BYTES, type SchemeId } from '@holdfast/protocol'

/** One node by its place: level 0 are leaves. */
export interface PlacedNode {
  readonly level: number
  readonly index: bigint
  readonly node: Uint8Array
}

const key = (level: number, index: bigint): string => `${level}:${index}`

export class Forest {
  readonly #engine: Engine
  readonly #scheme: SchemeId
  readonly #held = new Map<string, PlacedNode>()

  constructor(engine: Engine, scheme: SchemeId) {
    this.#engine = engine
    this.#scheme = scheme
  }

  /** @throws HoldfastError `INVARIANT` when that place or one above it is covered already. */
  add(placed: PlacedNode): void {
    invariant(!this.covers(placed.level, placed.index), 'a subtree is added once')
    let { level, index, node } = placed
    for (;;) {
      const sibling = this.#held.get(key(level, index ^ 1n))
      if (sibling === undefined) break
      this.#held.delete(key(level, index ^ 1n))
      node = index % 2n === 0n ? this.#join(node, sibling.node) : this.#join(sibling.node, node)
      index /= 2n
      level++
    }
    this.#held.set(key(level, index), { level, index, node: node.slice() })
  }

  /** True when that subtree has been added, alone or inside a larger one. */
  covers(level: number, index: bigint): boolean {
    for (let up = 0; up <= 64 - level; up++) {
      if (this.#held.has(key(level + up, index >> BigInt(up)))) return true
    }
    return false
  }

  /** What is held: enough to go on later from here. Copies. */
  entries(): readonly PlacedNode[] {
    return [...this.#held.values()].map((held) => ({ ...held, node: held.node.slice() }))
  }

  /**
   * The root of the tree of `depth`, zero nodes after the last of `count` subtrees of `level`.
   * @throws HoldfastError `INVARIANT` when one of those subtrees has not been added.
   */
  root(depth: number, level: number, count: bigint): Uint8Array {
    const zeros = zeroNodes(this.#engine, this.#scheme)
    const nodeAt = (at: number, index: bigint): Uint8Array => {
      const held = this.#held.get(key(at, index))
      if (held !== undefined) return held.node
      const zero = zeros[at]
      invariant(zero !== undefined, 'trees have at most 64 levels')
      if (index << BigInt(at - level) >= count) return zero
      invariant(at > level, `subtree ${index} of level ${level} is missing`)
      return this.#join(nodeAt(at - 1, 2n * index), nodeAt(at - 1, 2n * index + 1n))
    }
    return nodeAt(depth, 0n).slice()
  }

  #join(left: Uint8Array, right: Uint8Array): Uint8Array {
    const pair = new Uint8Array(2 * NODE_BYTES)
    pair.set(left, 0)
    pair.set(right, NODE_BYTES)
    const out = new Uint8Array(NODE_BYTES)
    if (this.#scheme === 1) this.#engine.pairs(pair, out)
    else this.#engine.pairs254(pair, out)
    return out
  }
}
