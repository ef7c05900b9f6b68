/**
 * Commits to a stream of unknown length: every piece is one subtree; only at the end is it known how
 * deep the tree is, and at which level the last piece lies.
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
  type SchemeId,
  toHex,
  toNumber,
} from '@holdfast/protocol'
import { createLayersFile, finishLayers } from './commit-file.ts'
import { keptOffsetOf, planCommit } from './commit-plan.ts'
import { Forest } from './forest.ts'
import { keptLayersLength } from './layers.ts'
import type { CommitOptions } from './prover.ts'
import { bytesUnder } from './scheme.ts'
import { type Piece, TileFeed } from './tile-feed.ts'
import type { Operation, WorkerPool } from './worker-pool.ts'

/** About 8 MiB of payload per piece. */
const PIECE_LEVEL: Readonly<Record<SchemeId, number>> = { 1: 13, 2: 18 }

export interface StreamCommitInput {
  readonly engine: Engine
  readonly pool: WorkerPool
  readonly options: CommitOptions
}

export class StreamCommit {
  readonly #operation: Operation
  readonly #options: CommitOptions
  readonly #scheme: SchemeId
  readonly #level: number
  readonly #forest: Forest
  readonly #feed: TileFeed
  #length = 0n
  #hashed = 0n

  constructor(operation: Operation, { engine, pool, options }: StreamCommitInput) {
    this.#operation = operation
    this.#options = options
    this.#scheme = options.scheme ?? 1
    this.#level = PIECE_LEVEL[this.#scheme]
    this.#forest = new Forest(engine, this.#scheme)
    const tileSize = toNumber(bytesUnder(this.#scheme, this.#level))
    this.#feed = new TileFeed({
      tileSize,
      tilesMax: 2 * pool.threads + 1,
      sizeOf: () => tileSize,
      work: (piece) => this.#hash(piece),
      signal: options.signal,
    })
  }

  /** @throws HoldfastError `PAYLOAD_EMPTY`, `PAYLOAD_TOO_LARGE`, `ABORTED`; what the stream throws. */
  async commit(payload: AsyncIterable<Uint8Array>): Promise<Commitment> {
    const { layers } = this.#options
    await createLayersFile(layers)
    await this.#feed.run(this.#counted(payload))
    const plan = planCommit(this.#scheme, bytes(this.#length), this.#level)
    const root = toHex(this.#forest.root(plan.depth, plan.level, plan.count)) as Root
    const commitment: Commitment = { scheme: this.#scheme, root, length: plan.length }
    await finishLayers(this.#operation, commitment, this.#options)
    return commitment
  }

  async *#counted(payload: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of payload) {
      this.#length += BigInt(chunk.length)
      if (this.#length > PAYLOAD_BYTES_MAX) {
        const limit = PAYLOAD_BYTES_MAX
        throw new HoldfastError({ code: 'PAYLOAD_TOO_LARGE', limit, actual: this.#length })
      }
      yield chunk
    }
  }

  async #hash({ number, shared, length, last }: Piece): Promise<void> {
    const scheme = this.#scheme
    const plan = last ? planCommit(scheme, bytes(this.#length), this.#level) : undefined
    const level = plan?.level ?? this.#level
    const index = BigInt(number)
    const value = await this.#operation.run({
      kind: 'subtree',
      cancel: this.#operation.cancel,
      scheme,
      source: { from: 'memory', shared, length },
      level,
      layers: this.#layersFor(index, level, last ? bytes(this.#length) : undefined),
    })
    invariant(value.kind === 'node', 'hashing a subtree gives its root')
    this.#forest.add({ level, index, node: value.node })
    this.#hashed += BigInt(length)
    this.#options.onProgress?.({ hashedBytes: bytes(this.#hashed), totalBytes: undefined })
  }

  #layersFor(
    index: bigint,
    level: number,
    total: Bytes | undefined,
  ): { readonly path: string; readonly offset: number } | undefined {
    const place = this.#options.layers
    if (place === undefined) return undefined
    if (total !== undefined && keptLayersLength(total, this.#scheme) === 0n) return undefined
    const offset = toNumber(place.offset) + keptOffsetOf(this.#scheme, level, index)
    return { path: place.path, offset }
  }
}
