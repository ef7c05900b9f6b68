/**
 * What the suites that answer challenges share: payloads on disk with their layers, positions that
 * repeat from run to run, and the check of every opening by the protocol's own code.
 */
import { createHash } from 'node:crypto'
import { bytes, type Commitment, verifyLeaf } from '@holdfast/protocol'
import {
  type AnswerJob,
  type AnswerOutcome,
  type FileRange,
  keptLayersLength,
  type Prover,
} from '@holdfast/prover'

/** A payload on disk with its layers. */
export interface Stored {
  readonly payload: FileRange
  readonly layers: FileRange
  readonly commitment: Commitment
}

export const store = async (
  prover: Prover,
  payload: FileRange,
  layersAt: string,
): Promise<Stored> => {
  const place = { path: layersAt, offset: bytes(0) }
  const commitment = await prover.commitFile(payload, { layers: place })
  return { payload, layers: { ...place, length: keptLayersLength(payload.length) }, commitment }
}

/** Positions below a bound, the same on every run; made before anything is timed. */
export const positions = (below: number): (() => number) => {
  const all = Array.from({ length: 8192 }, (_, turn) => {
    const digest = createHash('sha256').update(`challenge ${turn}`).digest()
    return digest.readUIntBE(0, 6) % below
  })
  let turn = 0
  return () => all[turn++ % all.length] ?? 0
}

export const checkOutcomes = (
  outcomes: readonly AnswerOutcome[],
  jobs: readonly AnswerJob[],
): void => {
  outcomes.forEach((outcome, i) => {
    const commitment = jobs[i]?.commitment
    if (!outcome.ok || !commitment) throw new Error(outcome.ok ? 'no job' : outcome.what)
    for (const proof of outcome.proofs) verifyLeaf(commitment, proof)
  })
}
