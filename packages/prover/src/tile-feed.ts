/**
 * Cuts a stream into pieces and hands each, in shared memory, to asynchronous work. The copy into
 * the tile is all that happens on the calling thread. A fixed number of tiles bounds memory, and the
 * stream is read only as fast as tiles come back.
 *
 * Invariant: a piece is handed over when it is full and another byte has come, or at the end; so the
 * work knows which piece is the last.
 */
import { HoldfastError } from '@holdfast/protocol'

/** One piece of the stream. */
export interface Piece {
  readonly number: number
  readonly shared: SharedArrayBuffer
  readonly length: number
  readonly last: boolean
}

export interface TileFeedInput {
  /** Bytes of the largest piece. */
  readonly tileSize: number
  /** Tiles that may exist at a time. */
  readonly tilesMax: number
  /** Bytes of that piece, 1 to `tileSize`. */
  readonly sizeOf: (number: number) => number
  readonly work: (piece: Piece) => Promise<void>
  readonly signal: AbortSignal | undefined
}

interface Tile {
  readonly shared: SharedArrayBuffer
  readonly view: Uint8Array
  readonly size: number
  length: number
}

export class TileFeed {
  readonly #input: TileFeedInput
  readonly #idle: SharedArrayBuffer[] = []
  readonly #running = new Set<Promise<void>>()
  #made = 0
  #next = 0
  #filling: Tile | undefined
  #failure: unknown

  constructor(input: TileFeedInput) {
    this.#input = input
  }

  /** Reads the stream to its end and waits for all work. @throws what the stream or the work threw. */
  async run(stream: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of untilAborted(stream, this.#input.signal)) await this.#take(chunk)
      if (this.#filling !== undefined) this.#send(this.#filling, true)
    } finally {
      await Promise.all(this.#running)
    }
    this.#rethrow()
  }

  async #take(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const tile = await this.#tileWithRoom()
      const taken = Math.min(tile.size - tile.length, chunk.length - at)
      tile.view.set(chunk.subarray(at, at + taken), tile.length)
      tile.length += taken
      at += taken
    }
  }

  async #tileWithRoom(): Promise<Tile> {
    const full = this.#filling
    if (full !== undefined && full.length < full.size) return full
    if (full !== undefined) this.#send(full, false)
    this.#filling = undefined
    while (this.#idle.length === 0 && this.#made >= this.#input.tilesMax) {
      await Promise.race(this.#running)
    }
    this.#rethrow()
    const shared = this.#idle.pop() ?? this.#make()
    const size = this.#input.sizeOf(this.#next)
    this.#filling = { shared, view: new Uint8Array(shared), size, length: 0 }
    return this.#filling
  }

  #make(): SharedArrayBuffer {
    this.#made++
    return new SharedArrayBuffer(this.#input.tileSize)
  }

  #send({ shared, length }: Tile, last: boolean): void {
    const piece: Piece = { number: this.#next++, shared, length, last }
    const back = (): void => {
      this.#idle.push(shared)
      this.#running.delete(running)
    }
    const running: Promise<void> = this.#input.work(piece).then(back, (cause: unknown) => {
      this.#failure ??= cause
      back()
    })
    this.#running.add(running)
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}

/** The stream, ended by `ABORTED` when the signal fires, even while no chunk comes. */
async function* untilAborted(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]()
  const abortion = signal && abortionOf(signal)
  try {
    for (;;) {
      const next = iterator.next()
      const item = await (abortion ? Promise.race([next, abortion.fired]) : next)
      if (item.done) return
      yield item.value
    }
  } finally {
    abortion?.forget()
    // not awaited: a stream that is stuck would never come back
    iterator.return?.()?.catch(() => undefined)
  }
}

const abortionOf = (
  signal: AbortSignal,
): { readonly fired: Promise<never>; readonly forget: () => void } => {
  let forget = (): void => undefined
  const fired = new Promise<never>((_, reject) => {
    const fire = (): void => reject(new HoldfastError({ code: 'ABORTED' }))
    if (signal.aborted) fire()
    signal.addEventListener('abort', fire, { once: true })
    forget = () => signal.removeEventListener('abort', fire)
  })
  fired.catch(() => undefined) // it may fire when nobody waits any more
  return { fired, forget: () => forget() }
}
