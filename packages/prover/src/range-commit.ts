/**
 * A commit whose bytes arrive in any order: every range is noted, and each subtree is hashed once,
 * as soon as its last byte is there. Nothing is held between calls but the forest and the gaps.
 */
import {
  type Bytes,
  bytes,
  type CallOptions,
  type Commitment,
  HoldfastError,
} from '@holdfast/protocol'
import { createLayersFile, FileCommit, type FileCommitInput } from './commit-file.ts'
import { Coverage, type Interval } from './coverage.ts'
import type { PlacedNode } from './forest.ts'
import type { RangeCommit } from './prover.ts'
import { bytesUnder } from './scheme.ts'

export class OpenRangeCommit implements RangeCommit {
  readonly #input: FileCommitInput
  readonly #commit: FileCommit
  readonly #coverage = new Coverage()
  #running: Promise<unknown> = Promise.resolve()

  constructor(input: FileCommitInput) {
    this.#input = input
    this.#commit = new FileCommit(input)
  }

  async cover({
    offset,
    length,
  }: {
    readonly offset: Bytes
    readonly length: Bytes
  }): Promise<void> {
    const total = this.#commit.plan.length
    if (offset + length > total) {
      const reason = `bytes ${offset} to ${offset + length} of a payload of ${total}`
      throw new HoldfastError({ code: 'RANGE_INVALID', reason })
    }
    if (length === 0n) return
    const added = { start: offset, end: offset + length }
    const ready = this.#complete(added, this.#coverage.add(added))
    if (ready.length === 0) return
    const { pool, options, payload } = this.#input
    const work = pool.operate('bulk', undefined, async (operation) => {
      await createLayersFile(options.layers, payload.path)
      await this.#commit.hash(operation, ready)
    })
    this.#running = Promise.allSettled([this.#running, work])
    await work
  }

  checkpoint(): readonly PlacedNode[] {
    return this.#commit.checkpoint()
  }

  async finish(options?: CallOptions): Promise<Commitment> {
    await this.#running
    const { plan } = this.#commit
    for (let index = 0n; index < plan.count; index++) {
      if (this.#commit.started(index)) continue
      const actual = bytes(this.#coverage.total)
      throw new HoldfastError({ code: 'UPLOAD_INCOMPLETE', expected: plan.length, actual })
    }
    const { pool } = this.#input
    return pool.operate('bulk', options?.signal, (operation) => this.#commit.finish(operation))
  }

  /** Subtrees that touch what was added and lie inside what is now joined. */
  #complete(added: Interval, joined: Interval): readonly bigint[] {
    const { scheme, level, length } = this.#commit.plan
    const span = bytesUnder(scheme, level)
    const ready: bigint[] = []
    for (let index = added.start / span; index * span < added.end; index++) {
      const end = (index + 1n) * span
      const inside = index * span >= joined.start && (end < length ? end : length) <= joined.end
      if (inside && !this.#commit.started(index)) ready.push(index)
    }
    return ready
  }
}
