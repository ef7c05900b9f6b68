/** Bundles of a period: built, damaged, stored and read again. */
import { readdir, readFile, stat, truncate, unlink, writeFile } from 'node:fs/promises'
import {
  bytes,
  dealId,
  HoldfastError,
  ProviderTree,
  type Root,
  verifyBundleEntry,
} from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { StoredBundle } from '../src/bundle/bundler.ts'
import type { KeptPayload } from '../src/kept-payload.ts'
import { openProver } from '../src/open-prover.ts'
import type { Prover } from '../src/prover.ts'
import { CONTEXT, committed, slowBundle, treeOver } from './bundle-fixture.ts'
import { type Folder, noise, openFolder } from './fixture.ts'
import { type Kept, keeper } from './kept.ts'

let prover: Prover
let folder: Folder
/** Payloads of every kind of size; one of them is kept for two deals. */
let payloads: readonly Kept[]

const SIZES = [1, 1024, 5000, 16_384, 40_001, 300_000, 2_100_000]

const keep = keeper(() => ({ prover, folder }))

beforeAll(async () => {
  prover = await openProver({ threads: 2 })
  folder = await openFolder()
  payloads = await Promise.all(SIZES.map((size, i) => keep(`p${i}`, noise(size, i + 1))))
})
afterAll(async () => {
  await prover.close()
  await folder.remove()
})

const at = (i: number): Kept => {
  const kept = payloads[i]
  if (kept === undefined) throw new Error(`no payload ${i}`)
  return kept
}

const among =
  (kept: readonly KeptPayload[]) =>
  (root: Root): KeptPayload | undefined =>
    kept.find(({ commitment }) => commitment.root === root)

/** Slots in an order that is not the payloads', with a gap and a payload held twice. */
const mixed = (): ProviderTree =>
  treeOver([at(5), undefined, at(0), at(6), at(3), at(1), at(6), at(2), at(4)])

let built = 0
const newPath = (): string => folder.place(`bundle-${built++}`)

const collect = async (bundle: StoredBundle): Promise<readonly Uint8Array[]> => {
  const answers: Uint8Array[] = []
  for await (const { index, answer } of bundle.answers()) {
    expect(index).toBe(BigInt(answers.length))
    answers.push(answer)
  }
  return answers
}

const same = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length && a.every((one, i) => Buffer.compare(one, b[i] ?? one.subarray(1)) === 0)

describe('a whole bundle', () => {
  test('is what every answer by itself gives, entry by entry', async () => {
    const tree = mixed()
    const path = newPath()
    const slow = await slowBundle(prover, tree, among(payloads))
    const progress: bigint[] = []
    const result = await prover.bundlePeriod(
      { context: CONTEXT, tree, payloadOf: among(payloads), path },
      { onProgress: ({ entries }) => progress.push(entries) },
    )
    expect(result).toEqual({ root: slow.root, count: 500n, absent: 0n, damaged: [] })
    expect(progress.at(-1)).toBe(500n)
    const bundle = await prover.openBundle(path)
    expect(bundle).toMatchObject({ path, root: slow.root, count: 500n, absent: 0n })
    expect(bundle.context).toEqual(CONTEXT)
    expect(same(await collect(bundle), slow.answers)).toBe(true)
    expect(same(await bundle.globalAnswers(10), slow.answers.slice(0, 10))).toBe(true)
    for (const [index, question] of slow.questions.entries()) {
      if (index % 7 !== 0 && index < 460) continue
      const opening = await bundle.entry(BigInt(index))
      verifyBundleEntry(committed(result.root, tree), question, opening)
      expect(await bundle.open(question)).toEqual(opening)
    }
  })

  test.each(['wasm', 'native-portable'])('is the same on %s', async (name) => {
    const tree = treeOver([at(4), at(6)])
    const input = { context: CONTEXT, tree, payloadOf: among(payloads) }
    const first = await prover.bundlePeriod({ ...input, path: newPath() })
    const other = await openProver({ engine: name, threads: 1 }).catch(() => undefined)
    if (other === undefined) return expect(name).not.toBe('wasm')
    const path = newPath()
    const second = await other.bundlePeriod({ ...input, path }, { memoryBytes: bytes(1) })
    expect(second).toEqual(first)
    expect(await (await prover.openBundle(path)).entry(469n)).toEqual(
      await (await other.openBundle(path)).entry(469n),
    )
    await other.close()
  })

  test('of one deal with one leaf has all 465 answers from it', async () => {
    const tree = treeOver([at(0)])
    const path = newPath()
    const input = { context: CONTEXT, tree, payloadOf: among(payloads), path }
    const result = await prover.bundlePeriod(input, { durable: false })
    expect(result).toMatchObject({ count: 465n, absent: 0n })
    const slow = await slowBundle(prover, tree, among(payloads))
    expect(result.root).toBe(slow.root)
    const bundle = await prover.openBundle(path)
    expect(same(await collect(bundle), slow.answers)).toBe(true)
    const run = { first: 120n, count: 20n }
    const part: bigint[] = []
    for await (const { index } of bundle.answers(run)) part.push(index)
    expect(part).toEqual(Array.from({ length: 20 }, (_, i) => 120n + BigInt(i)))
  })

  test('needs weight', async () => {
    const input = { context: CONTEXT, payloadOf: among(payloads), path: newPath() }
    for (const tree of [new ProviderTree(), treeOver([undefined])]) {
      await expect(prover.bundlePeriod({ ...input, tree })).rejects.toMatchObject({
        code: 'INVARIANT',
      })
    }
  })
})

