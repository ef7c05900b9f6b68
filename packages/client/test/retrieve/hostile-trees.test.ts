/** Datasets whose author means harm: names that lead out, duplicates, nodes that contradict themselves. */
import { access, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytes } from '@holdfast/protocol'
import { encode } from '@ipld/dag-pb'
import { expect, test } from '@jest/globals'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import type { BlockGetter } from '../../src/retrieve/replica-reader.ts'
import { listEntries, openNode, readFile } from '../../src/retrieve/unixfs-reader.ts'
import { writeTree } from '../../src/retrieve/write-tree.ts'
import { sha256Hasher } from '../../src/unixfs/block-hasher.ts'
import { DAG_PB_CODE, RAW_CODE } from '../../src/unixfs/node-writer.ts'
import { temporary } from '../support.ts'

class Blocks implements BlockGetter {
  readonly #blocks = new Map<string, Uint8Array>()

  add(codec: number, block: Uint8Array): CID {
    const cid = CID.createV1(codec, create(0x12, sha256Hasher.digest(block)))
    this.#blocks.set(cid.toString(), block)
    return cid
  }

  raw(text: string): CID {
    return this.add(RAW_CODE, Buffer.from(text))
  }

  /** Links are sorted by name as dag-pb wants them; duplicates and odd names pass. */
  node(unixfs: UnixFS, links: readonly (readonly [string, CID])[]): CID {
    const sorted = [...links].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const Links = sorted.map(([Name, Hash]) => ({ Name, Hash, Tsize: 1 }))
    return this.add(DAG_PB_CODE, encode({ Data: unixfs.marshal(), Links }))
  }

  async get(cid: CID): Promise<Uint8Array> {
    const block = this.#blocks.get(cid.toString())
    if (block === undefined) throw new Error(`no ${cid}`)
    return block
  }
}

const directory = new UnixFS({ type: 'directory' })

const write = async (blocks: Blocks, root: CID): Promise<string> => {
  const out = join(await temporary(), 'inner', 'copy')
  await mkdir(join(out, '..'), { recursive: true })
  await writeTree(blocks, await openNode(blocks, root), out)
  return out
}

test.each([['..'], ['.'], [''], ['../escape'], ['a/../../escape'], ['/absolute'], ['nul\0byte']])(
  'an entry named %j is refused and nothing is written',
  async (name) => {
    const blocks = new Blocks()
    const root = blocks.node(directory, [[name, blocks.raw('x')]])
    await expect(write(blocks, root)).rejects.toMatchObject({ detail: { code: 'CAR_INVALID' } })
  },
)

test('two entries of one name are refused', async () => {
  const blocks = new Blocks()
  const link = blocks.node(new UnixFS({ type: 'symlink', data: Buffer.from('/tmp') }), [])
  const inner = blocks.node(directory, [['file', blocks.raw('x')]])
  const root = blocks.node(directory, [
    ['name', link],
    ['name', inner],
  ])
  await expect(write(blocks, root)).rejects.toMatchObject({ detail: { code: 'CAR_INVALID' } })
})

test('nothing is written through a symbolic link: links come last', async () => {
  const outside = await temporary()
  const blocks = new Blocks()
  const link = blocks.node(new UnixFS({ type: 'symlink', data: Buffer.from(outside) }), [])
  const root = blocks.node(directory, [
    ['a', link],
    ['b', blocks.raw('x')],
  ])
  await write(blocks, root)
  await expect(access(join(outside, 'b'))).rejects.toThrow()
})

test('an existing target is not touched', async () => {
  const blocks = new Blocks()
  const out = join(await temporary(), 'there')
  await writeFile(out, 'mine')
  const node = await openNode(blocks, blocks.raw('x'))
  await expect(writeTree(blocks, node, out)).rejects.toMatchObject({ detail: { code: 'USAGE' } })
})

const readAll = async (blocks: Blocks, root: CID): Promise<number> => {
  const node = await openNode(blocks, root)
  if (node.kind !== 'file') throw new Error(node.kind)
  let count = 0
  for await (const piece of readFile(blocks, node, { start: 0n, end: node.size })) {
    count += piece.length
  }
  return count
}

test.each([
  ['more bytes than announced', [1n, 3n]],
  ['fewer bytes than announced', [9n, 3n]],
  ['fewer sizes than links', [3n]],
])('a file node with %s is refused', async (_what, sizes) => {
  const blocks = new Blocks()
  const unixfs = new UnixFS({ type: 'file', blockSizes: sizes })
  const root = blocks.node(unixfs, [
    ['', blocks.raw('abc')],
    ['', blocks.raw('def')],
  ])
  await expect(readAll(blocks, root)).rejects.toMatchObject({ detail: { code: 'CAR_INVALID' } })
})

test('a shard with another fanout is refused', async () => {
  const blocks = new Blocks()
  const root = blocks.node(new UnixFS({ type: 'hamt-sharded-directory', fanout: 1024n }), [])
  await expect(openNode(blocks, root)).rejects.toMatchObject({ detail: { code: 'CAR_INVALID' } })
})

test('shards nested without end are refused', async () => {
  const blocks = new Blocks()
  const shard = new UnixFS({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x22n })
  let cid = blocks.raw('x')
  for (let depth = 0; depth < 12; depth++)
    cid = blocks.node(shard, [[depth === 0 ? '00a' : '00', cid]])
  const node = await openNode(blocks, cid)
  if (node.kind !== 'directory') throw new Error(node.kind)
  const all = async (): Promise<void> => {
    for await (const _ of listEntries(blocks, node));
  }
  await expect(all()).rejects.toMatchObject({ detail: { code: 'CAR_INVALID' } })
})

test('a block that is no UnixFS is refused', async () => {
  const blocks = new Blocks()
  const garbage = blocks.add(DAG_PB_CODE, Uint8Array.of(0xff, 0xff))
  await expect(openNode(blocks, garbage)).rejects.toMatchObject({ detail: { code: 'CAR_INVALID' } })
  const cbor = blocks.add(0x71, Uint8Array.of(0xa0))
  await expect(openNode(blocks, cbor)).rejects.toMatchObject({ detail: { code: 'CAR_INVALID' } })
  expect(bytes(0)).toBe(0n)
})
