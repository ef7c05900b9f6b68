/**
 * What the file system says, as our errors. "No room" and "too many open files" are the caller's
 * problem and pass; any other failure to write, and every failure to sync, closes the volume for
 * writing, because after a failed sync the kernel may have dropped the bytes and will not say so
 * again.
 */
import { HoldfastError } from '@holdfast/protocol'

const NO_ROOM: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])
const NO_FILES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE'])

/** Remembers that a volume failed, and refuses writes from then on. */
export class WriteGuard {
  readonly #path: string
  #reason: string | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Why the volume takes no writes; undefined while it does. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** Refuses writes from now on. The first reason stays. */
  close(reason: string): void {
    this.#reason ??= reason
  }

  /** @throws HoldfastError `STORE_READ_ONLY` after a failure. */
  check(): void {
    if (this.#reason !== undefined) throw this.#refusal()
  }

  /** Runs a write. @throws HoldfastError `DISK_FULL`, `STORE_READ_ONLY`. */
  async run<T>(write: () => Promise<T>): Promise<T> {
    this.check()
    try {
      return await write()
    } catch (error) {
      if (HoldfastError.is(error)) throw error
      throw this.failed(errnoOf(error), error)
    }
  }

  /** The same for a synchronous one. */
  runNow<T>(write: () => T): T {
    try {
      return write()
    } catch (error) {
      if (HoldfastError.is(error)) throw error
      throw this.failed(errnoOf(error), error)
    }
  }

  /** Runs a sync: every failure closes the volume. @throws HoldfastError `STORE_READ_ONLY`. */
  syncNow(sync: () => void): void {
    try {
      sync()
    } catch (error) {
      this.close(errnoOf(error))
      throw this.#refusal(error)
    }
  }

  /** The same for one that others do not wait for. @throws HoldfastError `STORE_READ_ONLY`. */
  async sync(sync: () => Promise<void>): Promise<void> {
    try {
      await sync()
    } catch (error) {
      this.close(errnoOf(error))
      throw this.#refusal(error)
    }
  }

  /** The error for a failed write; anything but want of room closes the volume. */
  failed(errno: string, cause?: unknown): HoldfastError {
    if (NO_ROOM.has(errno)) {
      return new HoldfastError({ code: 'DISK_FULL', needed: 1n, available: 0n }, { cause })
    }
    if (NO_FILES.has(errno)) {
      const reason = `${errno}: the process may open no more files`
      return new HoldfastError({ code: 'VOLUME_UNAVAILABLE', path: this.#path, reason }, { cause })
    }
    this.close(errno)
    return this.#refusal(cause)
  }

  #refusal(cause?: unknown): HoldfastError {
    const reason = this.#reason ?? 'unknown'
    return new HoldfastError({ code: 'STORE_READ_ONLY', path: this.#path, reason }, { cause })
  }
}

/** Whether the system said that there is no room. */
export const isNoRoom = (error: unknown): boolean => NO_ROOM.has(errnoOf(error))

/** The system's name of a failure, `UNKNOWN` when it has none. */
export const errnoOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNKNOWN'