describe('damage', () => {
  test('makes only the entries absent that need the damaged bytes, and is named', async () => {
    const data = noise(1_000_000, 77)
    const bad = await keep('bad', data)
    const all = [...payloads, bad]
    data[500_000] = (data[500_000] ?? 0) ^ 1
    await writeFile(bad.payload.path, data)
    const tree = treeOver([at(2), bad, at(4)])
    const slow = await slowBundle(prover, tree, among(all))
    const absent = slow.answers.filter(({ length }) => length === 0).length
    expect(absent).toBeGreaterThan(0)
    expect(absent).toBeLessThan(40)
    const path = newPath()
    const result = await prover.bundlePeriod({
      context: CONTEXT,
      tree,
      payloadOf: among(all),
      path,
    })
    expect(result).toMatchObject({ root: slow.root, count: 475n, absent: BigInt(absent) })
    const block = Math.floor(500_000 / 16_384)
    const { root } = bad.commitment
    expect(result.damaged).toEqual([
      { root, absent, leaf: expect.any(BigInt), what: expect.stringContaining(`block ${block}`) },
    ])
    const bundle = await prover.openBundle(path)
    expect(same(await collect(bundle), slow.answers)).toBe(true)
    const missing = slow.answers.findIndex(({ length }) => length === 0)
    const opening = await bundle.entry(BigInt(missing))
    expect(opening.answer).toHaveLength(0)
    const question = slow.questions[missing]
    if (question === undefined) throw new Error('a question per answer')
    expect(() => verifyBundleEntry(committed(result.root, tree), question, opening)).toThrow(
      expect.objectContaining({ code: 'PROOF_INVALID' }),
    )
  })

  test('a payload that is gone, unknown, another one or of scheme 2 spoils its own entries', async () => {
    const piece = await keep('piece', noise(9000, 3), 2)
    const gone = { ...at(5), payload: { ...at(5).payload, path: folder.place('nowhere') } }
    const other = { ...at(3), commitment: at(4).commitment }
    const kept = new Map<Root, KeptPayload>([
      [at(2).commitment.root, at(2)],
      [at(5).commitment.root, gone],
      [at(3).commitment.root, other],
      [piece.commitment.root, piece],
    ])
    const tree = treeOver([at(2), at(5), at(3), piece, at(6)])
    const path = newPath()
    const payloadOf = (root: Root): KeptPayload | undefined => kept.get(root)
    const result = await prover.bundlePeriod({ context: CONTEXT, tree, payloadOf, path })
    const what = new Map(result.damaged.map((row) => [row.root, row.what]))
    expect(what.get(at(5).commitment.root)).toContain('nowhere')
    expect(what.get(at(3).commitment.root)).toContain(at(4).commitment.root)
    expect(what.get(piece.commitment.root)).toContain('scheme 1, not 2')
    expect(what.get(at(6).commitment.root)).toBe('the payload is not kept here')
    expect(what.size).toBe(4)
    const total = result.damaged.reduce((sum, row) => sum + row.absent, 0)
    expect(result.absent).toBe(BigInt(total))
    const bundle = await prover.openBundle(path)
    const present = (await collect(bundle)).filter(({ length }) => length > 0).length
    expect(present).toBe(485 - total)
    expect(present).toBeGreaterThanOrEqual(5)
  })
})

