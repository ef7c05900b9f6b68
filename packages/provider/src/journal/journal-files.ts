/**
 * The file system as the journal sees it: asynchronous, so that a slow disk under the home does not
 * stop the node, and few calls, so that a simulated disk can take its place
 * (`test/support/simulated-journal.ts`). No call asks for a whole file.
 *
 * Invariants every adapter keeps: what was written before `sync` of its file survives power loss once
 * `sync` has resolved; a name made or changed does once `syncDirectory` has.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { overwriteInPlace } from '@holdfast/prover'
import { errnoOf } from '../store/disk-errors.ts'
import { syncDirectory } from '../store/volume-files.ts'

/** A file that is open for reading and writing. */
export interface JournalFile {
  /** Bytes of it. */
  size(): Promise<number>
  /** Fills `into` from a position, as far as there are bytes. @returns how many there were. */
  read(into: Uint8Array, position: number): Promise<number>
  /** Writes all of `data` at a position. */
  write(data: Uint8Array, position: number): Promise<void>
  truncate(length: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

export interface OpenOptions {
  /** One that is there is emptied. */
  readonly fresh?: boolean
  /** Writing over its bytes shall need no room. Of fresh ones only; some file systems cannot (ZFS). */
  readonly inPlace?: boolean
}

export interface JournalFiles {
  /** One that is missing is made. */
  open(path: string, options?: OpenOptions): Promise<JournalFile>
  /** Undefined when there is none. */
  openPresent(path: string): Promise<JournalFile | undefined>
  rename(from: string, to: string): Promise<void>
  /** Also when there is none. */
  remove(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
}

const MODE = 0o600

const fileOf = (handle: FileHandle): JournalFile => ({
  size: async () => (await handle.stat()).size,
  read: async (into, position) => {
    let done = 0
    while (done < into.length) {
      const left = into.length - done
      const { bytesRead } = await handle.read(into, done, left, position + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return done
  },
  write: async (data, position) => {
    let done = 0
    while (done < data.length) {
      const left = data.length - done
      const { bytesWritten } = await handle.write(data, done, left, position + done)
      done += bytesWritten
    }
  },
  truncate: (length) => handle.truncate(length),
  sync: () => handle.datasync(),
  close: () => handle.close(),
})

/** The real file system. */
export const realFiles: JournalFiles = {
  open: async (path, { fresh = false, inPlace = false } = {}) => {
    // Neither flag alone both keeps what is there and writes at a position.
    if (!fresh) await (await open(path, 'a', MODE)).close()
    const handle = await open(path, fresh ? 'w+' : 'r+', MODE)
    if (inPlace) overwriteInPlace(handle.fd)
    return fileOf(handle)
  },
  openPresent: async (path) => {
    try {
      return fileOf(await open(path, 'r+'))
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  syncDirectory,
}
