/**
 * A payload on disk with its kept layers, and jobs over it: for the tests that answer.
 */
import { bytes, type Commitment, leafIndex, type SchemeId } from '@holdfast/protocol'
import type { FileRange } from '../src/kept-payload.ts'
import { keptLayersLength } from '../src/layers.ts'
import type { AnswerJob, Prover } from '../src/prover.ts'
import type { Folder } from './fixture.ts'

export interface Kept {
  readonly payload: FileRange
  readonly layers: FileRange
  readonly commitment: Commitment
}

export type Keep = (name: string, data: Uint8Array, scheme?: SchemeId) => Promise<Kept>

/** Writes and commits payloads in a folder; asked for late, when both are open. */
export const keeper =
  (parts: () => { readonly prover: Prover; readonly folder: Folder }): Keep =>
  async (name, data, scheme = 1) => {
    const { prover, folder } = parts()
    const payload = await folder.file(name, data)
    const place = { path: folder.place(`${name}.layers`), offset: bytes(0) }
    const commitment = await prover.commitFile(payload, { scheme, layers: place })
    const layers = { ...place, length: keptLayersLength(commitment.length, scheme) }
    return { payload, layers, commitment }
  }

export const job = (kept: Kept, indices: readonly number[]): AnswerJob => ({
  ...kept,
  indices: indices.map((index) => leafIndex(index)),
})
