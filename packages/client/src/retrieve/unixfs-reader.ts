/**
 * UnixFS over verified blocks: paths, listings, file content by range. Blocks are right by their
 * CIDs, but a dataset's author may still have linked them into nonsense; what contradicts itself is
 * refused with `CAR_INVALID`. One block per level is in memory.
 */
import { type Bytes, bytes, HoldfastError } from '@holdfast/protocol'
import { decode, type PBNode } from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import { errorMessage } from '../system-error.ts'
import { HAMT_DEPTH_MAX, HAMT_FANOUT, hamtSlots, slotLabel } from '../unixfs/hamt.ts'
import { DAG_PB_CODE, RAW_CODE } from '../unixfs/node-writer.ts'
import type { BlockGetter } from './replica-reader.ts'

/** What a CID turned out to be. */
export type OpenNode =
  | { readonly kind: 'file'; readonly cid: CID; readonly size: Bytes; readonly node: FileNode }
  | { readonly kind: 'directory'; readonly cid: CID; readonly node: PBNode; readonly hamt: boolean }
  | { readonly kind: 'symlink'; readonly cid: CID; readonly target: Uint8Array }

interface FileNode {
  /** Bytes inside this very node, before its children. */
  readonly data: Uint8Array
  readonly children: readonly { readonly cid: CID; readonly size: bigint }[]
}

export interface DirectoryEntry {
  readonly name: string
  readonly cid: CID
  /** Bytes of all blocks below, as the link says; not checked. */
  readonly tsize: Bytes
}

const FILE_DEPTH_MAX = 32

const contradiction = (cid: CID, what: string): HoldfastError =>
  new HoldfastError({ code: 'CAR_INVALID', reason: `node ${cid.toString()}: ${what}` })

/** Loads a node and says what it is. */
export const openNode = async (blocks: BlockGetter, cid: CID): Promise<OpenNode> => {
  const block = await blocks.get(cid)
  if (cid.code === RAW_CODE) {
    const node = { data: block, children: [] }
    return { kind: 'file', cid, size: bytes(block.length), node }
  }
  const { node, unixfs } = decodeNode(cid, block)
  switch (unixfs.type) {
    case 'directory':
      return { kind: 'directory', cid, node, hamt: false }
    case 'hamt-sharded-directory':
      return { kind: 'directory', cid, node: shardOf(cid, node, unixfs), hamt: true }
    case 'symlink':
      return { kind: 'symlink', cid, target: unixfs.data ?? new Uint8Array() }
    case 'file':
    case 'raw':
      return {
        kind: 'file',
        cid,
        size: bytes(unixfs.fileSize()),
        node: fileNode(cid, node, unixfs),
      }
    default:
      throw contradiction(cid, `UnixFS type ${unixfs.type} is not supported`)
  }
}

const decodeNode = (cid: CID, block: Uint8Array): { node: PBNode; unixfs: UnixFS } => {
  if (cid.code !== DAG_PB_CODE) {
    throw contradiction(cid, `codec 0x${cid.code.toString(16)} is not UnixFS`)
  }
  try {
    const node = decode(block)
    return { node, unixfs: UnixFS.unmarshal(node.Data ?? new Uint8Array()) }
  } catch (error) {
    throw contradiction(cid, errorMessage(error))
  }
}

const fileNode = (cid: CID, node: PBNode, unixfs: UnixFS): FileNode => {
  if (unixfs.blockSizes.length !== node.Links.length) {
    throw contradiction(cid, 'its links and its block sizes differ in number')
  }
  const children = node.Links.map(({ Hash }, i) => ({
    cid: Hash,
    size: unixfs.blockSizes[i] ?? 0n,
  }))
  return { data: unixfs.data ?? new Uint8Array(), children }
}

/** Bytes start <= i < end of a file, in pieces of at most a block. */
export async function* readFile(
  blocks: BlockGetter,
  file: OpenNode & { kind: 'file' },
  span: { readonly start: bigint; readonly end: bigint },
): AsyncGenerator<Uint8Array> {
  yield* readSpan({ blocks, start: span.start, end: span.end }, file, { at: 0n, depth: 0 })
}

interface ReadJob {
  readonly blocks: BlockGetter
  readonly start: bigint
  readonly end: bigint
}

