/**
 * Worker side of committing: hashes one aligned subtree of a payload, from a file or from shared
 * memory, and writes its kept nodes to their place. Runs of a sparse file that are holes are not
 * read: their nodes are known.
 */
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import { capacityAt, type Engine, holeNodes, nodesUnder } from '@holdfast/native'
import { HoldfastError, NODE_BYTES } from '@holdfast/protocol'
import type { RunOfFile } from './answer-job.ts'
import { shapeOf } from './scheme.ts'
import type { SubtreeTask } from './tasks.ts'

/** @throws HoldfastError `INPUT_UNREADABLE` with the system's reason. */
export const unreadable = (path: string, cause: unknown): HoldfastError => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  const reason = code === 'ENODATA' ? 'the file ends before the payload does' : String(cause)
  return new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason }, { cause })
}

/** Runs `use` on an open file and closes it. System errors become `INPUT_UNREADABLE`. */
export const withFile = <T>(path: string, flags: string, use: (fd: number) => T): T => {
  let fd: number | undefined
  try {
    fd = openSync(path, flags)
    return use(fd)
  } catch (cause) {
    throw HoldfastError.is(cause) ? cause : unreadable(path, cause)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** Writes all of `data` at a position; short writes go on. */
export const writeFully = (fd: number, data: Uint8Array, position: number): void => {
  for (let at = 0; at < data.length; ) {
    at += writeSync(fd, data, at, data.length - at, position + at)
  }
}

const isHole = (engine: Engine, fd: number, run: RunOfFile): boolean => {
  const next = engine.nextData(fd, run.offset)
  if (next === -2 || (next >= 0 && next < run.offset + run.length)) return false
  return fstatSync(fd).size >= run.offset + run.length
}

const repeat = (node: Uint8Array, out: Uint8Array): void => {
  for (let at = 0; at < out.length; at += NODE_BYTES) out.set(node, at)
}

let room = new Uint8Array(0)

/** For the kept nodes of this thread's task. A buffer for each would pile up: so few objects are seldom collected. */
const roomFor = (length: number): Uint8Array => {
  if (room.length < length) room = new Uint8Array(length)
  return room.subarray(0, length)
}

/** The subtree's root, or undefined when the task was cancelled. */
export const runSubtree = (engine: Engine, task: SubtreeTask): Uint8Array | undefined => {
  const { scheme, level, source, layers, cancel } = task
  const length = source.from === 'file' ? source.run.length : source.length
  const keptLevel = Math.min(shapeOf(scheme).keptLevel, level)
  const count = layers === undefined ? 0 : nodesUnder(scheme, length, keptLevel)
  const output = { kept: roomFor(count * NODE_BYTES), root: new Uint8Array(NODE_BYTES) }
  const shape = { scheme, level, keptLevel }
  if (source.from === 'memory') {
    engine.subtree(new Uint8Array(source.shared, 0, length), shape, output)
  } else {
    const { run } = source
    const finished = withFile(run.path, 'r', (fd) => {
      const full = length === capacityAt(scheme, level)
      if (source.skipHoles && full && isHole(engine, fd, run)) {
        const known = holeNodes(engine, scheme)
        repeat(known[keptLevel] ?? output.root, output.kept)
        output.root.set(known[level] ?? output.root)
        return true
      }
      return engine.fileSubtree({ fd, offset: run.offset, length }, shape, output, cancel)
    })
    if (!finished) return undefined
  }
  if (layers !== undefined && count > 0) {
    withFile(layers.path, 'r+', (fd) => writeFully(fd, output.kept, layers.offset))
  }
  return output.root
}
