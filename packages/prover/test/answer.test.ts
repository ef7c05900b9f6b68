/** Answers, damage that is named, range proofs and ranges that arrive in any order. */
import { readFile, writeFile } from 'node:fs/promises'
import { bytes, leafIndex, verifyLeaf, verifyRange } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openProver } from '../src/open-prover.ts'
import type { Prover } from '../src/prover.ts'
import { chunks, type Folder, noise, openFolder, plainRoot } from './fixture.ts'
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