async function* readSpan(
  job: ReadJob,
  { cid, node }: { readonly cid: CID; readonly node: FileNode },
  { at, depth }: { readonly at: bigint; readonly depth: number },
): AsyncGenerator<Uint8Array> {
  if (depth > FILE_DEPTH_MAX)
    throw contradiction(cid, `is below ${FILE_DEPTH_MAX} levels of a file`)
  let position = at
  const own = cut(node.data, position, job)
  if (own.length > 0) yield own
  position += BigInt(node.data.length)
  for (const child of node.children) {
    const childEnd = position + child.size
    if (childEnd > job.start && position < job.end) {
      const opened = await openChild(job.blocks, child)
      yield* readSpan(job, opened, { at: position, depth: depth + 1 })
    }
    position = childEnd
    if (position >= job.end) return
  }
}

const openChild = async (
  blocks: BlockGetter,
  { cid, size }: FileNode['children'][number],
): Promise<{ readonly cid: CID; readonly node: FileNode }> => {
  const block = await blocks.get(cid, cid.code === RAW_CODE ? Number(size) : 0)
  const node =
    cid.code === RAW_CODE
      ? { data: block, children: [] }
      : (({ node, unixfs }) => fileNode(cid, node, unixfs))(decodeNode(cid, block))
  const actual = node.children.reduce((sum, child) => sum + child.size, BigInt(node.data.length))
  if (actual !== size)
    throw contradiction(cid, `holds ${actual} bytes where ${size} were announced`)
  return { cid, node }
}

const cut = (data: Uint8Array, at: bigint, { start, end }: ReadJob): Uint8Array => {
  const from = start > at ? start - at : 0n
  const to = end - at
  if (to <= 0n || from >= BigInt(data.length)) return new Uint8Array()
  return data.subarray(Number(from), to < BigInt(data.length) ? Number(to) : data.length)
}

/** Entries of a directory: in link order when flat, in hash order when sharded. */
export async function* listEntries(
  blocks: BlockGetter,
  directory: OpenNode & { kind: 'directory' },
): AsyncGenerator<DirectoryEntry> {
  if (directory.hamt) {
    yield* listShard(blocks, directory, 1)
    return
  }
  for (const link of directory.node.Links) yield entryOf(link, 0)
}

async function* listShard(
  blocks: BlockGetter,
  { cid, node }: { readonly cid: CID; readonly node: PBNode },
  level: number,
): AsyncGenerator<DirectoryEntry> {
  if (level > HAMT_DEPTH_MAX) throw contradiction(cid, 'is a shard that is nested too deeply')
  for (const link of node.Links) {
    if ((link.Name ?? '').length > 2) yield entryOf(link, 2)
    else yield* listShard(blocks, await openShard(blocks, link.Hash), level + 1)
  }
}

const entryOf = (link: PBNode['Links'][number], labelLength: number): DirectoryEntry => ({
  name: (link.Name ?? '').slice(labelLength),
  cid: link.Hash,
  tsize: bytes(link.Tsize ?? 0),
})

const openShard = async (
  blocks: BlockGetter,
  cid: CID,
): Promise<{ readonly cid: CID; readonly node: PBNode }> => {
  const { node, unixfs } = decodeNode(cid, await blocks.get(cid))
  return { cid, node: shardOf(cid, node, unixfs) }
}

const shardOf = (cid: CID, node: PBNode, unixfs: UnixFS): PBNode => {
  if (unixfs.type !== 'hamt-sharded-directory' || unixfs.fanout !== BigInt(HAMT_FANOUT)) {
    throw contradiction(cid, `is no directory shard of fanout ${HAMT_FANOUT}`)
  }
  return node
}

/**
 * The node at a path below a root; the empty path is the root itself.
 * @throws HoldfastError `PATH_NOT_FOUND` naming the part that is missing.
 */
export const resolvePath = async (
  blocks: BlockGetter,
  root: CID,
  path: readonly string[],
): Promise<OpenNode> => {
  let node = await openNode(blocks, root)
  for (const [i, name] of path.entries()) {
    const missing = new HoldfastError({
      code: 'PATH_NOT_FOUND',
      path: path.slice(0, i + 1).join('/'),
    })
    if (node.kind !== 'directory') throw missing
    const cid = node.hamt
      ? await findInShard(blocks, node, name)
      : node.node.Links.find((link) => link.Name === name)?.Hash
    if (cid === undefined) throw missing
    node = await openNode(blocks, cid)
  }
  return node
}

const findInShard = async (
  blocks: BlockGetter,
  root: { readonly cid: CID; readonly node: PBNode },
  name: string,
): Promise<CID | undefined> => {
  let shard = root
  for (const slot of hamtSlots(name)) {
    const label = slotLabel(slot)
    const exact = shard.node.Links.find((link) => link.Name === label + name)
    if (exact !== undefined) return exact.Hash
    const deeper = shard.node.Links.find((link) => link.Name === label)
    if (deeper === undefined) return undefined
    shard = await openShard(blocks, deeper.Hash)
  }
  return undefined
}
