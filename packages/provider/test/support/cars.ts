/** CARs and blocks for tests, written out by hand: good ones, odd ones, and bombs. */
import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { writeHeader, writeVarint } from '../../src/car/header.ts'

export const RAW = 0x55
export const DAG_PB = 0x70
export const DAG_CBOR = 0x71

export interface Block {
  readonly cid: CID
  readonly bytes: Uint8Array
}

export const blockOf = (bytes: Uint8Array, codec = RAW): Block => {
  const digest = createHash('sha256').update(bytes).digest()
  return { cid: CID.createV1(codec, createDigest(0x12, digest)), bytes }
}

const field = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([writeVarint(number * 8 + 2), writeVarint(bytes.length), bytes])

/** UnixFS types. */
export const UNIXFS = { directory: 1, file: 2, shard: 5 } as const

/** A DAG-PB node of a UnixFS type over named links. */
export const pbNode = (
  type: number,
  links: readonly { readonly block: Block; readonly name?: string }[],
): Block => {
  const data = field(1, Uint8Array.of(0x08, type))
  const parts = links.map(({ block, name = '' }) =>
    field(2, Buffer.concat([field(1, block.cid.bytes), field(2, Buffer.from(name))])),
  )
  return blockOf(Buffer.concat([...parts, data]), DAG_PB)
}

/** A DAG-CBOR list of links. */
export const cborList = (blocks: readonly Block[]): Block => {
  const links = blocks.map(({ cid }) =>
    Buffer.concat([Uint8Array.of(0xd8, 0x2a, 0x58, cid.bytes.length + 1, 0), cid.bytes]),
  )
  return blockOf(Buffer.concat([Uint8Array.of(0x80 + links.length), ...links]), DAG_CBOR)
}

export const sectionOf = ({ cid, bytes }: Block): Buffer =>
  Buffer.concat([writeVarint(cid.bytes.length + bytes.length), cid.bytes, bytes])

export const carOf = (root: CID, blocks: readonly Block[]): Buffer =>
  Buffer.concat([writeHeader(root), ...blocks.map(sectionOf)])

/** A directory of a file of three leaves, a shard and a CBOR list; everything once. */
export const exampleDag = (): {
  readonly root: Block
  readonly file: Block
  readonly shard: Block
  readonly subShard: Block
  readonly list: Block
  readonly leaves: readonly Block[]
  readonly car: Buffer
} => {
  const leaves = [1, 2, 3].map((n) => blockOf(Buffer.alloc(70_000 + n, n)))
  const [one, two, three] = leaves
  if (!one || !two || !three) throw new Error('three leaves')
  const file = pbNode(
    UNIXFS.file,
    leaves.map((block) => ({ block })),
  )
  const subShard = pbNode(UNIXFS.shard, [{ block: three, name: '0Fc.bin' }])
  const shard = pbNode(UNIXFS.shard, [
    { block: subShard, name: 'A1' },
    { block: one, name: 'B2a.bin' },
  ])
  const list = cborList([two, file])
  const root = pbNode(UNIXFS.directory, [
    { block: file, name: 'file' },
    { block: shard, name: 'shard' },
    { block: list, name: 'list' },
  ])
  const blocks = [...leaves, file, subShard, shard, list, root]
  return { root, file, shard, subShard, list, leaves, car: carOf(root.cid, blocks) }
}

/** CIDs and blocks of a CAR, as a reader sees them. */
export const readCar = (car: Uint8Array): { readonly cid: string; readonly bytes: Buffer }[] => {
  const buffer = Buffer.from(car)
  const found: { cid: string; bytes: Buffer }[] = []
  let at = 0
  const length = (): number => {
    let [value, shift] = [0, 1]
    for (;;) {
      const byte = buffer[at++] ?? 0
      value += (byte & 0x7f) * shift
      shift *= 128
      if (byte < 0x80) return value
    }
  }
  const header = length()
  at += header
  while (at < buffer.length) {
    const end = length() + at
    const [cid, bytes] = CID.decodeFirst(buffer.subarray(at, end))
    found.push({ cid: cid.toString(), bytes: Buffer.from(bytes) })
    at = end
  }
  return found
}
