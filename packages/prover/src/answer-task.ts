/**
 * Worker side of answering: takes the openings of a batch of jobs in portions, plans and makes the
 * reads of a portion together, then opens leaf by leaf. A job that cannot be answered spoils only
 * itself.
 */
import type { Engine } from '@holdfast/native'
import { type Bytes, buildRangeProof, type LeafIndex, NODE_BYTES } from '@holdfast/protocol'
import type { AnswerTaskJob, RunOfFile } from './answer-job.ts'
import { OpenFiles } from './open-files.ts'
import { openLeaf, openNode } from './opening.ts'
import { ReadPlan } from './read-plan.ts'
import { shapeOf, treeDepth, treeLeaves } from './scheme.ts'
import type { AnswerTask, AnswerTaskOutcome, RangeTask } from './tasks.ts'
import { type PlannedOpening, TreeReader } from './tree-reader.ts'

type ReaderJob = Omit<AnswerTaskJob, 'indices'>

const readerFor = (engine: Engine, files: OpenFiles, job: ReaderJob): TreeReader => {
  const open = (run: RunOfFile): RunOfFile & { readonly fd: number } => ({
    ...run,
    fd: run.length > 0 ? files.get(run.path) : -1,
  })
  return new TreeReader(engine, {
    scheme: job.scheme,
    payload: open(job.payload),
    layers: open(job.layers),
  })
}

const sentence = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause)

const lengthOf = (job: ReaderJob): Bytes => BigInt(job.payload.length) as Bytes

/** A job on its way: where its proofs go, or what went wrong. */
class JobProgress {
  readonly job: AnswerTaskJob
  /** Positions of the job's indices, in payload order: neighbours share pages. */
  readonly order: readonly number[]
  readonly #size: number
  readonly #bytes: Uint8Array
  #failure: AnswerTaskOutcome | undefined

  constructor(job: AnswerTaskJob) {
    this.job = job
    this.#size = shapeOf(job.scheme).leafWidth + treeDepth(job.scheme, lengthOf(job)) * NODE_BYTES
    this.#bytes = new Uint8Array(job.indices.length * this.#size)
    const { indices } = job
    const compare = (a: number, b: number): number =>
      Number((indices[a] ?? 0n) - (indices[b] ?? 0n))
    this.order = indices.map((_, position) => position).sort(compare)
    const count = treeLeaves(job.scheme, lengthOf(job))
    const strange = job.indices.find((index) => index < 0n || index >= count)
    if (strange !== undefined) this.fail(strange, 'the payload has no such leaf')
  }

  get failed(): boolean {
    return this.#failure !== undefined
  }

  fail(leaf: bigint, what: string): void {
    this.#failure ??= { ok: false, leaf, what }
  }

