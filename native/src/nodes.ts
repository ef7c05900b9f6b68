/**
 * Small tree work on top of an engine: zero nodes, the nodes over zero bytes, and folding a run of
 * nodes. Same bytes on every engine, because only `pairs` and `messages` are used.
 */
import { DIGEST_BYTES, type Engine, type TreeScheme } from './engine.ts'

const LEVELS = 64

const tower = (engine: Engine, scheme: TreeScheme, lowest: Uint8Array): readonly Uint8Array[] => {
  const nodes = [lowest]
  const pair = new Uint8Array(2 * DIGEST_BYTES)
  for (let level = 0, node = lowest; level < LEVELS; level++) {
    pair.set(node, 0)
    pair.set(node, DIGEST_BYTES)
    node = new Uint8Array(DIGEST_BYTES)
    pairsOf(engine, scheme, pair, node)
    nodes.push(node)
  }
  return nodes
}

const pairsOf = (engine: Engine, scheme: TreeScheme, input: Uint8Array, out: Uint8Array): void => {
  if (scheme === 1) engine.pairs(input, out)
  else engine.pairs254(input, out)
}

const zeros = new Map<TreeScheme, readonly Uint8Array[]>()
const holes = new Map<TreeScheme, readonly Uint8Array[]>()

const once = (
  cache: Map<TreeScheme, readonly Uint8Array[]>,
  scheme: TreeScheme,
  make: () => readonly Uint8Array[],
): readonly Uint8Array[] => {
  const found = cache.get(scheme)
  if (found !== undefined) return found
  const made = make()
  cache.set(scheme, made)
  return made
}

/** The nodes over no leaf at all, level 0 to 64. Views: do not write. */
export const zeroNodes = (engine: Engine, scheme: TreeScheme): readonly Uint8Array[] =>
  once(zeros, scheme, () => tower(engine, scheme, new Uint8Array(DIGEST_BYTES)))

/** The nodes over payload bytes that are all zero, level 0 to 64. Views: do not write. */
export const holeNodes = (engine: Engine, scheme: TreeScheme): readonly Uint8Array[] =>
  once(holes, scheme, () => {
    const leaf = new Uint8Array(DIGEST_BYTES)
    if (scheme === 1) engine.messages(new Uint8Array(1024), 1024, leaf)
    return tower(engine, scheme, leaf)
  })

/** Which nodes are folded, and how far. */
export interface Fold {
  readonly scheme: TreeScheme
  readonly from: number
  readonly to: number
}

/**
 * Folds `count` nodes of level `from` into the nodes of level `to`, in place, zero nodes where a
 * sibling is missing; returns how many remain. `onLevel` sees the nodes of every level below `to`.
 * The buffer has room for one node beyond an odd count. @throws RangeError when it has not.
 */
export const foldNodes = (
  engine: Engine,
  buffer: Uint8Array,
  count: number,
  fold: Fold,
  onLevel?: (level: number, nodes: Uint8Array) => void,
): number => {
  const missing = zeroNodes(engine, fold.scheme)
  let left = count
  for (let level = fold.from; level < fold.to; level++) {
    if (left % 2 === 1) {
      buffer.set(missing[level] ?? new Uint8Array(DIGEST_BYTES), left * DIGEST_BYTES)
      left++
    }
    const nodes = buffer.subarray(0, left * DIGEST_BYTES)
    onLevel?.(level, nodes)
    left /= 2
    pairsOf(engine, fold.scheme, nodes, buffer.subarray(0, left * DIGEST_BYTES))
  }
  return left
}
