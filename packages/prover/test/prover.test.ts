/** The prover as its users see it: commitments, kept layers, answers, damage, bounds, cancelling. */
import { open, readFile, writeFile } from 'node:fs/promises'
import { listEngines, openEngine } from '@holdfast/native'
import {
  bytes,
  type Commitment,
  HoldfastError,
  leafIndex,
  type SchemeId,
  toHex,
  verifyLeaf,
  verifyRange,
} from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { keptLayersLength } from '../src/layers.ts'
import { openProver } from '../src/open-prover.ts'
import type { AnswerJob, FileRange, Prover } from '../src/prover.ts'
import { runTask } from '../src/run-task.ts'
import { chunks, type Folder, noise, openFolder, plainCommp, plainRoot } from './fixture.ts'

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

interface Kept {
  readonly payload: FileRange
  readonly layers: FileRange
  readonly commitment: Commitment
}

const keep = async (name: string, data: Uint8Array, scheme: SchemeId = 1): Promise<Kept> => {
  const payload = await folder.file(name, data)
  const place = { path: folder.place(`${name}.layers`), offset: bytes(0) }
  const commitment = await prover.commitFile(payload, { scheme, layers: place })
  const layers = { ...place, length: keptLayersLength(commitment.length, scheme) }
  return { payload, layers, commitment }
}

const job = (kept: Kept, indices: readonly number[]): AnswerJob => ({
  ...kept,
  indices: indices.map((index) => leafIndex(index)),
})

const BORDERS = [1, 2, 4, 15, 16, 17, 31, 64, 65, 1023, 1024, 1025, 2048, 2049, 3000].flatMap(
  (leaves) => [leaves * 1024 - 1, leaves * 1024, leaves * 1024 + 1],
)

describe('commitments', () => {
  test.each(BORDERS)('a file of %i bytes has the root of the definition', async (length) => {
    const data = noise(length, length)
    const payload = await folder.file('border', data)
    expect(await prover.commitFile(payload)).toEqual({
      scheme: 1,
      root: plainRoot(data),
      length: BigInt(length),
    })
  })

  test.each([1, 126, 127, 128, 254, 508, 509, 65_024, 65_025, 200_000, 1_300_000])(
    'a file of %i bytes has the CommP root of the definition',
    async (length) => {
      const data = noise(length, length)
      const payload = await folder.file('commp', data)
      const commitment = await prover.commitFile(payload, { scheme: 2 })
      expect(commitment.root).toBe(plainCommp(data))
    },
  )

  test.each([1, 2] as const)(
    'scheme %i: a stream in odd chunks gives the root of the file',
    async (scheme) => {
      const data = noise(20_000_003)
      const payload = await folder.file('stream', data)
      const place = { path: folder.place(`stream.${scheme}`), offset: bytes(0) }
      const whole = await prover.commitFile(payload, {
        scheme,
        layers: { ...place, path: `${place.path}.a` },
      })
      const streamed = await prover.commitStream(chunks(data, 300_007), {
        scheme,
        layers: { ...place, path: `${place.path}.b` },
      })
      expect(streamed).toEqual(whole)
      const [a, b] = await Promise.all([readFile(`${place.path}.a`), readFile(`${place.path}.b`)])
      expect(a.equals(b)).toBe(true)
      expect(BigInt(a.length)).toBe(keptLayersLength(bytes(data.length), scheme))
    },
  )

  test('a range inside a file is committed as itself', async () => {
    const data = noise(3_000_000)
    const payload = await folder.file('inside', data)
    const part = { ...payload, offset: bytes(12_345), length: bytes(2_500_001) }
    const commitment = await prover.commitFile(part)
    expect(commitment.root).toBe(plainRoot(data.subarray(12_345, 12_345 + 2_500_001)))
  })
})

