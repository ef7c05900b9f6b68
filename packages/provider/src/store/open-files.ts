/**
 * The files a volume's thread has open, at most a few dozen, and what of them is not yet durable.
 *
 * Invariant: a file that was written stays open until it was synced, because an error of writing back
 * is reported to whoever has it open, and only once.
 */
import type { Disk } from './disk.ts'

const OPEN_MAX = 64
const PAGE_BYTES = 4096
/** Less than this is not worth a request of its own. */
const START_MIN = 65_536

export class OpenFiles {
  readonly #disk: Disk
  /** Open for reading and writing, least recently used first. */
  readonly #files = new Map<string, number>()
  readonly #dirty = new Set<string>()
  readonly #directories = new Set<string>()

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** A file that exists, open for reading and writing. */
  get(path: string): number {
    const open = this.#files.get(path)
    if (open !== undefined) {
      this.#files.delete(path)
      this.#files.set(path, open)
      return open
    }
    this.#makeRoom()
    const file = this.#disk.open(path, 'write')
    this.#files.set(path, file)
    return file
  }

  /** Makes a new file. Its name is durable after the next sync. */
  create(path: string, directory: string): number {
    this.#makeRoom()
    const file = this.#disk.open(path, 'create')
    this.#files.set(path, file)
    this.#directories.add(directory)
    return file
  }

  /** Writes, to be synced later. */
  write(path: string, data: Uint8Array, position: number): void {
    const file = this.get(path)
    this.#dirty.add(path)
    this.#disk.write(file, data, position)
  }

  /** Asks that whole pages of what was written begin to go to the disk: the others will change again. */
  startWriting(path: string, from: number, to: number): void {
    const start = from - (from % PAGE_BYTES)
    const length = to - (to % PAGE_BYTES) - start
    if (length >= START_MIN) this.#disk.startWriting(this.get(path), start, length)
  }

  /** What somebody else wrote into this file has to be synced too. */
  touched(path: string): void {
    this.get(path)
    this.#dirty.add(path)
  }

  /** A name in this directory was changed. */
  renamedIn(directory: string): void {
    this.#directories.add(directory)
  }

  /** Makes what was written to files durable. */
  syncFiles(): void {
    for (const path of this.#dirty) {
      const file = this.#files.get(path)
      if (file !== undefined) this.#disk.sync(file)
      this.#dirty.delete(path)
    }
  }

  syncDirectories(): void {
    for (const directory of this.#directories) {
      this.#disk.syncDirectory(directory)
      this.#directories.delete(directory)
    }
  }

  /** Closes a file: it is going away, or gets another name. */
  forget(path: string): void {
    const file = this.#files.get(path)
    this.#files.delete(path)
    this.#dirty.delete(path)
    if (file !== undefined) this.#disk.close(file)
  }

  closeAll(): void {
    for (const path of [...this.#files.keys()]) this.forget(path)
  }

  #makeRoom(): void {
    if (this.#files.size < OPEN_MAX) return
    for (const path of this.#files.keys()) {
      if (this.#dirty.has(path)) continue
      this.forget(path)
      return
    }
  }
}
