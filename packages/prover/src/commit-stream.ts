/**
 * Commits to a stream: copies its chunks into shared tiles of one subtree each and hands full tiles
 * to the threads. The copy is all that happens on the calling thread; a fixed number of tiles bounds
 * memory, and the stream is read only as fast as tiles come back.
 */
import type { Engine } from '@holdfast/native'
import {
  type Bytes,
  bytes,
  type Commitment,
  HoldfastError,
  invariant,
  PAYLOAD_BYTES_MAX,
  type Root,
  toHex,
  toNumber,
} from '@holdfast/protocol'
import { createLayersFile, finishLayers } from './commit-file.ts'
import { type CommitPlan, keptOffsetOf, planCommit } from './commit-plan.ts'
import { Forest } from './forest.ts'
import { keptLayersLength } from './layers.ts'
import type { CommitOptions } from './prover.ts'
import { bytesUnder } from './scheme.ts'
import type { Operation, WorkerPool } from './worker-pool.ts'

/** About 8 MiB of payload per tile. */
const STREAM_LEVEL = { 1: 13, 2: 18 } as const

interface Tile {
  readonly shared: SharedArrayBuffer
  readonly view: Uint8Array
  length: number
}

export interface StreamCommitInput {
  readonly engine: Engine
  readonly pool: WorkerPool
  readonly options: CommitOptions
}

export class StreamCommit {
  readonly #input: StreamCommitInput
  readonly #operation: Operation
  readonly #scheme: 1 | 2
  readonly #level: number
  readonly #tileBytes: number
  readonly #forest: Forest
  readonly #idle: Tile[] = []
  readonly #running = new Set<Promise<void>>()
  #tiles = 0
  #failure: unknown
  #length = 0n
  #sent = 0n
  #hashed = 0n
  #filling: Tile | undefined

  constructor(operation: Operation, input: StreamCommitInput) {
    this.#input = input
    this.#operation = operation
    this.#scheme = input.options.scheme ?? 1
    this.#level = STREAM_LEVEL[this.#scheme]
    this.#tileBytes = toNumber(bytesUnder(this.#scheme, this.#level))
    this.#forest = new Forest(input.engine, this.#scheme)
  }

  /** Reads the stream to its end. @throws HoldfastError `PAYLOAD_EMPTY`, `PAYLOAD_TOO_LARGE`, `ABORTED`. */
  async commit(payload: AsyncIterable<Uint8Array>): Promise<Commitment> {
    const { layers } = this.#input.options
    await createLayersFile(layers)
    try {
      for await (const chunk of payload) await this.#take(chunk)
      const plan = planCommit(this.#scheme, bytes(this.#length), this.#level)
      if (this.#filling !== undefined) this.#send(this.#filling, plan)
      await Promise.all(this.#running)
      this.#rethrow()
      const root = toHex(this.#forest.root(plan.depth, plan.level, plan.count)) as Root
      const commitment: Commitment = { scheme: this.#scheme, root, length: plan.length }
      await finishLayers(this.#operation, commitment, layers)
      return commitment
    } finally {
      await Promise.all(this.#running)
    }
  }

  async #take(chunk: Uint8Array): Promise<void> {
    this.#operation.check()
    this.#length += BigInt(chunk.length)
    if (this.#length > PAYLOAD_BYTES_MAX) {
      const limit = PAYLOAD_BYTES_MAX
      throw new HoldfastError({ code: 'PAYLOAD_TOO_LARGE', limit, actual: this.#length })
    }
    for (let at = 0; at < chunk.length; ) {
      const tile = await this.#tileWithRoom()
      const taken = Math.min(this.#tileBytes - tile.length, chunk.length - at)
      tile.view.set(chunk.subarray(at, at + taken), tile.length)
      tile.length += taken
      at += taken
    }
  }

  /** A full tile is sent only when another byte comes: the last one's level is not known before. */
  async #tileWithRoom(): Promise<Tile> {
    const full = this.#filling
    if (full !== undefined && full.length < this.#tileBytes) return full
    if (full !== undefined) this.#send(full, undefined)
    this.#filling = undefined
    while (this.#idle.length === 0 && this.#tiles > 2 * this.#input.pool.threads) {
      await Promise.race(this.#running)
    }
    this.#rethrow()
    this.#filling = this.#idle.pop() ?? this.#newTile()
    return this.#filling
  }

  #newTile(): Tile {
    this.#tiles++
    const shared = new SharedArrayBuffer(this.#tileBytes)
    return { shared, view: new Uint8Array(shared), length: 0 }
  }

  #send(tile: Tile, last: CommitPlan | undefined): void {
    const index = this.#sent++
    const level = last?.level ?? this.#level
    const running: Promise<void> = this.#hash(tile, index, level).then(
      () => this.#release(tile, running),
      (cause: unknown) => {
        this.#failure ??= cause
        this.#release(tile, running)
      },
    )
    this.#running.add(running)
  }

  #release(tile: Tile, running: Promise<void>): void {
    tile.length = 0
    this.#idle.push(tile)
    this.#running.delete(running)
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  async #hash(tile: Tile, index: bigint, level: number): Promise<void> {
    const { options } = this.#input
    const { cancel } = this.#operation
    const scheme = this.#scheme
    const length = tile.length
    const source = { from: 'memory', shared: tile.shared, length } as const
    const layers = this.#layersFor(index, level, bytes(length))
    const value = await this.#operation.run({
      kind: 'subtree',
      cancel,
      scheme,
      source,
      level,
      layers,
    })
    invariant(value.kind === 'node', 'hashing a subtree gives its root')
    this.#forest.add({ level, index, node: value.node })
    this.#hashed += BigInt(length)
    options.onProgress?.({ hashedBytes: bytes(this.#hashed), totalBytes: undefined })
  }

  #layersFor(
    index: bigint,
    level: number,
    length: Bytes,
  ): { readonly path: string; readonly offset: number } | undefined {
    const place = this.#input.options.layers
    const onlyOne = index === 0n && level < this.#level
    if (place === undefined || (onlyOne && keptLayersLength(length, this.#scheme) === 0n)) {
      return undefined
    }
    const keptOffset = keptOffsetOf(this.#scheme, level, index)
    return { path: place.path, offset: toNumber(place.offset) + keptOffset }
  }
}
