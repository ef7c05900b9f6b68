/** What was packed comes back: whole trees, ranges, paths, with few requests. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { CID } from 'multiformats/cid'
import { packTo } from '../../src/pack.ts'
import { ReplicaReader } from '../../src/retrieve/replica-reader.ts'
import {
  listEntries,
  type OpenNode,
  openNode,
  readFile as readContent,
  resolvePath,
} from '../../src/retrieve/unixfs-reader.ts'
import { writeTree } from '../../src/retrieve/write-tree.ts'
import { manyFiles, mixedTree } from '../random-tree.ts'
import { temporary, vectorPath } from '../support.ts'
import { BytesSource } from './sources.ts'

interface Packed {
  readonly root: CID
  readonly data: Uint8Array
  readonly source: string
}

const pack = async (source: string, wishes = {}): Promise<Packed> => {
  const out = join(await temporary(), 'payload.car')
  const { root } = await packTo(source, out, wishes)
  return { root, data: await readFile(out), source }
}

const open = async ({ data }: Packed): Promise<{ source: BytesSource; blocks: ReplicaReader }> => {
  const source = new BytesSource(data)
  return { source, blocks: await ReplicaReader.open(source) }
}

/** A tree on disk as a value: contents of files, targets of links, names of directories. */
const snapshot = async (root: string): Promise<Record<string, string>> => {
  const found: Record<string, string> = {}
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const key = path.slice(root.length)
    if (entry.isDirectory()) found[key] = 'directory'
    else if (entry.isSymbolicLink()) found[key] = `-> ${await readlink(path)}`
    else found[key] = (await readFile(path)).toString('base64')
  }
  return found
}

const contentOf = async (
  blocks: ReplicaReader,
  file: OpenNode & { kind: 'file' },
  span: { start: bigint; end: bigint },
): Promise<Buffer> => {
  const pieces: Uint8Array[] = []
  for await (const piece of readContent(blocks, file, span)) pieces.push(piece)
  return Buffer.concat(pieces)
}

let mixed: Packed

beforeAll(async () => {
  mixed = await pack(await mixedTree())
})

describe.each([
  ['unixfs-v1-2025', 'sha2-256'],
  ['unixfs-v0-2015', 'sha2-256'],
  ['kubo-cid-v1', 'sha2-256'],
  ['unixfs-v1-2025', 'blake3'],
])('profile %s with %s', (profile, hash) => {
  test('the whole tree comes back, links and empty directories included', async () => {
    const packed = await pack(mixed.source, { profile, hash })
    const { blocks } = await open(packed)
    const out = join(await temporary(), 'copy')
    await writeTree(blocks, await openNode(blocks, packed.root), out)
    expect(await snapshot(out)).toEqual(await snapshot(packed.source))
  })
})

test('any range of a file is exactly those bytes', async () => {
  const { blocks } = await open(mixed)
  const path = ['deep', 'er', 'three chunks']
  const truth = await readFile(join(mixed.source, ...path))
  const node = await resolvePath(blocks, mixed.root, path)
  if (node.kind !== 'file') throw new Error(node.kind)
  await fc.assert(
    fc.asyncProperty(fc.nat(truth.length - 1), fc.nat(1_500_000), async (start, length) => {
      const end = Math.min(truth.length, start + length)
      const found = await contentOf(blocks, node, { start: BigInt(start), end: BigInt(end) })
      expect(found.equals(truth.subarray(start, end))).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('a path that is missing is named up to the missing part', async () => {
  const { blocks } = await open(mixed)
  await expect(resolvePath(blocks, mixed.root, ['deep', 'nothing', 'x'])).rejects.toMatchObject({
    detail: { code: 'PATH_NOT_FOUND', path: 'deep/nothing' },
  })
  await expect(resolvePath(blocks, mixed.root, ['hello.txt', 'x'])).rejects.toMatchObject({
    detail: { code: 'PATH_NOT_FOUND' },
  })
})

test('sixteen bytes of a large file cost a small part of the payload', async () => {
  const { source, blocks } = await open(mixed)
  const node = await resolvePath(blocks, mixed.root, ['hello.txt'])
  if (node.kind !== 'file') throw new Error(node.kind)
  await contentOf(blocks, node, { start: 0n, end: 5n })
  expect(source.requests).toBeLessThanOrEqual(4)
  expect(source.bytes).toBeLessThan(mixed.data.length / 4)
})

describe('a sharded directory of 5,000 files', () => {
  let many: Packed

  beforeAll(async () => {
    many = await pack(await manyFiles(5000))
  })

  test('comes back whole, in few requests', async () => {
    const { source, blocks } = await open(many)
    const root = await openNode(blocks, many.root)
    expect(root).toMatchObject({ kind: 'directory', hamt: true })
    const out = join(await temporary(), 'copy')
    const written = await writeTree(blocks, root, out)
    expect(written.files).toBe(5000)
    expect(await snapshot(out)).toEqual(await snapshot(many.source))
    // 1.3 MB of payload in windows that start at 128 KiB, and the shards at its end.
    expect(source.requests).toBeLessThan(40)
  })

  test('one file is found by its name through the shards', async () => {
    const { source, blocks } = await open(many)
    const name = (await readdir(many.source))[4321] ?? ''
    const node = await resolvePath(blocks, many.root, [name])
    if (node.kind !== 'file') throw new Error(node.kind)
    const found = await contentOf(blocks, node, { start: 0n, end: node.size })
    expect(found.equals(await readFile(join(many.source, name)))).toBe(true)
    expect(source.requests).toBeLessThan(12)
    await expect(resolvePath(blocks, many.root, ['no such file'])).rejects.toMatchObject({
      detail: { code: 'PATH_NOT_FOUND' },
    })
  })

  test('is listed with every name once', async () => {
    const { blocks } = await open(many)
    const root = await openNode(blocks, many.root)
    if (root.kind !== 'directory') throw new Error(root.kind)
    const names: string[] = []
    for await (const { name } of listEntries(blocks, root)) names.push(name)
    expect(names.sort()).toEqual((await readdir(many.source)).sort())
  })
})

test('CARs of other makers, without our index, are read by walking them once', async () => {
  const name = 'trustless_gateway_car__single-layer-hamt-with-multi-block-files.car'
  const data = await readFile(vectorPath('trustless-gateway', name))
  const blocks = await ReplicaReader.open(new BytesSource(data))
  const { CarReader } = await import('@ipld/car')
  const [root] = await (await CarReader.fromBytes(data)).getRoots()
  if (root === undefined) throw new Error('the fixture has no root')
  const node = await openNode(blocks, root)
  if (node.kind !== 'directory') throw new Error(node.kind)
  let count = 0
  for await (const { name: entry } of listEntries(blocks, node)) {
    expect(entry).not.toBe('')
    count += 1
  }
  expect(count).toBeGreaterThan(100)
})
