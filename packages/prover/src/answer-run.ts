/**
 * Main-thread side of answering: cuts jobs into batches, keeps a bounded number of them in flight,
 * and yields outcomes in the order of the jobs, whatever order the threads finish in.
 *
 * Invariant: proofs held at any time fit the memory that the caller allows, plus one batch.
 */
import { invariant, type LeafIndex, NODE_BYTES, toNumber } from '@holdfast/protocol'
import type { AnswerTaskJob, RunOfFile } from './answer-job.ts'
import type { FileRange } from './kept-payload.ts'
import type { AnswerJob, AnswerOutcome, LeafProof } from './prover.ts'
import { shapeOf, treeDepth } from './scheme.ts'
import type { AnswerTaskOutcome } from './tasks.ts'
import type { Operation } from './worker-pool.ts'

/** Openings per task: enough to forget the cost of a round trip, few enough to share. */
const BATCH_OPENINGS = 128

export const runOf = (range: FileRange): RunOfFile => ({
  path: range.path,
  offset: toNumber(range.offset),
  length: toNumber(range.length),
})

export const taskJob = (job: AnswerJob): AnswerTaskJob => ({
  scheme: job.commitment.scheme,
  root: Buffer.from(job.commitment.root.slice(2), 'hex'),
  payload: { ...runOf(job.payload), length: toNumber(job.commitment.length) },
  layers: runOf(job.layers),
  indices: job.indices,
})

const openingBytes = (job: AnswerJob): number => {
  const { scheme, length } = job.commitment
  return shapeOf(scheme).leafWidth + treeDepth(scheme, length) * NODE_BYTES
}

export const outcomeOf = (job: AnswerJob, outcome: AnswerTaskOutcome): AnswerOutcome => {
  if (!outcome.ok) return { ...outcome, leaf: outcome.leaf as LeafIndex }
  const size = openingBytes(job)
  const { leafWidth } = shapeOf(job.commitment.scheme)
  const proofs = job.indices.map((index, i): LeafProof => {
    const opening = outcome.bytes.subarray(i * size, (i + 1) * size)
    return { index, leaf: opening.subarray(0, leafWidth), path: opening.subarray(leafWidth) }
  })
  return { ok: true, proofs }
}

const runBatch = async (
  operation: Operation,
  jobs: readonly AnswerJob[],
): Promise<readonly AnswerOutcome[]> => {
  const { cancel } = operation
  const value = await operation.run({ kind: 'answer', cancel, jobs: jobs.map(taskJob) })
  invariant(value.kind === 'answers', 'answering gives answers')
  return jobs.map((job, i) => {
    const outcome = value.outcomes[i]
    invariant(outcome !== undefined, 'one outcome per job')
    return outcomeOf(job, outcome)
  })
}

function* batches(jobs: Iterable<AnswerJob>): Iterable<readonly AnswerJob[]> {
  let batch: AnswerJob[] = []
  let openings = 0
  for (const job of jobs) {
    batch.push(job)
    openings += job.indices.length
    if (openings < BATCH_OPENINGS) continue
    yield batch
    batch = []
    openings = 0
  }
  if (batch.length > 0) yield batch
}

const sizeOf = (batch: readonly AnswerJob[]): number =>
  batch.reduce((sum, job) => sum + job.indices.length * openingBytes(job), 0)

/** How much of a long run of answers may be held at a time, in bytes, and by how many threads. */
export interface AnswerBounds {
  readonly memoryMax: number
  readonly inFlight: number
}

/** Outcomes in the order of the jobs. Jobs are taken only as room becomes free. */
export async function* answerInOrder(
  operation: Operation,
  jobs: Iterable<AnswerJob>,
  bounds: AnswerBounds,
): AsyncIterable<AnswerOutcome> {
  const running: { readonly size: number; readonly done: Promise<readonly AnswerOutcome[]> }[] = []
  const source = batches(jobs)[Symbol.iterator]()
  let held = 0
  let ended = false
  try {
    for (;;) {
      while (
        !ended &&
        running.length < bounds.inFlight &&
        (held === 0 || held < bounds.memoryMax)
      ) {
        const next = source.next()
        ended = next.done === true
        if (next.done) break
        const size = sizeOf(next.value)
        const done = runBatch(operation, next.value)
        done.catch(() => undefined) // awaited below, in order
        running.push({ size, done })
        held += size
      }
      const first = running.shift()
      if (first === undefined) return
      yield* await first.done
      held -= first.size
    }
  } finally {
    await Promise.allSettled(running.map(({ done }) => done))
  }
}
