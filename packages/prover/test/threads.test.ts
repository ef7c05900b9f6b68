/** What must not depend on threads, engines or holes, and work that is given up. */
import { open, readFile } from 'node:fs/promises'
import { listEngines, openEngine } from '@holdfast/native'
import { bytes, toHex } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { keptLayersLength } from '../src/layers.ts'
import { openProver } from '../src/open-prover.ts'
import type { Prover } from '../src/prover.ts'
import { runTask } from '../src/run-task.ts'
import { type Folder, noise, openFolder } from './fixture.ts'
import { job, keeper } from './kept.ts'

let prover: Prover
let folder: Folder

beforeAll(async () => {
  prover = await openProver({ threads: 2 })
  folder = await openFolder()
})
afterAll(async () => {
  await prover.close()
  await folder.remove()
})

const keep = keeper(() => ({ prover, folder }))

describe('threads', () => {
  test('a task gives the same bytes on this thread', async () => {
    const data = noise(3_000_000)
    const kept = await keep('same', data)
    const run = { path: kept.payload.path, offset: 0, length: data.length }
    const cancel = new Int32Array(new SharedArrayBuffer(4))
    for (const { name } of listEngines().engines) {
      const result = runTask(openEngine(name), {
        kind: 'subtree',
        cancel,
        scheme: 1,
        source: { from: 'file', run, skipHoles: true },
        level: 12,
        layers: undefined,
      })
      if (!result.ok || result.value.kind !== 'node') throw new Error(JSON.stringify(result))
      expect(toHex(result.value.node)).toBe(kept.commitment.root)
    }
    Atomics.store(cancel, 0, 1)
    const stopped = runTask(openEngine(), {
      kind: 'messages',
      cancel,
      input: data,
      size: 1,
      out: data,
    })
    expect(stopped).toEqual({ ok: false, detail: { code: 'ABORTED' } })
  })

  test('every engine answers alike', async () => {
    const data = noise(5_000_000)
    const wanted = await prover.answer([job(await keep('alike', data), [0, 77, 4882])])
    for (const { name } of listEngines().engines) {
      const other = await openProver({ threads: 1, engine: name })
      const payload = await folder.file('alike', data)
      const layers = { path: folder.place(`alike.${name}`), offset: bytes(0) }
      const commitment = await other.commitFile(payload, { layers })
      const length = keptLayersLength(commitment.length)
      const kept = { payload, layers: { ...layers, length }, commitment }
      expect(await other.answer([job(kept, [0, 77, 4882])])).toEqual(wanted)
      await other.close()
    }
  })

  test('an engine that is not here is refused', async () => {
    await expect(openProver({ engine: 'native-quantum' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })

  test('a sparse file has the root of its zeros, read or not', async () => {
    const file = await open(folder.place('sparse'), 'w')
    await file.write(noise(5000), 0, 5000, 20_000_000)
    await file.truncate(70_000_001)
    await file.close()
    const payload = { path: folder.place('sparse'), offset: bytes(0), length: bytes(70_000_001) }
    const [a, b] = [folder.place('sparse.a'), folder.place('sparse.b')]
    const skipped = await prover.commitFile(payload, { layers: { path: a, offset: bytes(0) } })
    const read = await prover.commitFile(payload, {
      layers: { path: b, offset: bytes(0) },
      skipHoles: false,
    })
    expect(skipped).toEqual(read)
    expect((await readFile(a)).equals(await readFile(b))).toBe(true)
  })

  test('aborting ends a commit whose stream is stuck', async () => {
    const control = new AbortController()
    const stuck = async function* (): AsyncIterable<Uint8Array> {
      yield new Uint8Array(5)
      control.abort()
      await new Promise(() => undefined)
    }
    const running = prover.commitStream(stuck(), { signal: control.signal })
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

test('many equal blocks are hashed off this thread', async () => {
  const { createHash } = await import('node:crypto')
  const data = noise(9 * 1_000_003)
  const out = await prover.hashBlocks(data, bytes(1_000_003))
  for (let i = 0; i < 9; i++) {
    const wanted = createHash('sha256').update(data.subarray(i * 1_000_003, (i + 1) * 1_000_003))
    expect(Buffer.from(out.slice(i * 32, i * 32 + 32)).equals(wanted.digest())).toBe(true)
  }
  await expect(prover.hashBlocks(data, bytes(10))).rejects.toMatchObject({ code: 'RANGE_INVALID' })
})
