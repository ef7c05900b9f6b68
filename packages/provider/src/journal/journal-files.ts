/**
 * The file system as the journal sees it: asynchronous, so that a slow disk under the home does not
 * stop the node, and few calls, so that a simulated disk can take its place
 * (`test/support/simulated-journal.ts`).
 *
 * Invariants every adapter keeps: what was written before `sync` of its file survives power loss once
 * `sync` has resolved; a name made or changed does once `syncDirectory` has.
 */
import { open, readFile, rename } from 'node:fs/promises'
import { errnoOf } from '../store/disk-errors.ts'
import { syncDirectory } from '../store/volume-files.ts'

/** A file that is open for writing. */
export interface JournalFile {
  /** Writes all of `data` at a position. */
  write(data: Uint8Array, position: number): Promise<void>
  truncate(length: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

export interface JournalFiles {
  /** All bytes of a file; undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>
  /** Opens for writing. One that is missing is made; `fresh` empties one that is there. */
  open(path: string, options?: { readonly fresh?: boolean }): Promise<JournalFile>
  rename(from: string, to: string): Promise<void>
  syncDirectory(path: string): Promise<void>
}

const MODE = 0o600

/** The real file system. */
export const realFiles: JournalFiles = {
  read: async (path) => {
    try {
      return new Uint8Array(await readFile(path))
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  },
  open: async (path, { fresh = false } = {}) => {
    // Neither flag alone both keeps what is there and writes at a position.
    if (!fresh) await (await open(path, 'a', MODE)).close()
    const handle = await open(path, fresh ? 'w' : 'r+', MODE)
    return {
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
    }
  },
  rename,
  syncDirectory,
}
