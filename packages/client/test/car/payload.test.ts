/** The payload: deterministic, readable by @ipld/car, each block once, children before parents. */
import { createReadStream } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarReader } from '@ipld/car'
import { decode } from '@ipld/dag-pb'
import { beforeAll, expect, test } from '@jest/globals'
import { exporter, recursive } from 'ipfs-unixfs-exporter'
import type { CID } from 'multiformats/cid'
import { TRAILER_SECTION_LENGTH } from '../../src/car/car-index.ts'
import { readCar } from '../../src/car/read-car.ts'
import { measurePayload, packTo } from '../../src/pack.ts'
import { mixedTree } from '../random-tree.ts'
import { temporary, vectorPath } from '../support.ts'

let source: string
let car: string
let packed: Awaited<ReturnType<typeof packTo>>

beforeAll(async () => {
  source = await mixedTree()
  car = join(await temporary(), 'payload.car')
  packed = await packTo(source, car)
})

test('packing twice gives the same bytes, and measuring the same length', async () => {
  const again = join(await temporary(), 'again.car')
  expect(await packTo(source, again)).toEqual(packed)
  expect((await readFile(again)).equals(await readFile(car))).toBe(true)
  expect(await measurePayload(source)).toEqual(packed)
  expect(BigInt((await stat(car)).size)).toBe(packed.length)
})

test('@ipld/car reads it: one root, every link leads to a block', async () => {
  const reader = await CarReader.fromBytes(await readFile(car))
  expect((await reader.getRoots()).map(String)).toEqual([packed.root.toString()])
  const walk = async (cid: CID): Promise<number> => {
    const block = await reader.get(cid)
    if (block === undefined) throw new Error(`no block ${cid}`)
    if (cid.code !== 0x70) return 1
    let count = 1
    for (const { Hash } of decode(block.bytes).Links) count += await walk(Hash)
    return count
  }
  expect(await walk(packed.root)).toBeGreaterThan(15)
})

test('the reference exporter walks it and finds the same files', async () => {
  const reader = await CarReader.fromBytes(await readFile(car))
  const blockstore = {
    get: async function* (cid: CID): AsyncGenerator<Uint8Array> {
      const block = await reader.get(cid)
      if (block === undefined) throw new Error(`no block ${cid}`)
      yield block.bytes
    },
  }
  let files = 0
  for await (const entry of recursive(packed.root, blockstore as never)) {
    const node = await exporter(entry.cid, blockstore as never)
    if ((node.type !== 'file' && node.type !== 'raw') || entry.name === 'link') continue
    const pieces: Uint8Array[] = []
    for await (const piece of node.content()) pieces.push(piece)
    const path = entry.path.split('/').slice(1)
    expect(Buffer.concat(pieces).equals(await readFile(join(source, ...path)))).toBe(true)
    files += 1
  }
  expect(files).toBe(packed.files)
})

test('each block once, children before parents, the root last, then only the index', async () => {
  const order: string[] = []
  const links = new Map<string, readonly string[]>()
  const { blocks } = await readCar(createReadStream(car))
  for await (const { cid, bytes } of blocks) {
    order.push(cid.toString())
    if (cid.code === 0x70)
      links.set(
        cid.toString(),
        decode(bytes).Links.map(({ Hash }) => `${Hash}`),
      )
  }
  expect(new Set(order).size).toBe(order.length)
  for (const [parent, children] of links) {
    for (const child of children) expect(order.indexOf(child)).toBeLessThan(order.indexOf(parent))
  }
  expect(order.indexOf(packed.root.toString())).toBe(packed.blocks - 1)
  // One page and the trailer.
  expect(order.length).toBe(packed.blocks + 2)
  const data = await readFile(car)
  const trailer = data.subarray(data.length - TRAILER_SECTION_LENGTH + 37)
  expect(trailer.subarray(0, 16).toString('latin1')).toBe('holdfast-index/1')
})

test('the same tree under other profiles and hashes packs too', async () => {
  const folder = await temporary()
  for (const [profile, hash] of [
    ['unixfs-v0-2015', 'sha2-256'],
    ['kubo-cid-v1', 'sha2-256'],
    ['unixfs-v1-2025', 'blake3'],
  ]) {
    const out = join(folder, `${profile}-${hash}.car`)
    const { root, blocks } = await packTo(source, out, { profile: `${profile}`, hash: `${hash}` })
    const opened = await readCar(createReadStream(out))
    expect(opened.roots.map(String)).toEqual([root.toString()])
    let count = 0
    for await (const _ of opened.blocks) count += 1
    expect(count).toBe(blocks + 2)
  }
})

test('a CIDv0 profile with BLAKE3 is refused', async () => {
  const wishes = { profile: 'unixfs-v0-2015', hash: 'blake3' }
  await expect(measurePayload(source, wishes)).rejects.toMatchObject({ detail: { code: 'USAGE' } })
})

test('the layout is the one that was released', async () => {
  const folder = await temporary()
  await writeFile(join(folder, 'input'), 'hello world')
  await packTo(join(folder, 'input'), join(folder, 'car'))
  const released = await readFile(vectorPath('payload', 'hello-world.car'))
  expect((await readFile(join(folder, 'car'))).equals(released)).toBe(true)
})

test('an input that cannot be read leaves no archive behind', async () => {
  const out = join(await temporary(), 'none.car')
  await expect(packTo(join(source, 'nothing'), out)).rejects.toMatchObject({
    detail: { code: 'FILE_NOT_FOUND' },
  })
  await expect(stat(out)).rejects.toThrow(/ENOENT/)
})