describe('refusals', () => {
  const codeOf = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'done',
      (cause: unknown) => (HoldfastError.is(cause) ? cause.code : String(cause)),
    )

  test('an empty payload, a missing file and a short file each have their error', async () => {
    const payload = await folder.file('short', noise(5000))
    expect(await codeOf(prover.commitFile({ ...payload, length: bytes(0) }))).toBe('PAYLOAD_EMPTY')
    expect(await codeOf(prover.commitStream(chunks(new Uint8Array(0), 1)))).toBe('PAYLOAD_EMPTY')
    const missing = { ...payload, path: folder.place('missing') }
    expect(await codeOf(prover.commitFile(missing))).toBe('INPUT_UNREADABLE')
    expect(await codeOf(prover.commitFile({ ...payload, length: bytes(5001) }))).toBe(
      'INPUT_UNREADABLE',
    )
  })

  test('more operations than admitted are refused, and the others finish', async () => {
    const narrow = await openProver({ threads: 1, operationsMax: 2 })
    const payload = await folder.file('queue', noise(2_000_000))
    const results = await Promise.all([1, 2, 3, 4].map(() => codeOf(narrow.commitFile(payload))))
    expect(results.sort()).toEqual(['QUEUE_FULL', 'QUEUE_FULL', 'done', 'done'])
    await narrow.close()
    await narrow.close()
    expect(await codeOf(narrow.commitFile(payload))).toBe('SHUTTING_DOWN')
  })

  test('aborting stops a commit, and the threads go on with other work', async () => {
    const payload = await folder.file('abort', noise(30_000_000))
    const control = new AbortController()
    const running = prover.commitFile(payload, {
      signal: control.signal,
      onProgress: () => control.abort(),
    })
    expect(await codeOf(running)).toBe('ABORTED')
    expect(await codeOf(prover.commitFile(payload, { signal: control.signal }))).toBe('ABORTED')
    expect(await codeOf(prover.commitFile(payload))).toBe('done')
  })
})

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

describe('answers', () => {
  test.each([1, 1000, 1024, 16_384, 16_385, 40_000, 2_097_152, 2_097_153, 9_000_000])(
    'every kind of leaf of %i bytes opens the commitment',
    async (length) => {
      const kept = await keep('answers', noise(length, length))
      const last = Math.ceil(length / 1024) - 1
      const indices = [
        0,
        last,
        last >> 1,
        Math.min(15, last),
        Math.min(16, last),
        Math.min(2047, last),
      ]
      const [outcome] = await prover.answer([job(kept, indices)])
      if (!outcome?.ok) throw new Error(outcome?.what)
      expect(outcome.proofs.map(({ index }) => Number(index))).toEqual(indices)
      for (const proof of outcome.proofs) verifyLeaf(kept.commitment, proof)
    },
  )

  test('a damaged byte names its block, and spoils only its own job', async () => {
    const data = noise(5_000_000)
    const good = await keep('good', data)
    const bad = await keep('bad', data)
    const damaged = data.slice()
    damaged[3_000_000] = (damaged[3_000_000] ?? 0) ^ 1
    await writeFile(bad.payload.path, damaged)
    const leaf = Math.floor(3_000_000 / 1024)
    const outcomes = await prover.answer([
      job(good, [leaf]),
      job(bad, [0, leaf]),
      job(bad, [0, 4000]),
    ])
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true])
    const block = Math.floor(3_000_000 / 16_384)
    expect(outcomes[1]).toEqual({
      ok: false,
      leaf: BigInt(leaf),
      what: `payload bytes ${block * 16_384} to ${block * 16_384 + 16_383} (block ${block}) do not match their kept node`,
    })
  })

  test('a damaged page is named, not the payload', async () => {
    const kept = await keep('page', noise(5_000_000))
    const layers = await readFile(kept.layers.path)
    layers[130 * 32] = (layers[130 * 32] ?? 0) ^ 1
    await writeFile(kept.layers.path, layers)
    const [outcome, fine] = await prover.answer([job(kept, [130 * 16]), job(kept, [0])])
    expect(outcome).toEqual({
      ok: false,
      leaf: 2080n,
      what: 'page 1 of the kept layer of level 4 does not lead to the root',
    })
    expect(fine?.ok).toBe(true)
  })

  test('missing files and leaves that are not there are outcomes, not errors', async () => {
    const kept = await keep('gone', noise(100_000))
    const gone = { ...kept, payload: { ...kept.payload, path: folder.place('nowhere') } }
    const outcomes = await prover.answer([job(gone, [3]), job(kept, [98]), job(kept, [97])])
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, false, true])
    expect(outcomes[0]).toMatchObject({ leaf: 3n, what: expect.stringContaining('nowhere') })
  })

  test('a long run keeps its order and its bound', async () => {
    const kept = await keep('long', noise(3_000_000))
    const jobs = Array.from({ length: 400 }, (_, i) => job(kept, [(i * 7) % 2900]))
    let at = 0
    for await (const outcome of prover.answerEach(jobs, { memoryBytes: bytes(1) })) {
      if (!outcome.ok) throw new Error(outcome.what)
      expect(outcome.proofs[0]?.index).toBe(jobs[at]?.indices[0])
      at++
    }
    expect(at).toBe(400)
  })
})

