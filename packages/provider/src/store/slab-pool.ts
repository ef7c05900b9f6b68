/**
 * Shared memory in which bytes go to a volume's thread: copied once, written from there. As many
 * slabs as bytes may be on their way; whoever finds none waits for one.
 */

export const SLAB_BYTES: number = 2 ** 20
/** Up to this bytes travel in the message itself: a slab each would keep many small uploads waiting. */
export const COPIED_MAX = 8192

export class SlabPool {
  readonly #free: Uint8Array[] = []
  readonly #waiting: ((slab: Uint8Array) => void)[] = []
  #left: number

  /** Memory is taken when it is first needed. */
  constructor(slabs: number) {
    this.#left = slabs
  }

  async take(): Promise<Uint8Array> {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#left > 0) {
      this.#left--
      return new Uint8Array(new SharedArrayBuffer(SLAB_BYTES))
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  give(slab: Uint8Array): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free.push(slab)
    else next(slab)
  }
}

/** Cuts buffers into runs that fill a slab each, copying. */
async function* inSlabs(
  pool: SlabPool,
  buffers: readonly Uint8Array[],
): AsyncGenerator<{ readonly slab: Uint8Array; readonly length: number }> {
  let slab: Uint8Array | undefined
  let length = 0
  for (const buffer of buffers) {
    for (let at = 0; at < buffer.length; ) {
      slab ??= await pool.take()
      const part = buffer.subarray(at, at + SLAB_BYTES - length)
      slab.set(part, length)
      at += part.length
      length += part.length
      if (length < SLAB_BYTES) continue
      yield { slab, length }
      slab = undefined
      length = 0
    }
  }
  if (slab !== undefined) yield { slab, length }
}

export interface SlabWrite {
  /** Writes a run, `at` bytes behind the first. */
  readonly write: (at: number, data: Uint8Array) => Promise<unknown>
  /** Called when all buffers have been copied. */
  readonly onTaken?: (() => void) | undefined
  /** Reads a run while it is being written. Never throws. */
  readonly onRun?: ((data: Uint8Array) => Promise<void>) | undefined
}

/**
 * Hands buffers to a thread that writes them: copied, so that they may go when `onTaken` is called.
 * Resolves when all of them are written, and read where somebody reads them.
 */
export const writeInSlabs = async (
  pool: SlabPool,
  buffers: readonly Uint8Array[],
  { write, onTaken, onRun }: SlabWrite,
): Promise<void> => {
  const total = buffers.reduce((sum, { length }) => sum + length, 0)
  if (total <= COPIED_MAX) {
    const written = write(0, Buffer.concat(buffers))
    onTaken?.()
    await written
    return
  }
  const writes: Promise<void>[] = []
  let failure: { readonly error: unknown } | undefined
  let at = 0
  for await (const { slab, length } of inSlabs(pool, buffers)) {
    const data = slab.subarray(0, length)
    // Whoever waits for the next slab does not look at this one: nobody else would take its error.
    const written = write(at, data).then(
      () => undefined,
      (error: unknown) => {
        failure ??= { error }
      },
    )
    writes.push(Promise.all([written, onRun?.(data)]).then(() => pool.give(slab)))
    at += length
  }
  onTaken?.()
  await Promise.all(writes)
  if (failure !== undefined) throw failure.error
}
