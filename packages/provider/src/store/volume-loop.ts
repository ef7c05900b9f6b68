/**
 * Group commit: takes the operations that are waiting, does them one after another, syncs once for
 * all of them, and answers. What need not be durable is answered at once.
 *
 * Invariant: an operation is answered `ok` only after the sync that made it durable.
 */
import { HoldfastError, type HoldfastErrorDetail } from '@holdfast/protocol'
import type { VolumeEngine } from './volume-engine.ts'
import { DURABLE, type OpKind, type OpOutcome, type VolumeOp } from './volume-ops.ts'

export interface Asked {
  readonly id: number
  readonly op: VolumeOp
}

export interface Answered {
  readonly id: number
  readonly outcome: OpOutcome
}

/** A batch is synced when it holds this many bytes, or operations. */
const BATCH_BYTES = 8 * 2 ** 20
const BATCH_OPS = 512

const bytesOf = (op: VolumeOp): number => (op.kind === 'write' ? op.data.length : 0)

/** Takes from `next` until nothing waits or the batch is full. */
export const takeBatch = (
  first: readonly Asked[],
  next: () => readonly Asked[] | undefined,
): readonly Asked[] => {
  const batch = [...first]
  let bytes = first.reduce((sum, { op }) => sum + bytesOf(op), 0)
  while (bytes < BATCH_BYTES && batch.length < BATCH_OPS) {
    const asked = next()
    if (asked === undefined) break
    batch.push(...asked)
    bytes = asked.reduce((sum, { op }) => sum + bytesOf(op), bytes)
  }
  return batch
}

const failure = (error: unknown): OpOutcome => ({ ok: false, detail: detailOf(error) })

/** Our errors as they are; anything else is a bug and says so. */
export const detailOf = (error: unknown): HoldfastErrorDetail =>
  HoldfastError.is(error)
    ? error.detail
    : { code: 'INVARIANT', sentence: error instanceof Error ? `${error.stack}` : String(error) }

/** Does a batch. What need not wait for the sync is answered before it. */
export const runBatch = (
  engine: VolumeEngine,
  batch: readonly Asked[],
  answer: (answers: readonly Answered[]) => void,
): void => {
  const early: Answered[] = []
  const waiting: Answered[] = []
  for (const { id, op } of batch) {
    const outcome = outcomeOf(engine, op)
    if (outcome.ok && DURABLE.has(op.kind)) waiting.push({ id, outcome })
    else early.push({ id, outcome })
  }
  if (early.length > 0) answer(early)
  if (waiting.length === 0) return
  try {
    engine.commit()
    answer(waiting)
  } catch (error) {
    answer(waiting.map(({ id }) => ({ id, outcome: failure(error) })))
  }
}

const outcomeOf = (engine: VolumeEngine, op: VolumeOp): OpOutcome => {
  try {
    return { ok: true, value: engine.apply<OpKind>(op) }
  } catch (error) {
    return failure(error)
  }
}
