/**
 * Commits to a payload that lies in a file, by subtree tasks in any order. Used whole by
 * `commitFile`, and piece by piece by `RangeCommit` while an upload is still arriving.
 *
 * Invariant: a subtree is hashed at most once; the root is given only when every one is there and,
 * if layers are kept, only when the layers on disk lead to the same root.
 */
import { open } from 'node:fs/promises'
import type { Engine } from '@holdfast/native'
import {
  bytes,
  type Commitment,
  HoldfastError,
  invariant,
  type Root,
  toHex,
  toNumber,
} from '@holdfast/protocol'
import { type CommitPlan, plannedTask } from './commit-plan.ts'
import { Forest, type PlacedNode } from './forest.ts'
import type { FileRange } from './kept-payload.ts'
import { keptLayersLength } from './layers.ts'
import type { CommitOptions } from './prover.ts'
import { runBounded } from './run-bounded.ts'
import { unreadable } from './subtree-task.ts'
import type { TaskSource } from './tasks.ts'
import type { Operation, WorkerPool } from './worker-pool.ts'

/** Where kept layers go. */
export type LayersPlace = NonNullable<CommitOptions['layers']>

/**
 * Makes sure that the layers' file exists, without touching what is in it.
 * @param payload the file that the payload is read from, and which therefore exists.
 */
export const createLayersFile = async (
  place: LayersPlace | undefined,
  payload?: string,
): Promise<void> => {
  if (place === undefined || place.path === payload) return
  try {
    await (await open(place.path, 'a')).close()
  } catch (cause) {
    throw unreadable(place.path, cause)
  }
}

/**
 * Completes kept layers and compares.
 * @throws HoldfastError `STORE_CORRUPT` when the layers on disk lead to another root.
 */
export const finishLayers = async (
  operation: Operation,
  commitment: Commitment,
  { layers: place, syncLayers: sync = true }: Pick<CommitOptions, 'layers' | 'syncLayers'>,
): Promise<void> => {
  const { scheme, length } = commitment
  if (place === undefined || keptLayersLength(length, scheme) === 0n) return
  const layers = { path: place.path, offset: toNumber(place.offset) }
  const { cancel } = operation
  const value = await operation.run({
    kind: 'layers',
    cancel,
    scheme,
    payloadLength: length,
    layers,
    sync,
  })
  invariant(value.kind === 'node', 'building layers gives their root')
  if (toHex(value.node) === commitment.root) return
  const reason = `the kept layers lead to ${toHex(value.node)}, the payload to ${commitment.root}`
  throw new HoldfastError({ code: 'STORE_CORRUPT', path: place.path, offset: place.offset, reason })
}

export interface FileCommitInput {
  readonly engine: Engine
  readonly pool: WorkerPool
  readonly plan: CommitPlan
  readonly payload: FileRange
  readonly options: CommitOptions
}

export class FileCommit {
  readonly plan: CommitPlan
  readonly #input: FileCommitInput
  readonly #forest: Forest
  readonly #started = new Set<bigint>()
  #hashed = 0n

  constructor(input: FileCommitInput) {
    this.plan = input.plan
    this.#input = input
    this.#forest = new Forest(input.engine, input.plan.scheme)
    for (const placed of input.options.resume ?? []) this.#resume(placed)
  }

  /** Enough to go on from here with `resume`. */
  checkpoint(): readonly PlacedNode[] {
    return this.#forest.entries()
  }

  /** True when that subtree was hashed, or is being hashed. */
  started(index: bigint): boolean {
    return this.#started.has(index) || this.#forest.covers(this.plan.level, index)
  }

  /** Hashes these subtrees, those started already excepted. */
  async hash(operation: Operation, indices: Iterable<bigint>): Promise<void> {
    const { pool } = this.#input
    await runBounded(2 * pool.threads, indices, async (index) => {
      operation.check()
      if (!this.started(index)) await this.#hashOne(operation, index)
    })
  }

  /** @throws HoldfastError `INVARIANT` when a subtree is missing; `STORE_CORRUPT`. */
  async finish(operation: Operation): Promise<Commitment> {
    const { scheme, length, depth, level, count } = this.plan
    const root = toHex(this.#forest.root(depth, level, count)) as Root
    const commitment: Commitment = { scheme, root, length }
    await finishLayers(operation, commitment, this.#input.options)
    return commitment
  }

  async #hashOne(operation: Operation, index: bigint): Promise<void> {
    const { payload, options } = this.#input
    const { scheme, level } = this.plan
    const task = plannedTask(this.plan, index)
    const offset = toNumber(payload.offset) + task.offset
    const run = { path: payload.path, offset, length: task.length }
    const source: TaskSource = { from: 'file', run, skipHoles: options.skipHoles ?? true }
    const place = options.layers
    const layers = place && {
      path: place.path,
      offset: toNumber(place.offset) + task.keptOffset,
    }
    this.#started.add(index)
    try {
      const { cancel } = operation
      const kept = keptLayersLength(this.plan.length, scheme) > 0n ? layers : undefined
      const value = await operation.run({
        kind: 'subtree',
        cancel,
        scheme,
        source,
        level,
        layers: kept,
      })
      invariant(value.kind === 'node', 'hashing a subtree gives its root')
      this.#forest.add({ level, index, node: value.node })
    } finally {
      this.#started.delete(index)
    }
    this.#hashed += BigInt(task.length)
    options.onProgress?.({ hashedBytes: bytes(this.#hashed), totalBytes: this.plan.length })
  }

  #resume(placed: PlacedNode): void {
    const { level, depth, count } = this.plan
    const first = placed.index << BigInt(placed.level - level)
    const fits = placed.level >= level && placed.level <= depth && first < count
    invariant(fits && placed.node.length === 32, 'a checkpoint belongs to the payload it came from')
    this.#forest.add(placed)
    const after = (placed.index + 1n) << BigInt(placed.level - level)
    const end = after < count ? plannedTask(this.plan, after).offset : toNumber(this.plan.length)
    this.#hashed += BigInt(end - plannedTask(this.plan, first).offset)
  }
}

/** 0, 1, … `count` - 1. */
export function* upTo(count: bigint): Iterable<bigint> {
  for (let index = 0n; index < count; index++) yield index
}
