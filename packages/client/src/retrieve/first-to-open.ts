/**
 * Which replica serves: the first that opens. They are tried in order; when one is silent for a while
 * (a machine that is off does not even refuse), the next is tried beside it, so that it costs seconds
 * and not the whole time after which it would be given up.
 *
 * Invariant: when this ends, nothing is being opened any more but the one that serves.
 */
import {
  type CallOptions,
  type Clock,
  type HoldfastError,
  type Milliseconds,
  milliseconds,
} from '@holdfast/protocol'
import { unlessAborted } from '../abort.ts'
import type { BlockGetter } from './replica-reader.ts'

/** Some round trips around the world, TLS and a first read included. */
export const PATIENCE_MS: Milliseconds = milliseconds(2000)

/** A replica that can be opened. */
export interface ReplicaCandidate {
  /** How it is called in messages: the provider. */
  readonly name: string
  readonly deal: string
  open(options: CallOptions): Promise<BlockGetter>
}

export interface OpenedReplica {
  readonly candidate: ReplicaCandidate
  readonly blocks: BlockGetter
}

type Outcome = OpenedReplica | { readonly candidate: ReplicaCandidate; readonly error: unknown }

export interface FirstToOpenOptions {
  readonly clock: Clock
  /** Told of each that failed. What is no `HoldfastError`, or `ABORTED`, ends the search instead. */
  readonly onFailed: (candidate: ReplicaCandidate, error: HoldfastError) => void
}

/** Undefined when all of them failed. */
export const firstToOpen = async (
  candidates: readonly ReplicaCandidate[],
  { clock, onFailed }: FirstToOpenOptions,
): Promise<OpenedReplica | undefined> => {
  const opening = new Map<ReplicaCandidate, Opening>()
  try {
    for (const [i, candidate] of candidates.entries()) {
      opening.set(candidate, begin(candidate))
      const isLast = i === candidates.length - 1
      do {
        const outcome = await nextOf(opening, isLast ? undefined : clock)
        if (outcome === undefined) break
        opening.delete(outcome.candidate)
        if ('blocks' in outcome) return outcome
        onFailed(outcome.candidate, unlessAborted(outcome.error))
      } while (isLast && opening.size > 0)
    }
    return undefined
  } finally {
    for (const { stop } of opening.values()) stop.abort()
  }
}

interface Opening {
  readonly stop: AbortController
  readonly outcome: Promise<Outcome>
}

const begin = (candidate: ReplicaCandidate): Opening => {
  const stop = new AbortController()
  const outcome = candidate.open({ signal: stop.signal }).then(
    (blocks) => ({ candidate, blocks }),
    (error: unknown) => ({ candidate, error }),
  )
  return { stop, outcome }
}

/** The next that opens or fails; undefined when it is time for another one. */
const nextOf = async (
  opening: ReadonlyMap<ReplicaCandidate, Opening>,
  clock: Clock | undefined,
): Promise<Outcome | undefined> => {
  const outcomes = [...opening.values()].map(({ outcome }) => outcome)
  if (clock === undefined) return Promise.race(outcomes)
  const timer = new AbortController()
  const silent = clock.sleep(PATIENCE_MS, { signal: timer.signal }).then(
    () => undefined,
    () => undefined,
  )
  try {
    return await Promise.race([...outcomes, silent])
  } finally {
    timer.abort()
  }
}
