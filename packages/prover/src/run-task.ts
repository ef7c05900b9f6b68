/**
 * Runs one task on the calling thread. Workers call it; tests call it directly, to show that both
 * give the same bytes.
 */
import type { Engine } from '@holdfast/native'
import { HoldfastError, type HoldfastErrorDetail } from '@holdfast/protocol'
import { runAnswers, runRange } from './answer-task.ts'
import { runBundleTask } from './bundle/run-task.ts'
import { runLayers } from './layers-task.ts'
import { Damage } from './opening.ts'
import { ReadFailure } from './read-plan.ts'
import { runSmall } from './small-task.ts'
import { runSubtree } from './subtree-task.ts'
import type { Task, TaskResult, TaskValue } from './tasks.ts'

const ABORTED: TaskResult = { ok: false, detail: { code: 'ABORTED' } }

const node = (root: Uint8Array | undefined): TaskValue | undefined =>
  root && { kind: 'node', node: root }

const resultOf = (engine: Engine, task: Task): TaskValue | undefined => {
  switch (task.kind) {
    case 'subtree':
      return node(runSubtree(engine, task))
    case 'layers':
      return node(runLayers(engine, task))
    case 'small': {
      const small = runSmall(engine, task)
      return small && { kind: 'small', ...small }
    }
    case 'answer': {
      const outcomes = runAnswers(engine, task)
      return outcomes && { kind: 'answers', outcomes }
    }
    case 'range':
      return { kind: 'range', proof: runRange(engine, task) }
    case 'messages':
      engine.messages(task.input, task.size, task.out)
      return { kind: 'done' }
    default:
      return runBundleTask(engine, task)
  }
}

const damageOf = (task: Task, cause: unknown): HoldfastErrorDetail | undefined => {
  if (task.kind !== 'range') return undefined
  if (!(cause instanceof Damage || cause instanceof ReadFailure)) {
    return { code: 'INPUT_UNREADABLE', path: task.job.payload.path, reason: String(cause) }
  }
  const root = `0x${Buffer.from(task.job.root).toString('hex')}`
  return { code: 'PAYLOAD_CORRUPT', root, leaf: task.first, what: cause.message }
}

/** Never throws. */
export const runTask = (engine: Engine, task: Task): TaskResult => {
  if (Atomics.load(task.cancel, 0) !== 0) return ABORTED
  try {
    const value = resultOf(engine, task)
    return value === undefined ? ABORTED : { ok: true, value }
  } catch (cause) {
    if (HoldfastError.is(cause)) return { ok: false, detail: cause.detail }
    const detail = damageOf(task, cause) ?? { code: 'INVARIANT', sentence: `prover: ${cause}` }
    return { ok: false, detail }
  }
}
