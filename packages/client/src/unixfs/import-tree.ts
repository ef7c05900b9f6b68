/**
 * From a path to the blocks of its UnixFS tree, in one pass and in a fixed order: depth first,
 * entries by the bytes of their names, children before their parents. Memory: one row per level of
 * the file being read, and the links of the directories on the way down to it.
 *
 * Why not the importer itself: it fixes SHA-256, keeps every directory of the tree in memory until
 * the end and starts several promises per small file. Its results are our reference in the tests.
 */
import type { Bytes } from '@holdfast/protocol'
import { bytes } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import { stopIfAborted } from '../abort.ts'
import type { BlockHasher } from './block-hasher.ts'
import { writeDirectory } from './directory-dag.ts'
import { FileDag } from './file-dag.ts'
import { type BlockSink, type DagLink, type DagNode, NodeWriter } from './node-writer.ts'
import type { Profile } from './profiles.ts'
import {
  ChunkReader,
  listSource,
  openSource,
  readLinkTarget,
  type SourceEntry,
  type SourceOptions,
} from './source-tree.ts'

export interface ImportOptions extends SourceOptions {
  readonly profile: Profile
  readonly hasher: BlockHasher
  /** Called with the file bytes of each chunk. */
  readonly onBytes?: (count: Bytes) => void
}

export interface ImportResult {
  readonly root: CID
  readonly kind: SourceEntry['kind']
  readonly files: number
  /** File bytes read, duplicates counted as often as they occur. */
  readonly bytes: Bytes
}

/**
 * Imports a file or a directory, by path or as an entry of a listing. A single file is not wrapped:
 * its root is the file's own.
 * @throws HoldfastError `FILE_NOT_FOUND`, `INPUT_UNREADABLE`.
 */
export const importTree = async (
  path: string | SourceEntry,
  sink: BlockSink,
  options: ImportOptions,
): Promise<ImportResult> => {
  const source = typeof path === 'string' ? await openSource(path) : path
  const walk = new TreeImport(sink, options)
  const { cid } = await walk.entry(source)
  return { root: cid, kind: source.kind, files: walk.files, bytes: bytes(walk.bytes) }
}

class TreeImport {
  readonly #writer: NodeWriter
  readonly #reader: ChunkReader
  readonly #options: ImportOptions
  files = 0
  bytes = 0n

  constructor(sink: BlockSink, options: ImportOptions) {
    this.#writer = new NodeWriter(options.profile, options.hasher, sink)
    this.#reader = new ChunkReader(options.profile.chunkSize)
    this.#options = options
  }

  async entry(source: SourceEntry): Promise<DagNode> {
    stopIfAborted(this.#options.signal)
    const node = await this.#node(source)
    await this.#writer.takePending()
    return node
  }

  #node(source: SourceEntry): Promise<DagNode> {
    switch (source.kind) {
      case 'file':
        return this.#file(source.path)
      case 'directory':
        return this.#directory(source.path)
      case 'symlink':
        return readLinkTarget(source.path).then((target) => this.#writer.symlink(target))
    }
  }

  async #file(path: string): Promise<DagNode> {
    const file = new FileDag(this.#writer)
    await this.#reader.read(path, (chunk) => {
      stopIfAborted(this.#options.signal)
      file.add(chunk)
      this.bytes += BigInt(chunk.byteLength)
      this.#options.onBytes?.(bytes(chunk.byteLength))
      return this.#writer.takePending()
    })
    this.files += 1
    return file.finish()
  }

  async #directory(path: string): Promise<DagNode> {
    const links: DagLink[] = []
    for (const child of await listSource(path, this.#options)) {
      links.push({ name: child.name, node: await this.entry(child) })
    }
    return writeDirectory(links, this.#writer)
  }
}
