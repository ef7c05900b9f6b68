/**
 * What the file system says, as our errors. "No room" is the caller's problem and passes; any other
 * failure to write or sync closes the volume for writing, because after a failed fsync the kernel
 * may have dropped the bytes and will not say so again.
 */
import { HoldfastError } from '@holdfast/protocol'
import type { FrameResult } from './frame-task.ts'

const NO_ROOM: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])

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

  /** The error for a failed write; anything but "no room" closes the volume. */
  failed(errno: string, cause?: unknown): HoldfastError {
    if (NO_ROOM.has(errno)) {
      return new HoldfastError({ code: 'DISK_FULL', needed: 1n, available: 0n }, { cause })
    }
    this.#reason ??= errno
    return this.#refusal(cause)
  }

  #refusal(cause?: unknown): HoldfastError {
    const reason = this.#reason ?? 'unknown'
    return new HoldfastError({ code: 'STORE_READ_ONLY', path: this.#path, reason }, { cause })
  }
}

/** The system's name of a failure, `UNKNOWN` when it has none. */
export const errnoOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNKNOWN'

/** The checksum of a finished write job. @throws HoldfastError `DISK_FULL`, `STORE_READ_ONLY`. */
export const crcOf = (result: FrameResult, guard: WriteGuard): number => {
  if (result.ok) return result.crc
  throw guard.failed(result.reason === 'io' ? result.errno : result.what)
}
