/**
 * Worker side of committing, last step: reads the lowest group of kept layers back, writes every
 * group above it, and gives the root that they lead to, so that what is on disk is what was
 * committed. Reads 128 KiB at a time; makes the file durable before it answers, when asked to.
 */
import { fdatasyncSync } from 'node:fs'
import { type Engine, foldNodes } from '@holdfast/native'
import { type Bytes, HoldfastError, invariant, NODE_BYTES, toNumber } from '@holdfast/protocol'
import { type LayerGroup, layerGroups, PAGE_BYTES, PAGE_LEVELS, PAGE_NODES } from './layers.ts'
import { treeDepth } from './scheme.ts'
import { withFile, writeFully } from './subtree-task.ts'
import type { LayersTask } from './tasks.ts'

const PAGES_AT_ONCE = 32

/** Files, places and figures that one build works with. */
interface Build {
  readonly engine: Engine
  readonly task: LayersTask
  readonly fd: number
  readonly buffer: Uint8Array
}

const stopped = (task: LayersTask): boolean => Atomics.load(task.cancel, 0) !== 0

const readNodes = (build: Build, group: LayerGroup, from: number, count: number): void => {
  const { layers } = build.task
  const offset = layers.offset + toNumber(group.offset) + from * NODE_BYTES
  const into = build.buffer.subarray(0, count * NODE_BYTES)
  const got = build.engine.readFile(build.fd, offset, into)
  if (got === into.length) return
  const reason = `the kept layers end ${into.length - got} bytes too early`
  throw new HoldfastError({
    code: 'STORE_CORRUPT',
    path: layers.path,
    offset: BigInt(offset),
    reason,
  })
}

/** Writes `upper` from the pages of `lower`. False when cancelled. */
const raise = (build: Build, lower: LayerGroup, upper: LayerGroup): boolean => {
  const { engine, task, fd, buffer } = build
  const total = toNumber(lower.count)
  const step = PAGES_AT_ONCE * PAGE_NODES
  for (let from = 0; from < total; from += step) {
    if (stopped(task)) return false
    const count = Math.min(step, total - from)
    readNodes(build, lower, from, count)
    const fold = { scheme: task.scheme, from: lower.level, to: lower.level + PAGE_LEVELS }
    const roots = foldNodes(engine, buffer, count, fold)
    const at = toNumber(upper.offset) + (from / PAGE_NODES) * NODE_BYTES
    writeFully(fd, buffer.subarray(0, roots * NODE_BYTES), task.layers.offset + at)
  }
  return true
}

/** The root that the layers lead to, or undefined when the task was cancelled. */
export const runLayers = (engine: Engine, task: LayersTask): Uint8Array | undefined => {
  const length = task.payloadLength as Bytes
  const groups = layerGroups(task.scheme, length)
  const top = groups.at(-1)
  invariant(top !== undefined, 'payloads of one block keep no layers')
  return withFile(task.layers.path, 'r+', (fd) => {
    const buffer = new Uint8Array(PAGES_AT_ONCE * PAGE_BYTES + NODE_BYTES)
    const build = { engine, task, fd, buffer }
    for (let at = 1; at < groups.length; at++) {
      const [lower, upper] = [groups[at - 1], groups[at]]
      if (lower && upper && !raise(build, lower, upper)) return undefined
    }
    const count = toNumber(top.count)
    invariant(count <= PAGE_NODES, 'the highest group is one page')
    readNodes(build, top, 0, count)
    const to = treeDepth(task.scheme, length)
    foldNodes(engine, buffer, count, { scheme: task.scheme, from: top.level, to })
    if (task.sync) fdatasyncSync(fd)
    return buffer.slice(0, NODE_BYTES)
  })
}
