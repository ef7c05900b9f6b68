/**
 * The file tree that is published, read from disk in an order that depends on names alone: entries
 * sorted by the bytes of their UTF-8 names. Symbolic links stay links, empty directories count,
 * hidden entries are left out unless asked for. Everything that cannot be published is an error
 * that names the path: sockets, pipes, devices, unreadable files, names that are not UTF-8.
 */
import { closeSync, type Dirent, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { lstat, open, readdir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bytes, bytes, HoldfastError, plus } from '@holdfast/protocol'
import { stopIfAborted } from '../abort.ts'
import { errorCode, errorMessage } from '../system-error.ts'

export type SourceKind = 'file' | 'directory' | 'symlink'

export interface SourceEntry {
  readonly kind: SourceKind
  readonly name: string
  readonly path: string
}

export interface SourceOptions {
  /** Includes entries whose name starts with a dot. */
  readonly hidden: boolean
  readonly signal?: AbortSignal
}

export interface SourceSize {
  readonly files: number
  readonly bytes: Bytes
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Says what is at a path given by a person; a symbolic link is followed here, and only here. */
export const openSource = async (path: string): Promise<SourceEntry> => {
  const found = await reading(path, () => stat(path))
  return { kind: kindOf(path, found), name: path, path }
}

/** @throws HoldfastError `FILE_NOT_FOUND`, `INPUT_UNREADABLE`. */
export const listSource = async (
  path: string,
  options: SourceOptions,
): Promise<readonly SourceEntry[]> => {
  const found = await reading(path, () =>
    readdir(path, { withFileTypes: true, encoding: 'buffer' }),
  )
  const named = found.map((entry) => ({ entry, raw: entry.name as unknown as Buffer }))
  named.sort((a, b) => Buffer.compare(a.raw, b.raw))
  const entries: SourceEntry[] = []
  for (const { entry, raw } of named) {
    if (raw[0] === DOT && !options.hidden) continue
    const name = utf8Name(path, raw)
    const child = join(path, name)
    entries.push({ kind: kindOf(child, entry), name, path: child })
  }
  return entries
}

/** Files and bytes below a path, for progress and for finding unreadable things before work starts. */
export const measureSource = async (
  entry: SourceEntry,
  options: SourceOptions,
): Promise<SourceSize> => {
  stopIfAborted(options.signal)
  if (entry.kind === 'symlink') return { files: 0, bytes: bytes(0n) }
  if (entry.kind === 'file') {
    const found = await reading(entry.path, () => lstatOrTarget(entry.path))
    return { files: 1, bytes: bytes(found.size) }
  }
  let total: SourceSize = { files: 0, bytes: bytes(0n) }
  for (const child of await listSource(entry.path, options)) {
    const size = await measureSource(child, options)
    total = { files: total.files + size.files, bytes: plus(total.bytes, size.bytes) }
  }
  return total
}

export const readLinkTarget = (path: string): Promise<Uint8Array> =>
  reading(path, () => readlink(path, { encoding: 'buffer' }))

/** Called with each chunk; the bytes are valid until the returned promise (if any) has settled. */
export type ChunkHandler = (chunk: Uint8Array) => Promise<void> | undefined

/** Reads files in chunks with two buffers that are used again for every file. */
export class ChunkReader {
  readonly #buffers: readonly [Buffer, Buffer]

  constructor(chunkSize: number) {
    this.#buffers = [Buffer.allocUnsafeSlow(chunkSize), Buffer.allocUnsafeSlow(chunkSize)]
  }

  /** Every chunk is full but the last; an empty file gives one empty chunk. */
  async read(path: string, onChunk: ChunkHandler): Promise<void> {
    const small = this.#readSmall(path)
    if (small !== undefined) {
      await onChunk(small)
    } else {
      await this.#readLarge(path, onChunk)
    }
  }

  /** A file below one chunk is read without leaving the thread: cheaper than four promises. */
  #readSmall(path: string): Uint8Array | undefined {
    const [buffer] = this.#buffers
    return readingSync(path, () => {
      const file = openSync(path, 'r')
      try {
        if (fstatSync(file).size >= buffer.length) return undefined
        let filled = 0
        while (filled < buffer.length) {
          const count = readSync(file, buffer, filled, buffer.length - filled, filled)
          if (count === 0) return buffer.subarray(0, filled)
          filled += count
        }
        return undefined
      } finally {
        closeSync(file)
      }
    })
  }

  /** The next chunk is on its way while this one is hashed. */
  async #readLarge(path: string, onChunk: ChunkHandler): Promise<void> {
    const file = await reading(path, () => open(path, 'r'))
    try {
      const fill = async (buffer: Buffer, position: number): Promise<number> => {
        let filled = 0
        while (filled < buffer.length) {
          const { bytesRead } = await reading(path, () =>
            file.read(buffer, filled, buffer.length - filled, position + filled),
          )
          if (bytesRead === 0) break
          filled += bytesRead
        }
        return filled
      }
      let [current, other] = this.#buffers
      let position = 0
      let filled = await fill(current, position)
      let first = true
      while (filled > 0 || first) {
        first = false
        position += filled
        const last = filled < current.length
        const next = last ? undefined : fill(other, position)
        // Awaited below; until then a failure must not count as unhandled.
        next?.catch(() => undefined)
        await onChunk(current.subarray(0, filled))
        filled = next === undefined ? 0 : await next
        ;[current, other] = [other, current]
      }
    } finally {
      await file.close()
    }
  }
}

const DOT = 0x2e

const lstatOrTarget = async (path: string): Promise<Stats> => {
  const found = await lstat(path)
  return found.isSymbolicLink() ? stat(path) : found
}

const utf8Name = (directory: string, raw: Buffer): string => {
  try {
    return strictUtf8.decode(raw)
  } catch {
    throw new HoldfastError({
      code: 'INPUT_UNREADABLE',
      path: join(directory, raw.toString('latin1')),
      reason: `its name is not UTF-8 (bytes ${raw.toString('hex')}); rename it`,
    })
  }
}

const kindOf = (path: string, entry: Dirent | Dirent<Buffer> | Stats): SourceKind => {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'directory'
  if (entry.isSymbolicLink()) return 'symlink'
  const what = entry.isSocket()
    ? 'a socket'
    : entry.isFIFO()
      ? 'a named pipe'
      : entry.isBlockDevice() || entry.isCharacterDevice()
        ? 'a device'
        : 'of an unknown kind'
  throw new HoldfastError({
    code: 'INPUT_UNREADABLE',
    path,
    reason: `it is ${what}; only files, directories and symbolic links can be published`,
  })
}

const readError = (path: string, error: unknown): unknown => {
  if (HoldfastError.is(error)) return error
  const code = errorCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new HoldfastError({ code: 'FILE_NOT_FOUND', path }, { cause: error })
  }
  return new HoldfastError(
    { code: 'INPUT_UNREADABLE', path, reason: errorMessage(error) },
    { cause: error },
  )
}

const reading = async <T>(path: string, act: () => Promise<T>): Promise<T> => {
  try {
    return await act()
  } catch (error) {
    throw readError(path, error)
  }
}

const readingSync = <T>(path: string, act: () => T): T => {
  try {
    return act()
  } catch (error) {
    throw readError(path, error)
  }
}