describe('ranges', () => {
  test('any run of leaves has a proof that the protocol verifies', async () => {
    const data = noise(5_000_000)
    const kept = await keep('ranges', data)
    for (const [first, last] of [
      [0, 0],
      [0, 4882],
      [17, 33],
      [4882, 4882],
      [100, 3000],
    ] as const) {
      const proof = await prover.rangeProof(kept, {
        first: leafIndex(first),
        last: leafIndex(last),
      })
      const payload = data.subarray(first * 1024, Math.min(data.length, (last + 1) * 1024))
      verifyRange({ commitment: kept.commitment, first: leafIndex(first), payload, proof })
      const range = { first: leafIndex(first), last: leafIndex(last) }
      const against = { commitment: kept.commitment, range, proof }
      await prover.checkRange(chunks(payload, 70_001), against)
      const changed = payload.slice()
      changed[payload.length >> 1] = (changed[payload.length >> 1] ?? 0) ^ 4
      const wrong = [
        changed,
        payload.subarray(1),
        new Uint8Array([...payload.subarray(0, 9), ...payload]),
      ]
      for (const stream of wrong) {
        const check = prover.checkRange(chunks(stream, 70_001), against)
        await expect(check).rejects.toMatchObject({ code: 'PROOF_INVALID' })
      }
      const damaged = proof.slice()
      if (damaged.length > 0) damaged[5] = (damaged[5] ?? 0) ^ 1
      const short = { ...against, proof: damaged.length > 0 ? damaged : new Uint8Array(32) }
      await expect(prover.checkRange(chunks(payload, 9999), short)).rejects.toMatchObject({
        code: 'PROOF_INVALID',
      })
    }
  })

  test('a range proof over damaged bytes names them', async () => {
    const data = noise(3_000_000, 8)
    const kept = await keep('range-damage', data)
    data[16_384] = (data[16_384] ?? 0) ^ 1
    await writeFile(kept.payload.path, data)
    const range = { first: leafIndex(17), last: leafIndex(18) }
    await expect(prover.rangeProof(kept, range)).rejects.toMatchObject({
      code: 'PAYLOAD_CORRUPT',
      detail: { leaf: 17n, what: expect.stringContaining('16384 to 32767') },
    })
  })

  test('ranges that arrive in any order give the root of the whole', async () => {
    const data = noise(7_000_001)
    const payload = await folder.file('arrive', data)
    const layers = { path: folder.place('arrive.parts'), offset: bytes(64) }
    const commit = prover.commitRanges(payload, { layers })
    const cuts = [0, 1, 1_000_000, 1_048_576, 2_500_000, 5_000_000, 7_000_001]
    const parts = cuts.slice(1).map((end, i) => ({ start: cuts[i] ?? 0, end }))
    await expect(commit.finish()).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' })
    for (const { start, end } of [...parts].reverse()) {
      await commit.cover({ offset: bytes(start), length: bytes(end - start) })
    }
    expect((await commit.finish()).root).toBe(plainRoot(data))
    const again = prover.commitRanges(payload, { layers, resume: commit.checkpoint() })
    expect((await again.finish()).root).toBe(plainRoot(data))
    const whole = await keep('arrive', data)
    const one = (await readFile(layers.path)).subarray(64)
    expect(one.equals(await readFile(whole.layers.path))).toBe(true)
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
