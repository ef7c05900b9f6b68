/** A worker whose thread dies as often as the task's input says, then answers. */
import type { Task, TaskResult } from '../src/tasks.ts'

export const run = (task: Task): TaskResult => {
  if (task.kind !== 'messages') throw new Error('only messages are sent here')
  const [left = 0] = task.input
  if (left > 0) {
    task.input[0] = left - 1
    process.exit(1)
  }
  return { ok: true, value: { kind: 'done' } }
}
