/** Threads that die under their work (F18). */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Task } from '../src/tasks.ts'
import { WorkerPool } from '../src/worker-pool.ts'

let pool: WorkerPool

beforeAll(() => {
  const entry = new URL('./dying-worker.js', import.meta.url)
  pool = new WorkerPool({ threads: 2, engine: 'unused', operationsMax: 8, entry })
})
afterAll(() => pool.close())

const dying = (deaths: number, cancel: Int32Array): Task => {
  const input = new Uint8Array(new SharedArrayBuffer(1))
  input[0] = deaths
  return { kind: 'messages', cancel, input, size: 1, out: input }
}

const runOn = (deaths: number): Promise<unknown> =>
  pool.operate('bulk', undefined, ({ cancel, run }) => run(dying(deaths, cancel)))

test('F18: a task whose thread dies is done again, and the pool lives', async () => {
  const outcomes = await Promise.all([0, 1, 2, 1, 0].map(runOn))
  expect(outcomes).toEqual(Array.from({ length: 5 }, () => ({ kind: 'done' })))
})

test('F18: a task that kills every thread is given up, and the pool lives', async () => {
  await expect(runOn(9)).rejects.toMatchObject({ code: 'INVARIANT' })
  await expect(runOn(0)).resolves.toEqual({ kind: 'done' })
})
