/**
 * Writes a file or a directory of a dataset to disk, whole or not at all: everything goes into a
 * temporary neighbour of the target, which takes the target's name at the end. Symbolic links come
 * last, so that nothing is ever written through one.
 */
import { mkdir, mkdtemp, open, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type Bytes, bytes, HoldfastError } from '@holdfast/protocol'
import { stopIfAborted } from '../abort.ts'
import type { BlockGetter } from './replica-reader.ts'
import { checkDistinct, checkName } from './safe-names.ts'
import {
  type DirectoryEntry,
  listEntries,
  type OpenNode,
  openNode,
  readFile,
} from './unixfs-reader.ts'

export interface WriteOptions {
  readonly onBytes?: (count: Bytes) => void
  /** Of a file that is the target itself: only these bytes. */
  readonly span?: { readonly start: bigint; readonly end: bigint }
  readonly signal?: AbortSignal
}

export interface Written {
  readonly files: number
  readonly bytes: Bytes
}

/**
 * @throws HoldfastError `USAGE` when the target exists (an empty directory may), `CAR_INVALID` for
 * names that lead elsewhere, and what reading throws.
 */
export const writeTree = async (
  blocks: BlockGetter,
  node: OpenNode,
  target: string,
  options: WriteOptions = {},
): Promise<Written> => {
  const path = resolve(target)
  await checkTarget(path, node)
  await mkdir(dirname(path), { recursive: true })
  const temporary = await mkdtemp(join(dirname(path), `.${basename(path)}.holdfast-`))
  try {
    const writer = new TreeWriter(blocks, options)
    const staged = join(temporary, 'data')
    await writer.write(node, staged)
    await writer.writeLinks()
    await rename(staged, path)
    return { files: writer.files, bytes: bytes(writer.bytes) }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

const checkTarget = async (path: string, { kind }: OpenNode): Promise<void> => {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return
  if (kind === 'directory' && found.isDirectory() && (await readdir(path)).length === 0) return
  const reason = `${path} exists already; name another with --out, or remove it`
  throw new HoldfastError({ code: 'USAGE', reason })
}

class TreeWriter {
  readonly #blocks: BlockGetter
  readonly #options: WriteOptions
  readonly #links: { readonly path: string; readonly target: Uint8Array }[] = []
  files = 0
  bytes = 0n

  constructor(blocks: BlockGetter, options: WriteOptions) {
    this.#blocks = blocks
    this.#options = options
  }

  async write(node: OpenNode, path: string): Promise<void> {
    stopIfAborted(this.#options.signal)
    switch (node.kind) {
      case 'file':
        return this.#file(node, path, this.files === 0 ? this.#options.span : undefined)
      case 'symlink':
        this.#links.push({ path, target: node.target })
        return
      case 'directory':
        return this.#directory(node, path)
    }
  }

  async writeLinks(): Promise<void> {
    for (const { path, target } of this.#links) await symlink(Buffer.from(target), path)
  }

  async #file(
    node: OpenNode & { kind: 'file' },
    path: string,
    span: WriteOptions['span'] = { start: 0n, end: node.size },
  ): Promise<void> {
    const file = await open(path, 'wx')
    try {
      for await (const piece of readFile(this.#blocks, node, span)) {
        stopIfAborted(this.#options.signal)
        await file.writeFile(piece)
        this.bytes += BigInt(piece.length)
        this.#options.onBytes?.(bytes(piece.length))
      }
    } finally {
      await file.close()
    }
    this.files += 1
  }

  /** In the order of names, which is the order in which the payload holds the files. */
  async #directory(node: OpenNode & { kind: 'directory' }, path: string): Promise<void> {
    await mkdir(path)
    const entries: DirectoryEntry[] = []
    for await (const entry of listEntries(this.#blocks, node)) entries.push(entry)
    entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    checkDistinct(entries.map(({ name }) => checkName(name)))
    for (const { name, cid } of entries) {
      await this.write(await openNode(this.#blocks, cid), join(path, name))
    }
  }
}