  /**
   * Lets the engine open everything at once. True when it did; otherwise nothing is known yet, and
   * the openings are made one by one, which also says what is wrong.
   */
  openAtOnce(engine: Engine, files: OpenFiles): boolean {
    const { indices, scheme, root, payload, layers } = this.job
    const depth = treeDepth(scheme, lengthOf(this.job))
    const open = (run: RunOfFile): RunOfFile & { readonly fd: number } => ({
      ...run,
      fd: run.length > 0 ? files.get(run.path) : -1,
    })
    const runs = { scheme, depth, root, payload: open(payload), layers: open(layers) }
    const places = Float64Array.from(this.order, (position) => Number(indices[position]))
    const sorted = this.order.every((position, i) => position === i)
    const out = sorted ? this.#bytes : new Uint8Array(this.#bytes.length)
    if (engine.openLeaves(runs, places, out) !== -1) return false
    if (sorted) return true
    this.order.forEach((position, i) => {
      this.slot(position).set(out.subarray(i * this.#size, (i + 1) * this.#size))
    })
    return true
  }

  /** Where the opening at `position` of the job goes. */
  slot(position: number): Uint8Array {
    return this.#bytes.subarray(position * this.#size, (position + 1) * this.#size)
  }

  outcome(): AnswerTaskOutcome {
    return this.#failure ?? { ok: true, bytes: this.#bytes }
  }
}

/** One opening of a portion, with its reads noted. */
interface Pending {
  readonly progress: JobProgress
  readonly reader: TreeReader
  readonly position: number
  readonly opening: PlannedOpening
}

/** The openings whose reads are made together. */
class Portion {
  readonly #engine: Engine
  readonly #files = new OpenFiles()
  readonly #pending: Pending[] = []
  #plan = new ReadPlan()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get full(): boolean {
    return this.#plan.full || this.#files.full
  }

  /** Notes openings of a job, the `first`-th in payload order and on; returns the first left out. */
  take(progress: JobProgress, first: number): number {
    const { job } = progress
    let next = first
    try {
      const reader = readerFor(this.#engine, this.#files, job)
      for (; next < job.indices.length && !this.#plan.full; next++) {
        const position = progress.order[next] ?? 0
        const opening = reader.plan(this.#plan, job.indices[position] ?? 0n)
        this.#pending.push({ progress, reader, position, opening })
      }
      return next
    } catch (cause) {
      progress.fail(job.indices[progress.order[next] ?? 0] ?? 0n, sentence(cause))
      return job.indices.length
    }
  }

  /** Makes the reads and opens every leaf; the portion is empty again. */
  answer(): void {
    this.#plan.run(this.#engine)
    for (const { progress, reader, position, opening } of this.#pending) {
      if (progress.failed) continue
      const ready = { reader, plan: this.#plan, opening, root: progress.job.root }
      try {
        openLeaf(ready, progress.slot(position))
      } catch (cause) {
        progress.fail(opening.index, sentence(cause))
      }
    }
    this.#pending.length = 0
    this.#plan = new ReadPlan()
    this.close()
  }

  close(): void {
    this.#files.close()
  }
}

/** Jobs that the engine could not open at once: one opening after another. */
const answerSlowly = (
  engine: Engine,
  cancel: Int32Array,
  slow: readonly JobProgress[],
): boolean => {
  const portion = new Portion(engine)
  try {
    for (const progress of slow) {
      for (let next = 0; next < progress.job.indices.length && !progress.failed; ) {
        if (portion.full) portion.answer()
        if (Atomics.load(cancel, 0) !== 0) return false
        next = portion.take(progress, next)
      }
    }
    portion.answer()
    return true
  } finally {
    portion.close()
  }
}

/** One outcome per job, or undefined when the task was cancelled. */
export const runAnswers = (
  engine: Engine,
  task: AnswerTask,
): readonly AnswerTaskOutcome[] | undefined => {
  const files = new OpenFiles()
  const slow: JobProgress[] = []
  const all = task.jobs.map((job) => new JobProgress(job))
  try {
    for (const progress of all) {
      if (Atomics.load(task.cancel, 0) !== 0) return undefined
      if (progress.failed || progress.job.indices.length === 0) continue
      if (files.full) files.close()
      try {
        if (!progress.openAtOnce(engine, files)) slow.push(progress)
      } catch (cause) {
        progress.fail(progress.job.indices[0] ?? 0n, sentence(cause))
      }
    }
  } finally {
    files.close()
  }
  if (slow.length > 0 && !answerSlowly(engine, task.cancel, slow)) return undefined
  return all.map((progress) => progress.outcome())
}

/** The range proof of one payload's leaves. @throws Damage, ReadFailure, or the system's error. */
export const runRange = (engine: Engine, task: RangeTask): Uint8Array => {
  const files = new OpenFiles()
  try {
    const { job } = task
    const reader = readerFor(engine, files, job)
    const range = { first: task.first as LeafIndex, last: task.last as LeafIndex }
    return buildRangeProof(treeLeaves(job.scheme, lengthOf(job)), range, (level, index) => {
      const plan = new ReadPlan()
      const opening = reader.plan(plan, index << BigInt(level))
      plan.run(engine)
      return openNode({ reader, plan, opening, root: job.root }, level)
    })
  } finally {
    files.close()
  }
}