describe('a stored bundle', () => {
  const stored = async (): Promise<{ readonly path: string; readonly bundle: StoredBundle }> => {
    const path = newPath()
    const tree = treeOver([at(2), at(4), at(1)])
    await prover.bundlePeriod({ context: CONTEXT, tree, payloadOf: among(payloads), path })
    return { path, bundle: await prover.openBundle(path) }
  }

  test('gives nothing outside its entries and for deals that it does not have', async () => {
    const { bundle } = await stored()
    for (const index of [-1n, 475n]) {
      await expect(bundle.entry(index)).rejects.toMatchObject({ code: 'RANGE_INVALID' })
    }
    for (const k of [-1, 461, 0.5]) {
      await expect(bundle.globalAnswers(k)).rejects.toMatchObject({ code: 'RANGE_INVALID' })
    }
    const deal = dealId(`0x${'ff'.repeat(32)}`)
    expect(await bundle.open({ class: 'deal', deal, i: 0 })).toBeUndefined()
    expect(await bundle.open({ class: 'global', i: 460 })).toBeUndefined()
    expect(await bundle.globalAnswers(0)).toEqual([])
  })

  test('never gives changed bytes, whichever bit is damaged', async () => {
    const { path, bundle } = await stored()
    const whole = await readFile(path)
    const before = await collect(bundle)
    const indices = [0n, 130n, 459n, 460n, 474n]
    const entries = await Promise.all(indices.map((index) => bundle.entry(index)))
    const spots = Array.from({ length: 50 }, (_, i) => Math.floor((i * whole.length) / 50))
    let refused = 0
    for (const spot of [...spots, 8, 40, 75, 150, 255, whole.length - 1]) {
      const damaged = Buffer.from(whole)
      damaged[spot] = (damaged[spot] ?? 0) ^ (1 << (spot % 8))
      await writeFile(path, damaged)
      try {
        const again = await prover.openBundle(path)
        for (const [i, index] of indices.entries()) {
          expect(await again.entry(index)).toEqual(entries[i])
        }
        expect(same(await collect(again), before)).toBe(true)
      } catch (cause) {
        if (!HoldfastError.is(cause, 'STORE_CORRUPT')) throw cause
        expect(cause.detail).toMatchObject({ path })
        refused++
      }
    }
    expect(refused).toBeGreaterThan(40)
  })

  test('that was cut, is no bundle, or is gone, says so', async () => {
    const { path, bundle } = await stored()
    const { size } = await stat(path)
    await truncate(path, size - 1)
    await expect(prover.openBundle(path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(bundle.entry(474n)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await truncate(path, 100)
    await expect(prover.openBundle(path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await writeFile(path, noise(5000))
    await expect(prover.openBundle(path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await unlink(path)
    await expect(prover.openBundle(path)).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
    await expect(bundle.entry(0n)).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
  })

  test('is replaced whole or not at all', async () => {
    const { path, bundle } = await stored()
    const tree = mixed()
    const stop = new AbortController()
    const input = { context: CONTEXT, tree, payloadOf: among(payloads), path }
    const options = { signal: stop.signal, onProgress: () => stop.abort() }
    await expect(prover.bundlePeriod(input, options)).rejects.toMatchObject({ code: 'ABORTED' })
    expect((await prover.openBundle(path)).root).toBe(bundle.root)
    expect((await readdir(folder.path)).filter((name) => name.endsWith('.part'))).toEqual([])
    const { root } = await prover.bundlePeriod(input)
    expect((await prover.openBundle(path)).root).toBe(root)
    const nowhere = { ...input, path: folder.place('no/such/folder/bundle') }
    await expect(prover.bundlePeriod(nowhere)).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
  })
})
