/**
 * Opens a prover: chooses the engine once for the process, starts the threads, and binds every
 * operation of the port to them. Reads `HOLDFAST_ENGINE` and the number of cores; nothing else here
 * knows the environment.
 */
import { availableParallelism } from 'node:os'
import { ENGINE_VARIABLE, type Engine, openEngine } from '@holdfast/native'
import {
  type Bytes,
  bytes,
  type CallOptions,
  type Commitment,
  fromHex,
  HoldfastError,
  invariant,
  type Logger,
  silentLogger,
  toNumber,
} from '@holdfast/protocol'
import { answerInOrder, runOf } from './answer-run.ts'
import { buildBundle } from './bundle/build.ts'
import type { BundleInput, BundleOptions, PeriodBundle, StoredBundle } from './bundle/bundler.ts'
import { openStoredBundle } from './bundle/stored.ts'
import { createLayersFile, FileCommit, upTo } from './commit-file.ts'
import { planCommit } from './commit-plan.ts'
import { StreamCommit } from './commit-stream.ts'
import { hashBlocks } from './hash-blocks.ts'
import type { FileRange, KeptPayload } from './kept-payload.ts'
import type {
  AnswerEachOptions,
  AnswerJob,
  AnswerOutcome,
  CommitOptions,
  LeafRun,
  Prover,
  RangeCommit,
  SmallCommit,
} from './prover.ts'
import { checkRange } from './range-check.ts'
import { OpenRangeCommit } from './range-commit.ts'
import { commitBytes, commitSmall } from './small-commit.ts'
import { WorkerPool } from './worker-pool.ts'

export interface ProverOptions {
  /** Worker threads. Default: one less than the cores, at least one. */
  readonly threads?: number
  /** Name of an engine. Default: `HOLDFAST_ENGINE`, else the fastest. */
  readonly engine?: string
  /** Operations admitted at a time; one more is refused with `QUEUE_FULL`. Default 1024. */
  readonly operationsMax?: number
  readonly logger?: Logger
}

const OPERATIONS_MAX = 1024
const ANSWER_MEMORY = bytes(16 << 20)

const chooseEngine = (wanted: string | undefined): Engine => {
  try {
    return openEngine(wanted)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: ENGINE_VARIABLE, reason }, { cause })
  }
}

class ThreadedProver implements Prover {
  readonly engine: string
  readonly #engine: Engine
  readonly #pool: WorkerPool

  constructor(engine: Engine, pool: WorkerPool) {
    this.engine = engine.name
    this.#engine = engine
    this.#pool = pool
  }

  async commitFile(payload: FileRange, options: CommitOptions = {}): Promise<Commitment> {
    const commit = this.#fileCommit(payload, options)
    return this.#pool.operate('bulk', options.signal, async (operation) => {
      await createLayersFile(options.layers, payload.path)
      await commit.hash(operation, upTo(commit.plan.count))
      operation.check()
      return commit.finish(operation)
    })
  }

  async commitSmall(
    payload: FileRange,
    options?: Pick<CommitOptions, 'scheme' | 'signal'>,
  ): Promise<SmallCommit> {
    return commitSmall(this.#pool, payload, options)
  }

  async commitBytes(
    data: Uint8Array,
    options?: Pick<CommitOptions, 'scheme' | 'signal'>,
  ): Promise<SmallCommit> {
    return commitBytes(this.#pool, data, options)
  }

  commitStream(
    payload: AsyncIterable<Uint8Array>,
    options: CommitOptions = {},
  ): Promise<Commitment> {
    const input = { engine: this.#engine, pool: this.#pool, options }
    return this.#pool.operate('bulk', options.signal, (operation) =>
      new StreamCommit(operation, input).commit(payload),
    )
  }

  commitRanges(payload: FileRange, options: Omit<CommitOptions, 'signal'> = {}): RangeCommit {
    const plan = planCommit(options.scheme ?? 1, payload.length)
    return new OpenRangeCommit({ engine: this.#engine, pool: this.#pool, plan, payload, options })
  }

  async answer(
    jobs: readonly AnswerJob[],
    options?: CallOptions,
  ): Promise<readonly AnswerOutcome[]> {
    const outcomes: AnswerOutcome[] = []
    for await (const outcome of this.answerEach(jobs, options)) outcomes.push(outcome)
    return outcomes
  }

  async *answerEach(
    jobs: Iterable<AnswerJob>,
    options: AnswerEachOptions = {},
  ): AsyncIterable<AnswerOutcome> {
    const memoryMax = toNumber(options.memoryBytes ?? ANSWER_MEMORY)
    const bounds = { memoryMax, inFlight: 2 * this.#pool.threads }
    const operation = this.#pool.open('urgent', options.signal)
    try {
      for await (const outcome of answerInOrder(operation, jobs, bounds)) {
        operation.check()
        yield outcome
      }
    } finally {
      operation.end()
    }
  }

  rangeProof(payload: KeptPayload, range: LeafRun, options?: CallOptions): Promise<Uint8Array> {
    const { commitment } = payload
    return this.#pool.operate('urgent', options?.signal, async (operation) => {
      const value = await operation.run({
        kind: 'range',
        cancel: operation.cancel,
        job: {
          scheme: commitment.scheme,
          root: fromHex(commitment.root),
          payload: { ...runOf(payload.payload), length: toNumber(commitment.length) },
          layers: runOf(payload.layers),
        },
        ...range,
      })
      invariant(value.kind === 'range', 'a range task gives its proof')
      return value.proof
    })
  }

  checkRange(
    payload: AsyncIterable<Uint8Array>,
    against: Parameters<Prover['checkRange']>[1],
    options?: CallOptions,
  ): Promise<void> {
    const signal = options?.signal
    const input = { ...against, engine: this.#engine, pool: this.#pool, signal }
    return this.#pool.operate('bulk', signal, (operation) => checkRange(operation, payload, input))
  }

  hashBlocks(input: Uint8Array, size: Bytes, options?: CallOptions): Promise<Uint8Array> {
    return this.#pool.operate('bulk', options?.signal, (operation) =>
      hashBlocks(operation, input, size),
    )
  }

  bundlePeriod(input: BundleInput, options: BundleOptions = {}): Promise<PeriodBundle> {
    return this.#pool.operate('urgent', options.signal, (operation) =>
      buildBundle(operation, this.#pool.threads, input, options),
    )
  }

  openBundle(path: string, options?: CallOptions): Promise<StoredBundle> {
    return openStoredBundle(this.#pool, path, options)
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  #fileCommit(payload: FileRange, options: CommitOptions): FileCommit {
    const plan = planCommit(options.scheme ?? 1, payload.length)
    return new FileCommit({ engine: this.#engine, pool: this.#pool, plan, payload, options })
  }
}

/**
 * Opens a prover on worker threads. Close it: idle threads end with the process, running work does
 * not. @throws HoldfastError `CONFIG_INVALID` when the engine that is asked for is not here.
 */
export const openProver = async (options: ProverOptions = {}): Promise<Prover> => {
  const engine = chooseEngine(options.engine ?? process.env[ENGINE_VARIABLE])
  const threads = options.threads ?? Math.max(1, availableParallelism() - 1)
  invariant(Number.isInteger(threads) && threads > 0, 'a prover has at least one thread')
  const operationsMax = options.operationsMax ?? OPERATIONS_MAX
  const pool = new WorkerPool({ threads, engine: engine.name, operationsMax })
  const logger = options.logger ?? silentLogger
  logger.info('prover opened', { engine: engine.name, threads })
  return new ThreadedProver(engine, pool)
}
