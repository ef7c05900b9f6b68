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

/** What waits is synced when so many bytes or operations have been done since the last sync. */
const GROUP_BYTES = 32 * 2 ** 20
const GROUP_OPS = 512

const bytesOf = (op: VolumeOp): number => (op.kind === 'write' ? op.data.length : 0)

const failure = (error: unknown): OpOutcome => ({ ok: false, detail: detailOf(error) })

/** Our errors as they are; anything else is a bug and says so. */
export const detailOf = (error: unknown): HoldfastErrorDetail =>
  HoldfastError.is(error)
    ? error.detail
    : { code: 'INVARIANT', sentence: error instanceof Error ? `${error.stack}` : String(error) }

/**
 * Does what is asked until nothing waits or the group is full, then syncs once for all of it. What need
 * not wait for the sync is answered as it is done, so that more can come.
 */
export const runGroup = (
  engine: VolumeEngine,
  first: readonly Asked[],
  {
    next,
    answer,
  }: {
    readonly next: () => readonly Asked[] | undefined
    readonly answer: (answers: readonly Answered[]) => void
  },
): void => {
  const waiting: Answered[] = []
  let bytes = 0
  let ops = 0
  for (let asked: readonly Asked[] | undefined = first; asked !== undefined; ) {
    const early: Answered[] = []
    for (const { id, op } of asked) {
      const outcome = outcomeOf(engine, op)
      if (outcome.ok && DURABLE.has(op.kind)) waiting.push({ id, outcome })
      else early.push({ id, outcome })
      bytes += bytesOf(op)
    }
    ops += asked.length
    if (early.length > 0) answer(early)
    asked = bytes < GROUP_BYTES && ops < GROUP_OPS ? next() : undefined
  }
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
