/**
 * Appends to a file through two staging buffers: one fills while the other is written. Bytes are
 * copied on `append`, so the caller may reuse them; memory is two buffers, whatever the file's size.
 */
import type { FileHandle } from 'node:fs/promises'

const STAGE_LENGTH = 4 * 1024 * 1024

export class FileAppender {
  readonly #file: FileHandle
  #stage = Buffer.allocUnsafeSlow(STAGE_LENGTH)
  #spare = Buffer.allocUnsafeSlow(STAGE_LENGTH)
  #filled = 0
  #position: number
  #writing: Promise<void> = Promise.resolve()

  /** Appends from `position` on; what stands before it is written by others. */
  constructor(file: FileHandle, position: number) {
    this.#file = file
    this.#position = position
  }

  /** A returned promise means that both buffers were full: wait for it before the next call. */
  append(data: Uint8Array): Promise<void> | undefined {
    if (data.length <= STAGE_LENGTH - this.#filled) {
      this.#stage.set(data, this.#filled)
      this.#filled += data.length
      return undefined
    }
    // Copied now, because the caller's bytes are only good until this call returns.
    return this.#appendSlowly(Buffer.from(data))
  }

  async finish(): Promise<void> {
    await this.#swap()
    await this.#writing
  }

  async #appendSlowly(data: Uint8Array): Promise<void> {
    let rest = data
    while (rest.length > 0) {
      const taken = Math.min(rest.length, STAGE_LENGTH - this.#filled)
      this.#stage.set(rest.subarray(0, taken), this.#filled)
      this.#filled += taken
      rest = rest.subarray(taken)
      if (this.#filled === STAGE_LENGTH) await this.#swap()
    }
  }

  /** Waits for the other buffer, then starts to write this one. */
  async #swap(): Promise<void> {
    await this.#writing
    const full = this.#stage.subarray(0, this.#filled)
    const position = this.#position
    this.#position += full.length
    ;[this.#stage, this.#spare] = [this.#spare, this.#stage]
    this.#filled = 0
    this.#writing = this.#writeAll(full, position)
    this.#writing.catch(() => undefined)
  }

  async #writeAll(data: Buffer, position: number): Promise<void> {
    let done = 0
    while (done < data.length) {
      const { bytesWritten } = await this.#file.write(
        data,
        done,
        data.length - done,
        position + done,
      )
      done += bytesWritten
    }
  }
}
