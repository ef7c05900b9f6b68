/** Many threads on one addon, over the same shared memory: all give the same root. */
import { Worker } from 'node:worker_threads'
import { expect, test } from '@jest/globals'
import { openEngine } from '../src/open-engine.ts'
import { noise } from './engine-suite.ts'

const WORKER = `
  import { parentPort, workerData } from 'node:worker_threads'
  const { openEngine } = await import(workerData.module)
  const engine = openEngine(workerData.engine)
  const roots = []
  for (let turn = 0; turn < 20; turn++) {
    const root = new Uint8Array(32)
    engine.subtree(workerData.payload, { scheme: 1 + (turn % 2), level: 20, keptLevel: 4 }, { kept: new Uint8Array(0), root })
    roots.push(Buffer.from(root).toString('hex'))
  }
  parentPort.postMessage(roots)
`

const inWorker = (engine: string, payload: Uint8Array): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    const module = new URL('../src/open-engine.js', import.meta.url).href
    const url = new URL(`data:text/javascript,${encodeURIComponent(WORKER)}`)
    const worker = new Worker(url, { workerData: { module, engine, payload } })
    worker.once('message', resolve)
    worker.once('error', reject)
  })

test.each([openEngine().name, 'wasm'])('%s: eight threads agree', async (engine) => {
  const payload = new Uint8Array(new SharedArrayBuffer(1_000_001))
  payload.set(noise(payload.length))
  const all = await Promise.all(Array.from({ length: 8 }, () => inWorker(engine, payload)))
  const [first] = all
  for (const roots of all) expect(roots).toEqual(first)
  expect(new Set(first).size).toBe(2)
})
