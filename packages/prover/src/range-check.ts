/**
 * Checks a run of payload bytes against its commitment while they stream past, hashing on the
 * threads: the run is cut into aligned subtrees, their roots and those of the proof grow together to
 * the root. The off-thread twin of the protocol's `RangeVerifier`; scheme 1.
 */
import type { Engine } from '@holdfast/native'
import {
  type Commitment,
  depthFor,
  equalBytes,
  fromHex,
  HoldfastError,
  invariant,
  LEAF_BYTES,
  leavesFor,
  NODE_BYTES,
  nodesAt,
} from '@holdfast/protocol'
import { Forest } from './forest.ts'
import type { LeafRun } from './prover.ts'
import { type Piece, TileFeed } from './tile-feed.ts'
import type { Operation, WorkerPool } from './worker-pool.ts'

/** 8 MiB: the largest piece. */
const PIECE_LEVEL = 13

interface Place {
  readonly level: number
  readonly index: bigint
}

const refuse = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROOF_INVALID', reason })

/** The aligned subtrees of at most `PIECE_LEVEL` that make up leaves [from, to), left to right. */
export function* piecesOf(from: bigint, to: bigint): Iterable<Place> {
  for (let at = from; at < to; ) {
    let level = 0
    while (
      level < PIECE_LEVEL &&
      (at >> BigInt(level)) % 2n === 0n &&
      at + (2n << BigInt(level)) <= to
    ) {
      level++
    }
    yield { level, index: at >> BigInt(level) }
    at += 1n << BigInt(level)
  }
}

/** The places of the proof's nodes, in their order: left of the run, then right of it. */
export const proofPlaces = ({ first, last }: LeafRun, count: bigint): readonly Place[] => {
  const depth = depthFor(count)
  const places: Place[] = []
  for (let level = depth - 1; level >= 0; level--) {
    const index = first >> BigInt(level)
    if (index % 2n === 1n) places.push({ level, index: index - 1n })
  }
  for (let level = 0; level < depth; level++) {
    const index = last >> BigInt(level)
    if (index % 2n === 0n) places.push({ level, index: index + 1n })
  }
  return places.filter(({ level, index }) => index < nodesAt(count, level))
}

export interface RangeCheckInput {
  readonly engine: Engine
  readonly pool: WorkerPool
  readonly commitment: Commitment
  readonly range: LeafRun
  readonly proof: Uint8Array
  readonly signal: AbortSignal | undefined
}

/** @throws HoldfastError `PROOF_INVALID` unless exactly the committed bytes came; `ABORTED`. */
export const checkRange = async (
  operation: Operation,
  payload: AsyncIterable<Uint8Array>,
  { engine, pool, commitment, range, proof, signal }: RangeCheckInput,
): Promise<void> => {
  const count = leavesFor(commitment.length)
  const what = `leaves ${range.first} to ${range.last}`
  if (commitment.scheme !== 1) throw refuse('only sha256-1k has range proofs')
  if (range.first > range.last || range.last >= count) throw refuse(`${what} of ${count}`)
  const known = proofPlaces(range, count)
  if (proof.length !== known.length * NODE_BYTES) {
    throw refuse(`${what}: the proof has ${proof.length} bytes, not ${known.length} nodes`)
  }
  const forest = new Forest(engine, 1)
  known.forEach((place, i) => {
    forest.add({ ...place, node: proof.subarray(i * NODE_BYTES, (i + 1) * NODE_BYTES) })
  })
  const start = range.first * BigInt(LEAF_BYTES)
  const end = (range.last + 1n) * BigInt(LEAF_BYTES)
  const expected = (end < commitment.length ? end : commitment.length) - start
  const pieces = new PieceHasher(operation, forest, piecesOf(range.first, range.last + 1n))
  const feed = new TileFeed({
    tileSize: LEAF_BYTES << PIECE_LEVEL,
    tilesMax: 2 * pool.threads + 1,
    sizeOf: () => pieces.nextSize(),
    work: (piece) => pieces.hash(piece),
    signal,
  })
  await feed.run(exactly(payload, expected, what))
  const root = forest.root(depthFor(count), 0, count)
  if (!equalBytes(root, fromHex(commitment.root))) {
    throw refuse(`${what} do not lead to root ${commitment.root}`)
  }
}

async function* exactly(
  payload: AsyncIterable<Uint8Array>,
  expected: bigint,
  what: string,
): AsyncIterable<Uint8Array> {
  let received = 0n
  for await (const chunk of payload) {
    received += BigInt(chunk.length)
    if (received > expected) throw refuse(`${what}: more than ${expected} bytes arrived`)
    yield chunk
  }
  if (received < expected) throw refuse(`${what}: ${received} of ${expected} bytes arrived`)
}

/** Gives each piece its place, in the order in which tiles are filled. */
class PieceHasher {
  readonly #operation: Operation
  readonly #forest: Forest
  readonly #places: Iterator<Place>
  readonly #taken: Place[] = []

  constructor(operation: Operation, forest: Forest, places: Iterable<Place>) {
    this.#operation = operation
    this.#forest = forest
    this.#places = places[Symbol.iterator]()
  }

  nextSize(): number {
    const next = this.#places.next()
    invariant(!next.done, 'no byte comes after the last piece')
    this.#taken.push(next.value)
    return LEAF_BYTES << next.value.level
  }

  async hash({ number, shared, length }: Piece): Promise<void> {
    const place = this.#taken[number]
    invariant(place !== undefined, 'a piece has its place')
    const value = await this.#operation.run({
      kind: 'subtree',
      cancel: this.#operation.cancel,
      scheme: 1,
      source: { from: 'memory', shared, length },
      level: place.level,
      layers: undefined,
    })
    invariant(value.kind === 'node', 'hashing a subtree gives its root')
    this.#forest.add({ ...place, node: value.node })
  }
}
