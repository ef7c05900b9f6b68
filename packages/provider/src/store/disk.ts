/**
 * The file system as a volume sees it: synchronous calls, few of them, so that the engine above is a
 * plain state machine, a hung disk blocks its own thread only, and a simulated disk can take the
 * place of the real one (`test/support/simulated-disk.ts`).
 *
 * Invariants every adapter keeps: what was written before `sync` of its file survives power loss once
 * `sync` has returned; a name made, changed or removed does once `syncDirectory` of its directory has
 * returned; errors are thrown with the system's `code`.
 */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { openStartWriting, type StartWriting } from '@holdfast/prover'

/** `create` fails when the file exists. */
export type OpenMode = 'read' | 'write' | 'create'

export interface Disk {
  open(path: string, mode: OpenMode): number
  close(file: number): void
  /** Bytes of the file. */
  size(file: number): number
  /** Fills `into` from a position; returns how many bytes there were before the file's end. */
  read(file: number, into: Uint8Array, position: number): number
  /** Writes all of `data` at a position. */
  write(file: number, data: Uint8Array, position: number): void
  /**
   * Asks that bytes which were written begin to go to the disk now, so that `sync` has less to wait
   * for. Makes nothing durable, and may do nothing.
   */
  startWriting(file: number, position: number, length: number): void
  /** Makes the file this long, with zeros where it grows. */
  truncate(file: number, length: number): void
  /** The file's bytes and length survive power loss from now on. */
  sync(file: number): void
  syncDirectory(path: string): void
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Names in a directory, sorted. */
  list(path: string): readonly string[]
  /** Nothing happens when it exists. */
  makeDirectory(path: string): void
  /** Bytes that an unprivileged process may still write under this path. */
  free(path: string): bigint
}

const FLAGS: Readonly<Record<OpenMode, string>> = { read: 'r', write: 'r+', create: 'wx+' }
const MODE = 0o600

/** Of this thread; opened when it is first needed. */
let starting: StartWriting | undefined

/** The real file system. */
export const fileDisk: Disk = {
  open: (path, mode) => openSync(path, FLAGS[mode], MODE),
  close: (file) => closeSync(file),
  size: (file) => fstatSync(file).size,
  read: (file, into, position) => {
    let done = 0
    while (done < into.length) {
      const count = readSync(file, into, done, into.length - done, position + done)
      if (count === 0) break
      done += count
    }
    return done
  },
  write: (file, data, position) => {
    let done = 0
    while (done < data.length) {
      done += writeSync(file, data, done, data.length - done, position + done)
    }
  },
  startWriting: (file, position, length) => {
    starting ??= openStartWriting()
    starting(file, position, length)
  },
  truncate: (file, length) => ftruncateSync(file, length),
  sync: (file) => fdatasyncSync(file),
  syncDirectory: (path) => {
    const file = openSync(path, 'r')
    try {
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  },
  rename: (from, to) => renameSync(from, to),
  unlink: (path) => unlinkSync(path),
  list: (path) => readdirSync(path).sort(),
  makeDirectory: (path) => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  },
  free: (path) => {
    const { bavail, bsize } = statfsSync(path, { bigint: true })
    return bavail * bsize
  },
}

/** Fills `into`; a file that ends before is an error like any other. */
export const readFully = (disk: Disk, file: number, into: Uint8Array, position: number): void => {
  if (disk.read(file, into, position) === into.length) return
  throw Object.assign(new Error(`the file ends before byte ${position + into.length}`), {
    code: 'SHORT_FILE',
  })
}

/** Opens a file for one use. */
export const withFile = <T>(
  disk: Disk,
  path: string,
  mode: OpenMode,
  use: (file: number) => T,
): T => {
  const file = disk.open(path, mode)
  try {
    return use(file)
  } finally {
    disk.close(file)
  }
}

/** Writes a small new file so that it survives power loss together with its name. */
export const replaceFile = (
  disk: Disk,
  place: { readonly directory: string; readonly name: string },
  content: Uint8Array,
): void => {
  const path = `${place.directory}/${place.name}`
  const fresh = `${path}.new`
  if (disk.list(place.directory).includes(`${place.name}.new`)) disk.unlink(fresh)
  withFile(disk, fresh, 'create', (file) => {
    disk.write(file, content, 0)
    disk.sync(file)
  })
  disk.rename(fresh, path)
  disk.syncDirectory(place.directory)
}
