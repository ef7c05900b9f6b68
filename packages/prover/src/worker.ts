/**
 * The entry of every worker thread: opens the engine that the main thread chose, runs one task at a
 * time, and turns every failure into data. Answers are moved to the main thread, not copied.
 */
import { workerData } from 'node:worker_threads'
import { type Engine, openEngine } from '@holdfast/native'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { runTask } from './run-task.ts'
import type { Task, TaskResult, WorkerData } from './tasks.ts'

let engine: Engine | undefined

const buffersOf = (result: TaskResult): readonly ArrayBufferLike[] => {
  if (!result.ok || result.value.kind !== 'answers') return []
  return result.value.outcomes.flatMap((outcome) => (outcome.ok ? [outcome.bytes.buffer] : []))
}

/** Runs one task on this thread; piscina calls it by its name. */
export const run = (task: Task): unknown => {
  engine ??= openEngine((workerData as WorkerData).engine)
  const result = runTask(engine, task)
  const buffers = buffersOf(result)
  if (buffers.length === 0) return result
  return move({ [transferableSymbol]: buffers, [valueSymbol]: result } as never)
}
