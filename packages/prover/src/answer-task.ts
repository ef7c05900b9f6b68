/**
 * Worker side of answering: opens the files of a batch of jobs once, announces every read, then
 * answers job by job. A job that cannot be answered spoils only itself.
 */
import { closeSync, openSync } from 'node:fs'
import type { Engine } from '@holdfast/native'
import {
  type Bytes,
  buildRangeProof,
  invariant,
  type LeafIndex,
  NODE_BYTES,
} from '@holdfast/protocol'
import { openLeaf, openNode } from './opening.ts'
import { treeLeaves } from './scheme.ts'
import type { AnswerTask, AnswerTaskJob, AnswerTaskOutcome, RangeTask, RunOfFile } from './tasks.ts'
import { TreeReader } from './tree-reader.ts'

/** Descriptors that one batch keeps open; more paths than that are opened again. */
const OPEN_FILES_MAX = 64

/** Opens each path of a batch once. */
class OpenFiles {
  readonly #open = new Map<string, number>()

  get(path: string): number {
    const found = this.#open.get(path)
    if (found !== undefined) return found
    const fd = openSync(path, 'r')
    this.#open.set(path, fd)
    return fd
  }

  get full(): boolean {
    return this.#open.size >= OPEN_FILES_MAX
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd)
    this.#open.clear()
  }
}

type ReaderJob = Omit<AnswerTaskJob, 'indices'>

const readerFor = (engine: Engine, files: OpenFiles, job: ReaderJob): TreeReader => {
  const withFd = (run: RunOfFile, needed: boolean): RunOfFile & { readonly fd: number } => ({
    ...run,
    fd: needed ? files.get(run.path) : -1,
  })
  return new TreeReader(engine, {
    scheme: job.scheme,
    payload: withFd(job.payload, true),
    layers: withFd(job.layers, job.layers.length > 0),
  })
}

const sentence = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause)

const outside = (job: AnswerTaskJob): bigint | undefined => {
  const count = treeLeaves(job.scheme, BigInt(job.payload.length) as Bytes)
  return job.indices.find((index) => index < 0n || index >= count)
}

const answerJob = (job: AnswerTaskJob, reader: TreeReader): AnswerTaskOutcome => {
  const strange = outside(job)
  if (strange !== undefined) {
    return { ok: false, leaf: strange, what: 'the payload has no such leaf' }
  }
  const size = reader.shape.leafBytes + reader.depth * NODE_BYTES
  const bytes = new Uint8Array(job.indices.length * size)
  let leaf = 0n
  try {
    job.indices.forEach((index, i) => {
      leaf = index
      openLeaf(reader, job.root, index, bytes.subarray(i * size, (i + 1) * size))
    })
    return { ok: true, bytes }
  } catch (cause) {
    return { ok: false, leaf, what: sentence(cause) }
  }
}

/** One outcome per job, or undefined when the task was cancelled. */
export const runAnswers = (
  engine: Engine,
  task: AnswerTask,
): readonly AnswerTaskOutcome[] | undefined => {
  const outcomes: AnswerTaskOutcome[] = []
  const files = new OpenFiles()
  const readers: (TreeReader | AnswerTaskOutcome)[] = []
  const flush = (): boolean => {
    const first = outcomes.length
    for (const [i, reader] of readers.entries()) {
      if (Atomics.load(task.cancel, 0) !== 0) return false
      const job = task.jobs[first + i]
      invariant(job !== undefined, 'every reader has its job')
      outcomes.push(reader instanceof TreeReader ? answerJob(job, reader) : reader)
    }
    readers.length = 0
    files.close()
    return true
  }
  try {
    for (const job of task.jobs) {
      if (files.full && !flush()) return undefined
      try {
        const reader = readerFor(engine, files, job)
        if (outside(job) === undefined) for (const index of job.indices) reader.announce(index)
        readers.push(reader)
      } catch (cause) {
        readers.push({ ok: false, leaf: job.indices[0] ?? 0n, what: sentence(cause) })
      }
    }
    return flush() ? outcomes : undefined
  } finally {
    files.close()
  }
}

/** The range proof of one payload's leaves. @throws Damage, ShortFile, or the system's error. */
export const runRange = (engine: Engine, task: RangeTask): Uint8Array => {
  const files = new OpenFiles()
  try {
    const reader = readerFor(engine, files, task.job)
    const count = treeLeaves(task.job.scheme, BigInt(task.job.payload.length) as Bytes)
    const range = { first: task.first as LeafIndex, last: task.last as LeafIndex }
    return buildRangeProof(count, range, (level, index) =>
      openNode(reader, task.job.root, { level, index }),
    )
  } finally {
    files.close()
  }
}
