/**
 * How a payload of known length is cut into subtree tasks: aligned, equal but for the last, small
 * enough that every thread gets some. Pure.
 */
import { type Bytes, NODE_BYTES, type SchemeId, toNumber } from '@holdfast/protocol'
import { bytesUnder, nodesOf, shapeOf, treeDepth } from './scheme.ts'

export interface CommitPlan {
  readonly scheme: SchemeId
  readonly length: Bytes
  /** Levels of the whole tree. */
  readonly depth: number
  /** Level of every task's root. */
  readonly level: number
  readonly count: bigint
}

export interface PlannedTask {
  readonly index: bigint
  /** Bytes from the start of the payload. */
  readonly offset: number
  readonly length: number
  /** Where its kept nodes go, in bytes from the start of the layers. */
  readonly keptOffset: number
}

/** At least eight tasks where the payload is large enough, at most 16 MiB each. */
const TASKS_WANTED_LOG2 = 3

/** @throws HoldfastError `PAYLOAD_EMPTY`, `PAYLOAD_TOO_LARGE`. */
export const planCommit = (scheme: SchemeId, length: Bytes, level?: number): CommitPlan => {
  const depth = treeDepth(scheme, length)
  const { taskLevel, taskLevelMin } = shapeOf(scheme)
  const wanted = Math.max(taskLevelMin, Math.min(taskLevel, depth - TASKS_WANTED_LOG2))
  const chosen = Math.min(level ?? wanted, depth)
  return { scheme, length, depth, level: chosen, count: nodesOf(scheme, length, chosen) }
}

/** Where the kept nodes of a subtree go, in bytes from the start of the layers. */
export const keptOffsetOf = (scheme: SchemeId, level: number, index: bigint): number => {
  const { keptLevel } = shapeOf(scheme)
  const nodes = level > keptLevel ? index << BigInt(level - keptLevel) : index
  return toNumber(nodes) * NODE_BYTES
}

export const plannedTask = (plan: CommitPlan, index: bigint): PlannedTask => {
  const span = bytesUnder(plan.scheme, plan.level)
  const offset = index * span
  const rest = plan.length - offset
  return {
    index,
    offset: toNumber(offset),
    length: Math.min(toNumber(rest), toNumber(span)),
    keptOffset: keptOffsetOf(plan.scheme, plan.level, index),
  }
}
