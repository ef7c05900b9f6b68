/** Small payloads hashed on their way to the disk: when that counts, and when their file has to be read. */
import { bytes, type Commitment } from '@holdfast/protocol'
import { openProver, type Prover } from '@holdfast/prover'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { MemoryCommits } from '../../src/store/memory-commits.ts'
import type { VolumeSet } from '../../src/store/volume-set.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { slowProver } from '../support/slow-prover.ts'
import { NOW, readAll, StoreBox } from '../support/store.ts'

const DATA = payloadOf(20_000, 1)
const COMMITMENT = commitmentOf(DATA)
const WHOLE = { offset: 0n, length: DATA.length }

const begin = (commits: MemoryCommits, write = WHOLE, commitment = COMMITMENT) =>
  commits.begin('upload', commitment, write)

describe('what is given out', () => {
  test('is of the last write, when that brought everything and succeeded', async () => {
    const commits = new MemoryCommits(slowProver)
    const write = begin(commits)
    await write?.onRun(DATA)
    write?.succeeded()
    expect(commits.take('upload')?.commitment).toEqual(COMMITMENT)
    expect(commits.take('upload')).toBeUndefined()
  })

  test.each([
    ['a part', { offset: 0n, length: DATA.length - 1 }],
    ['the end', { offset: 1n, length: DATA.length - 1 }],
    ['everything, with somebody else waiting for it', { offset: 1n, length: DATA.length }],
  ])('is nothing for %s', (_, write) => {
    expect(begin(new MemoryCommits(slowProver), write)).toBeUndefined()
  })

  test.each([8192, 2 ** 20 + 1])('is nothing for %i bytes: they go another way', (length) => {
    const commitment: Commitment = { ...COMMITMENT, length: bytes(length) }
    const write = { offset: 0n, length }
    expect(begin(new MemoryCommits(slowProver), write, commitment)).toBeUndefined()
  })

  test('is nothing after another write began, whichever ends first', async () => {
    const commits = new MemoryCommits(slowProver)
    const first = begin(commits)
    await first?.onRun(DATA)
    expect(begin(commits, { offset: 5n, length: 1 })).toBeUndefined()
    first?.succeeded()
    expect(commits.take('upload')).toBeUndefined()
  })

  test('is nothing when the write failed, the prover refused, or the upload was given up', async () => {
    const commits = new MemoryCommits(slowProver)
    await begin(commits)?.onRun(DATA)
    expect(commits.take('upload')).toBeUndefined()
    const refusing = new MemoryCommits({
      ...slowProver,
      commitBytes: () => Promise.reject(new Error('busy')),
    })
    const write = begin(refusing)
    await write?.onRun(DATA)
    write?.succeeded()
    expect(refusing.take('upload')).toBeUndefined()
    const given = begin(commits)
    await given?.onRun(DATA)
    given?.succeeded()
    commits.forget('upload')
    expect(commits.take('upload')).toBeUndefined()
  })
})

describe('a store with the real prover', () => {
  let box: StoreBox
  let prover: Prover
  let calls: string[]
  beforeAll(async () => {
    prover = await openProver({ threads: 1 })
  })
  afterAll(() => prover.close())
  beforeEach(async () => {
    calls = []
    box = await StoreBox.create()
  })
  afterEach(() => box.remove())

  const noted = <A extends readonly unknown[], R>(name: string, work: (...args: A) => R) => {
    return (...args: A): R => {
      calls.push(name)
      return work(...args)
    }
  }

  const open = (): Promise<VolumeSet> =>
    box.open({
      sharedPayloadMax: bytes(2 ** 23),
      prover: {
        commitFile: noted('file', prover.commitFile.bind(prover)),
        commitSmall: noted('file', prover.commitSmall.bind(prover)),
        commitBytes: noted('memory', prover.commitBytes.bind(prover)),
      },
    })

  const SIZES = [8193, 131_072, 135_040, 262_144, 1_000_003, 2 ** 20] as const

  test('reads no small payload again that came in one write, and holds every byte of it', async () => {
    const store = await open()
    const payloads = SIZES.map((size, i) => payloadOf(size, i + 1))
    const stored = await Promise.all(
      payloads.map(async (payload, i) => {
        const commitment = commitmentOf(payload)
        await store.reserve(`u${i}`, commitment)
        const half = Math.floor(payload.length / 2)
        await store.write(`u${i}`, bytes(0), [payload.subarray(0, half), payload.subarray(half)])
        await store.seal(`u${i}`, NOW)
        return commitment
      }),
    )
    expect(calls).toEqual(SIZES.map(() => 'memory'))
    await box.close(store)
    const again = await open()
    for (const [i, commitment] of stored.entries()) {
      expect(
        Buffer.from(await readAll(again, commitment)).equals(payloads[i] ?? new Uint8Array()),
      ).toBe(true)
      expect(await again.verify(commitment.root)).toBeUndefined()
    }
  })

  test('reads the file of one that was written twice, or in parts', async () => {
    const store = await open()
    const payload = payloadOf(300_000, 9)
    const commitment = commitmentOf(payload)
    await store.reserve('twice', commitment)
    await store.write('twice', bytes(0), [payloadOf(300_000, 10)])
    await store.write('twice', bytes(100_000), [payload.subarray(100_000)])
    await store.write('twice', bytes(0), [payload.subarray(0, 100_000)])
    await store.seal('twice', NOW)
    expect(calls).toEqual(['memory', 'file'])
    expect(Buffer.from(await readAll(store, commitment)).equals(payload)).toBe(true)
  })

  test('refuses what is not what was promised, and keeps nothing of it', async () => {
    const store = await open()
    await store.reserve('other', commitmentOf(payloadOf(300_000, 1)))
    await store.write('other', bytes(0), [payloadOf(300_000, 2)])
    await expect(store.seal('other', NOW)).rejects.toMatchObject({
      detail: { code: 'ROOT_MISMATCH' },
    })
    expect([...store.stored()]).toEqual([])
  })
})
