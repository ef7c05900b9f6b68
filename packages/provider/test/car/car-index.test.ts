/** The table on disk: against a map, over many sizes; damage is noticed. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openChecksum } from '@holdfast/prover'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { CarIndex } from '../../src/car/car-index.ts'
import { keyOf } from '../../src/car/cids.ts'
import { IndexWriter } from '../../src/car/index-writer.ts'
import { type Block, blockOf } from '../support/cars.ts'

const checksum = openChecksum()
const PAYLOAD = `0x${'ab'.repeat(32)}`
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-cidx-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const small = (n: number): Block => blockOf(Buffer.from(`block ${n}`))

const write = (path: string, count: number): number => {
  const writer = new IndexWriter(path, checksum)
  for (let i = 0; i < count; i++) writer.add(keyOf(small(i).cid), i * 100)
  const said = { roots: [String(small(0).cid)], unknown: 1, wrong: 2, ended: undefined }
  return writer.finish({ payload: PAYLOAD, payloadLength: 12_345, ...said })
}

test.each([0, 1, 169, 170, 171, 5000])(
  'an index of %d blocks finds each and no other',
  async (n) => {
    const path = join(folder, `size-${n}`)
    expect(write(path, n)).toBe(n)
    const index = await CarIndex.open(path, checksum)
    if (index === undefined) throw new Error('no index')
    expect(index.header).toMatchObject({ payload: PAYLOAD, payloadLength: 12_345, entries: n })
    const ordinals = new Set<number>()
    for (let i = 0; i < n; i++) {
      const hit = await index.find(small(i).cid)
      expect(hit?.offset).toBe(i * 100)
      ordinals.add(hit?.ordinal ?? -1)
    }
    expect(ordinals.size).toBe(n)
    for (let i = n; i < n + 200; i++) expect(await index.find(small(i).cid)).toBeUndefined()
    expect((await readdir(folder)).filter((f) => /\.(new|runs)$/.test(f))).toEqual([])
  },
)

test('runs that do not fit into memory at once are merged; of equal keys the first stays', async () => {
  const path = join(folder, 'runs')
  const writer = new IndexWriter(path, checksum)
  const count = 2 ** 18 + 1000
  for (let i = 0; i < count; i++) {
    const key = Buffer.alloc(16)
    key.writeUInt32BE(Math.imul(i, 2654435761) >>> 0)
    writer.add(key, i)
  }
  const again = Buffer.alloc(16)
  again.writeUInt32BE(Math.imul(5, 2654435761) >>> 0)
  writer.add(again, 2 ** 40)
  const said = { roots: [], unknown: 0, wrong: 0, ended: 'x' }
  expect(writer.finish({ payload: PAYLOAD, payloadLength: 1, ...said })).toBe(count)
  const pages = (await readFile(path)).subarray(4096)
  let before = -1
  for (let at = 0; at < pages.length; at += 4096) {
    const first = pages.readUInt32BE(at)
    expect(first).toBeGreaterThan(before)
    before = first
  }
})

test('a byte that changed is noticed, in the header at once and in a page when it is read', async () => {
  const path = join(folder, 'damage')
  write(path, 1000)
  const good = await readFile(path)
  const flipped = (at: number): Buffer => {
    const copy = Buffer.from(good)
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  await writeFile(path, flipped(50))
  expect(await CarIndex.open(path, checksum)).toBeUndefined()
  await writeFile(path, good.subarray(0, good.length - 1))
  expect(await CarIndex.open(path, checksum)).toBeUndefined()
  await writeFile(path, flipped(4096 + 3))
  const index = await CarIndex.open(path, checksum)
  const all = Array.from({ length: 1000 }, (_, i) => index?.find(small(i).cid))
  const results = await Promise.allSettled(all)
  expect(results.some(({ status }) => status === 'rejected')).toBe(true)
  expect(results.some(({ status }) => status === 'fulfilled')).toBe(true)
})
