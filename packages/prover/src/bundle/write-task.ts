/**
 * Worker side of a bundle's file: begins it, and when all answers are in it builds the tree over
 * them, writes the head, makes everything durable and gives the file its name. Until then it lies
 * under another name, and nothing takes it for a bundle.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  statfsSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Engine } from '@holdfast/native'
import {
  bundleRoot,
  bundleZeroNode,
  type Hash32,
  HoldfastError,
  invariant,
  NODE_BYTES,
  uintBytes,
} from '@holdfast/protocol'
import { unreadable, writeFully } from '../subtree-task.ts'
import { bundleLayout, encodeHead } from './layout.ts'
import type { BundleBeginTask, BundleSealTask } from './tasks.ts'

const freeBytes = (folder: string): bigint => {
  const { bavail, bsize } = statfsSync(folder, { bigint: true })
  return bavail * bsize
}

const isNoSpace = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')

/**
 * Runs `use` on a bundle's file.
 * @throws HoldfastError `DISK_FULL`; `INPUT_UNREADABLE` with the system's reason.
 */
export const withBundleFile = <T>(path: string, flags: string, use: (fd: number) => T): T => {
  let fd: number | undefined
  try {
    fd = openSync(path, flags)
    return use(fd)
  } catch (cause) {
    if (HoldfastError.is(cause)) throw cause
    if (!isNoSpace(cause)) throw unreadable(path, cause)
    const available = freeBytes(dirname(path))
    throw new HoldfastError({ code: 'DISK_FULL', needed: available + 1n, available }, { cause })
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** Ranks in ascending order of their deals' ids, 4 bytes each. */
const sortedRanks = (deals: Uint8Array): Uint8Array => {
  const idAt = (rank: number): Uint8Array =>
    deals.subarray(rank * NODE_BYTES, (rank + 1) * NODE_BYTES)
  const ranks = Uint32Array.from({ length: deals.length / NODE_BYTES }, (_, rank) => rank)
  ranks.sort((a, b) => Buffer.compare(idAt(a), idAt(b)))
  const out = new Uint8Array(ranks.length * 4)
  ranks.forEach((rank, i) => {
    out.set(uintBytes(BigInt(rank), 4), i * 4)
  })
  return out
}

/** @throws HoldfastError `DISK_FULL` before anything is written when the bundle cannot fit. */
export const runBundleBegin = ({ path, deals, length }: BundleBeginTask): void => {
  const layout = bundleLayout(deals.length / NODE_BYTES)
  withBundleFile(path, 'w', (fd) => {
    const available = freeBytes(dirname(path))
    const needed = BigInt(length)
    if (available < needed) throw new HoldfastError({ code: 'DISK_FULL', needed, available })
    ftruncateSync(fd, length)
    writeFully(fd, deals, layout.dealsAt)
    writeFully(fd, sortedRanks(deals), layout.sortedAt)
  })
}

/** Nodes read at a time; even. */
const NODES_AT_ONCE = 4096

/** A file with what its levels are built with. */
interface Building {
  readonly engine: Engine
  readonly fd: number
  readonly cancel: Int32Array
}

/** Writes the parents of one level. False when cancelled. */
const raise = (
  { engine, fd, cancel }: Building,
  from: { readonly level: number; readonly at: number; readonly count: number },
  to: number,
): boolean => {
  const buffer = new Uint8Array((NODES_AT_ONCE + 1) * NODE_BYTES)
  const parents = new Uint8Array((NODES_AT_ONCE / 2) * NODE_BYTES)
  for (let first = 0; first < from.count; first += NODES_AT_ONCE) {
    if (Atomics.load(cancel, 0) !== 0) return false
    const count = Math.min(NODES_AT_ONCE, from.count - first)
    const nodes = buffer.subarray(0, count * NODE_BYTES)
    const got = engine.readFile(fd, from.at + first * NODE_BYTES, nodes)
    invariant(got === nodes.length, 'the file is as long as it was made')
    const even = count + (count % 2)
    if (even > count) buffer.set(bundleZeroNode(from.level), nodes.length)
    const out = parents.subarray(0, (even / 2) * NODE_BYTES)
    engine.keccak(buffer.subarray(0, even * NODE_BYTES), 2 * NODE_BYTES, out)
    writeFully(fd, out, to + (first / 2) * NODE_BYTES)
  }
  return true
}

/** The bundle's root, or undefined when the task was cancelled. */
export const runBundleSeal = (engine: Engine, task: BundleSealTask): Hash32 | undefined => {
  const { head, part, path, cancel, durable } = task
  const layout = bundleLayout(head.deals)
  const root = withBundleFile(part, 'r+', (fd) => {
    for (let level = 0; level < layout.depth; level++) {
      const from = { level, at: layout.nodesAt[level] ?? 0, count: layout.nodes[level] ?? 0 }
      if (!raise({ engine, fd, cancel }, from, layout.nodesAt[level + 1] ?? 0)) return undefined
    }
    const top = new Uint8Array(NODE_BYTES)
    engine.readFile(fd, layout.nodesAt[layout.depth] ?? 0, top)
    const made = bundleRoot(head.context, BigInt(layout.count), top)
    if (durable) fdatasyncSync(fd)
    writeFully(fd, encodeHead(engine, { ...head, root: made }), 0)
    if (durable) fdatasyncSync(fd)
    return made
  })
  if (root === undefined) return undefined
  withBundleFile(dirname(path), 'r', (folder) => {
    renameSync(part, path)
    if (durable) fsyncSync(folder)
  })
  return root
}
