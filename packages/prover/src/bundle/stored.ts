/**
 * A bundle in its file, as its readers see it. Reading, hashing and checking happen on the threads;
 * here are only questions and bounds. No descriptor is held between calls.
 */
import {
  BUNDLE_GLOBALS,
  BUNDLE_PER_DEAL,
  type BundleOpening,
  type BundleQuestion,
  type CallOptions,
  type ChallengeContext,
  fromHex,
  type Hash32,
  HoldfastError,
  invariant,
} from '@holdfast/protocol'
import type { Operation, WorkerPool } from '../worker-pool.ts'
import type { BundleAnswer, BundleRun, StoredBundle } from './bundler.ts'
import { GLOBALS, PER_DEAL } from './layout.ts'
import { PAGE_ENTRIES } from './read-task.ts'
import type { BundleSource } from './tasks.ts'

class FileBundle implements StoredBundle {
  readonly path: string
  readonly root: Hash32
  readonly count: bigint
  readonly absent: bigint
  readonly context: ChallengeContext
  readonly #pool: WorkerPool
  readonly #source: BundleSource

  constructor(pool: WorkerPool, source: BundleSource) {
    const { root, deals, absent, context } = source.head
    this.path = source.path
    this.root = root
    this.count = BUNDLE_GLOBALS + BUNDLE_PER_DEAL * BigInt(deals)
    this.absent = BigInt(absent)
    this.context = context
    this.#pool = pool
    this.#source = source
  }

  async entry(index: bigint, options?: CallOptions): Promise<BundleOpening> {
    this.#require({ first: index, count: 1n })
    return this.#pool.operate('urgent', options?.signal, (operation) =>
      this.#opening(operation, Number(index)),
    )
  }

  open(question: BundleQuestion, options?: CallOptions): Promise<BundleOpening | undefined> {
    return this.#pool.operate('urgent', options?.signal, async (operation) => {
      const limit = question.class === 'global' ? GLOBALS : PER_DEAL
      if (!Number.isInteger(question.i) || question.i < 0 || question.i >= limit) return undefined
      if (question.class === 'global') return this.#opening(operation, question.i)
      const { cancel } = operation
      const deal = fromHex(question.deal)
      const value = await operation.run({ kind: 'bundle-find', cancel, source: this.#source, deal })
      invariant(value.kind === 'bundle-rank', 'looking for a deal gives its rank')
      if (value.rank < 0) return undefined
      return this.#opening(operation, GLOBALS + PER_DEAL * value.rank + question.i)
    })
  }

  async globalAnswers(k: number, options?: CallOptions): Promise<readonly Uint8Array[]> {
    const inside = Number.isInteger(k) && k >= 0 && k <= GLOBALS
    if (!inside) throw outside(`there are ${GLOBALS} global answers, not ${k}`)
    const answers: Uint8Array[] = []
    const run = { first: 0n, count: BigInt(k) }
    for await (const { answer } of this.answers(run, options)) answers.push(answer)
    return answers
  }

  async *answers(
    run: BundleRun = { first: 0n, count: this.count },
    options?: CallOptions,
  ): AsyncIterable<BundleAnswer> {
    this.#require(run)
    const operation = this.#pool.open('urgent', options?.signal)
    try {
      const end = Number(run.first + run.count)
      for (let first = Number(run.first); first < end; ) {
        operation.check()
        const rest = PAGE_ENTRIES - (first % PAGE_ENTRIES)
        const count = Math.min(rest, end - first)
        yield* await this.#page(operation, first, count)
        first += count
      }
    } finally {
      operation.end()
    }
  }

  #require({ first, count }: BundleRun): void {
    if (first >= 0n && count >= 0n && first + count <= this.count) return
    throw outside(`entries ${first} to ${first + count - 1n} of a bundle of ${this.count}`)
  }

  async #opening(operation: Operation, index: number): Promise<BundleOpening> {
    const { cancel } = operation
    const value = await operation.run({ kind: 'bundle-entry', cancel, source: this.#source, index })
    invariant(value.kind === 'bundle-entry', 'an entry task gives its entry')
    const { answer, path } = value
    return { index: BigInt(index), count: this.count, answer, path }
  }

  async #page(
    operation: Operation,
    first: number,
    count: number,
  ): Promise<readonly BundleAnswer[]> {
    const { cancel } = operation
    const task = { kind: 'bundle-page', cancel, source: this.#source, first, count } as const
    const value = await operation.run(task)
    invariant(value.kind === 'bundle-page', 'a page task gives answers')
    return value.answers.map((answer, i) => ({ index: BigInt(first + i), answer }))
  }
}

const outside = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'RANGE_INVALID', reason })

/** Rejects as `Bundler.openBundle` does. */
export const openStoredBundle = (
  pool: WorkerPool,
  path: string,
  options?: CallOptions,
): Promise<StoredBundle> =>
  pool.operate('urgent', options?.signal, async (operation) => {
    const value = await operation.run({ kind: 'bundle-head', cancel: operation.cancel, path })
    invariant(value.kind === 'bundle-head', 'a head task gives the head')
    return new FileBundle(pool, { path, head: value.head })
  })
