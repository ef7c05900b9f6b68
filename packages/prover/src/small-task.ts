/**
 * Worker side of committing to a small payload: one task reads it once and gives its root and its kept
 * layers, so that whoever writes the file writes the layers too, and no other thread does.
 */

import { type Engine, foldNodes, type SubtreeOutput, type SubtreeShape } from '@holdfast/native'
import { type Bytes, NODE_BYTES, toNumber } from '@holdfast/protocol'
import { keptLayersLength, type LayerGroup, layerGroups, PAGE_LEVELS } from './layers.ts'
import { shapeOf, treeDepth } from './scheme.ts'
import { withFile } from './subtree-task.ts'
import type { SmallTask } from './tasks.ts'

/** Root and kept layers, or undefined when the task was cancelled. */
export const runSmall = (
  engine: Engine,
  { scheme, source, cancel }: SmallTask,
): { readonly node: Uint8Array; readonly layers: Uint8Array } | undefined => {
  const length = BigInt(source.length) as Bytes
  const level = treeDepth(scheme, length)
  const keptLevel = Math.min(shapeOf(scheme).keptLevel, level)
  const groups = layerGroups(scheme, length)
  const layers = new Uint8Array(toNumber(keptLayersLength(length, scheme)))
  const node = new Uint8Array(NODE_BYTES)
  const kept = layers.subarray(0, toNumber(groups[0]?.count ?? 0n) * NODE_BYTES)
  const output = { kept, root: node }
  if (!hash(engine, source, { scheme, level, keptLevel }, output, cancel)) return undefined
  for (const [at, upper] of groups.entries()) {
    const lower = groups[at - 1]
    if (lower !== undefined) raise(engine, { scheme, layers, lower, upper })
  }
  return { node, layers }
}

/** False when it was cancelled. */
const hash = (
  engine: Engine,
  source: SmallTask['source'],
  shape: SubtreeShape,
  output: SubtreeOutput,
  cancel: Int32Array,
): boolean => {
  if (!(source instanceof Uint8Array)) {
    return withFile(source.path, 'r', (fd) =>
      engine.fileSubtree({ ...source, fd }, shape, output, cancel),
    )
  }
  engine.subtree(source, shape, output)
  return true
}

const runOfGroup = (layers: Uint8Array, { offset, count }: LayerGroup): Uint8Array => {
  const from = toNumber(offset)
  return layers.subarray(from, from + toNumber(count) * NODE_BYTES)
}

/** Makes a group from the one below it. */
const raise = (
  engine: Engine,
  {
    scheme,
    layers,
    lower,
    upper,
  }: {
    readonly scheme: SmallTask['scheme']
    readonly layers: Uint8Array
    readonly lower: LayerGroup
    readonly upper: LayerGroup
  },
): void => {
  const nodes = runOfGroup(layers, lower)
  const buffer = new Uint8Array(nodes.length + NODE_BYTES)
  buffer.set(nodes)
  const fold = { scheme, from: lower.level, to: lower.level + PAGE_LEVELS }
  const left = foldNodes(engine, buffer, toNumber(lower.count), fold)
  runOfGroup(layers, upper).set(buffer.subarray(0, left * NODE_BYTES))
}
