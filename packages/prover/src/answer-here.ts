/**
 * Answers on the calling thread: for measuring what an answer costs without a round trip between
 * threads, and for tools that have nothing else to do. A provider uses `Prover.answer`.
 */
import type { Engine } from '@holdfast/native'
import { invariant } from '@holdfast/protocol'
import { outcomeOf, taskJob } from './answer-run.ts'
import { runAnswers } from './answer-task.ts'
import type { AnswerJob, AnswerOutcome } from './prover.ts'

/** One outcome per job, in order. */
export const answerHere = (
  engine: Engine,
  jobs: readonly AnswerJob[],
): readonly AnswerOutcome[] => {
  const cancel = new Int32Array(1)
  const outcomes = runAnswers(engine, { kind: 'answer', cancel, jobs: jobs.map(taskJob) })
  return jobs.map((job, i) => {
    const outcome = outcomes?.[i]
    invariant(outcome !== undefined, 'work that nobody cancels gives one outcome per job')
    return outcomeOf(job, outcome)
  })
}
