/**
 * Files that one piece of work reads: each path is opened once, and everything is closed together.
 */
import { closeSync, openSync } from 'node:fs'

/** Descriptors that are kept open at a time. */
const OPEN_FILES_MAX = 64

export class OpenFiles {
  readonly #open = new Map<string, number>()

  /** @throws the system's error. */
  get(path: string): number {
    const found = this.#open.get(path)
    if (found !== undefined) return found
    const fd = openSync(path, 'r')
    this.#open.set(path, fd)
    return fd
  }

  /** True when no two more files should be opened before `close`. */
  get full(): boolean {
    return this.#open.size + 2 > OPEN_FILES_MAX
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd)
    this.#open.clear()
  }
}
