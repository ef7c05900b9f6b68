/**
 * Worker side of building a bundle: makes the answers of a batch of deals, hashes them and writes
 * them with their places and entry hashes. What cannot be answered becomes an absent entry, leaf by
 * leaf: one damaged block spoils only the answers that need it.
 */
import type { Engine } from '@holdfast/native'
import {
  type BundleQuestion,
  bundleEntryPreimage,
  type ChallengeContext,
  DEAL_CHALLENGES,
  dealChallenges,
  invariant,
  keccak,
  NODE_BYTES,
} from '@holdfast/protocol'
import type { AnswerTaskJob } from '../answer-job.ts'
import { runAnswers } from '../answer-task.ts'
import type { AnswerTaskOutcome } from '../tasks.ts'
import { type BundleLayout, bundleLayout, PLACE_BYTES, placeRow } from './layout.ts'
import type { BundleFillJob, BundleFillRow, BundleFillTask } from './tasks.ts'
import { WriteBatch } from './write-batch.ts'
import { withBundleFile } from './write-task.ts'

const NOTHING = new Uint8Array(0)
const EMPTY_HASH = keccak(NOTHING)

/** One entry of the batch: what it answers, where it stands and where its bytes go. */
interface Entry {
  readonly question: BundleQuestion
  readonly index: number
  readonly leaf: bigint
  readonly offset: number
  answer: Uint8Array
}

const entriesOf = (job: BundleFillJob, context: ChallengeContext): Entry[] => {
  const { deal, leaves, own, globals, width } = job
  const entries: Entry[] = []
  if (own !== undefined) {
    for (const [i, leaf] of dealChallenges(context, deal, DEAL_CHALLENGES, leaves).entries()) {
      const place = { index: own.index + i, offset: own.offset + i * width }
      entries.push({ question: { class: 'deal', deal, i }, leaf, ...place, answer: NOTHING })
    }
  }
  for (const { i, leaf, offset } of globals) {
    entries.push({ question: { class: 'global', i }, index: i, leaf, offset, answer: NOTHING })
  }
  return entries
}

/** A job with its entries and the openings that were made for them. */
class Filling {
  readonly entries: readonly Entry[]
  readonly #job: BundleFillJob
  #row: BundleFillRow = { absent: 0, leaf: 0n, what: '' }

  constructor(job: BundleFillJob, context: ChallengeContext) {
    this.#job = job
    this.entries = entriesOf(job, context)
    if (typeof job.kept === 'string') for (const entry of this.entries) this.#miss(entry, job.kept)
  }

  get row(): BundleFillRow {
    return this.#row
  }

  /** What to ask of the payload; undefined when there is none. */
  get wanted(): AnswerTaskJob | undefined {
    const { kept } = this.#job
    if (typeof kept === 'string') return undefined
    return { ...kept, indices: this.entries.map(({ leaf }) => leaf) }
  }

  /**
   * Takes the openings of all entries; when they could not be made together, asks again for one
   * after another. False when that was cancelled.
   */
  take(
    all: AnswerTaskOutcome,
    again: (job: AnswerTaskJob) => AnswerTaskOutcome | undefined,
  ): boolean {
    const { kept, width, head } = this.#job
    if (typeof kept === 'string') return true
    const size = width - head.length
    for (const [i, entry] of this.entries.entries()) {
      const outcome = all.ok ? all : again({ ...kept, indices: [entry.leaf] })
      if (outcome === undefined) return false
      const at = all.ok ? i * size : 0
      if (outcome.ok) entry.answer = this.#answer(outcome.bytes.subarray(at, at + size))
      else this.#miss(entry, outcome.what)
    }
    return true
  }

  #answer(opening: Uint8Array): Uint8Array {
    const { head } = this.#job
    const answer = new Uint8Array(head.length + opening.length)
    answer.set(head)
    answer.set(opening, head.length)
    return answer
  }

  #miss(entry: Entry, what: string): void {
    const first = this.#row.absent === 0 ? { leaf: entry.leaf, what } : this.#row
    this.#row = { ...first, absent: this.#row.absent + 1 }
  }
}

const answerHashes = (engine: Engine, { entries }: Filling): readonly Uint8Array[] => {
  const present = entries.filter(({ answer }) => answer.length > 0)
  const size = present[0]?.answer.length ?? 0
  const joined = new Uint8Array(size * present.length)
  present.forEach(({ answer }, i) => {
    invariant(answer.length === size, 'answers of one deal have one length')
    joined.set(answer, i * size)
  })
  const hashes = new Uint8Array(present.length * NODE_BYTES)
  if (size > 0) engine.keccak(joined, size, hashes)
  let next = 0
  return entries.map(({ answer }) => {
    if (answer.length === 0) return EMPTY_HASH
    next += NODE_BYTES
    return hashes.subarray(next - NODE_BYTES, next)
  })
}

const PREIMAGE_BYTES = 109

/** 32 bytes per entry, joined. */
const entryHashes = (engine: Engine, filling: Filling): Uint8Array => {
  const { entries } = filling
  const preimages = new Uint8Array(entries.length * PREIMAGE_BYTES)
  for (const [i, hash] of answerHashes(engine, filling).entries()) {
    const entry = entries[i]
    invariant(entry !== undefined, 'one hash per entry')
    const preimage = bundleEntryPreimage(entry.question, BigInt(entry.index), hash)
    preimages.set(preimage, i * PREIMAGE_BYTES)
  }
  const hashes = new Uint8Array(entries.length * NODE_BYTES)
  if (entries.length > 0) engine.keccak(preimages, PREIMAGE_BYTES, hashes)
  return hashes
}

const write = (engine: Engine, layout: BundleLayout, filling: Filling, out: WriteBatch): void => {
  const hashes = entryHashes(engine, filling)
  for (const [i, { index, offset, answer }] of filling.entries.entries()) {
    if (answer.length > 0) out.add(offset, answer)
    out.add(layout.placesAt + index * PLACE_BYTES, placeRow(offset, answer.length))
    const hash = hashes.subarray(i * NODE_BYTES, (i + 1) * NODE_BYTES)
    out.add((layout.nodesAt[0] ?? 0) + index * NODE_BYTES, hash)
  }
}

/** One row per job, or undefined when the task was cancelled. */
export const runBundleFill = (
  engine: Engine,
  task: BundleFillTask,
): readonly BundleFillRow[] | undefined => {
  const { cancel } = task
  const fillings = task.jobs.map((job) => new Filling(job, task.context))
  const answerable = fillings.filter(({ wanted }) => wanted !== undefined)
  const jobs = answerable.flatMap(({ wanted }) => wanted ?? [])
  const outcomes = runAnswers(engine, { kind: 'answer', cancel, jobs })
  if (outcomes === undefined) return undefined
  const again = (job: AnswerTaskJob): AnswerTaskOutcome | undefined =>
    runAnswers(engine, { kind: 'answer', cancel, jobs: [job] })?.[0]
  for (const [i, filling] of answerable.entries()) {
    const outcome = outcomes[i]
    invariant(outcome !== undefined, 'one outcome per job')
    if (!filling.take(outcome, again)) return undefined
  }
  const out = new WriteBatch()
  const layout = bundleLayout(task.deals)
  for (const filling of fillings) write(engine, layout, filling, out)
  withBundleFile(task.path, 'r+', (fd) => out.write(fd))
  return fillings.map(({ row }) => row)
}
