/** Runs one of a bundle's tasks on the calling thread: part of the table in `../run-task.ts`. */
import type { Engine } from '@holdfast/native'
import { invariant } from '@holdfast/protocol'
import { runBundleFill } from './fill-task.ts'
import { runBundleEntry, runBundleFind, runBundleHead, runBundlePage } from './read-task.ts'
import type { BundleTask, BundleTaskValue } from './tasks.ts'
import { runBundleBegin, runBundleSeal } from './write-task.ts'

/** Undefined when the task was cancelled. @throws HoldfastError as the tasks do. */
export const runBundleTask = (
  engine: Engine,
  task: BundleTask,
): BundleTaskValue | { readonly kind: 'done' } | undefined => {
  switch (task.kind) {
    case 'bundle-begin':
      runBundleBegin(task)
      return { kind: 'done' }
    case 'bundle-fill': {
      const rows = runBundleFill(engine, task)
      return rows && { kind: 'bundle-rows', rows }
    }
    case 'bundle-seal': {
      const root = runBundleSeal(engine, task)
      return root && { kind: 'bundle-root', root }
    }
    case 'bundle-head':
      return { kind: 'bundle-head', head: runBundleHead(engine, task) }
    case 'bundle-entry':
      return { kind: 'bundle-entry', ...runBundleEntry(engine, task) }
    case 'bundle-find':
      return { kind: 'bundle-rank', rank: runBundleFind(engine, task) }
    case 'bundle-page':
      return { kind: 'bundle-page', answers: runBundlePage(engine, task) }
    default:
      return unknownTask(task)
  }
}

const unknownTask = (task: never): never => {
  invariant(false, `no such task: ${JSON.stringify(task)}`)
}
