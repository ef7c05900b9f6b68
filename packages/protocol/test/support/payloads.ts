/**
 * Payloads with their commitment and openings, from the recursive reference.
 */
import type { Commitment } from '../../src/deal/terms.ts'
import { root as toRoot } from '../../src/ids.ts'
import type { LeafOpening, NodeSource } from '../../src/merkle/proof.ts'
import { bytes, leafIndex } from '../../src/units.ts'
import { hex, payloadBytes } from '../reference/bytes.ts'
import { leaf, leafCount, node, path, root } from '../reference/payload-tree.ts'

export interface Sample {
  readonly payload: Buffer
  readonly commitment: Commitment
  readonly leaves: number
  opening(index: number): LeafOpening
  /** Nodes from the reference; counts what it was asked for. */
  readonly source: NodeSource
  readonly asked: string[]
}

export const sampleOf = (payload: Buffer): Sample => {
  const asked: string[] = []
  return {
    payload,
    commitment: { scheme: 1, root: toRoot(hex(root(payload))), length: bytes(payload.length) },
    leaves: leafCount(payload.length),
    opening: (index) => ({
      index: leafIndex(index),
      leaf: leaf(payload, index),
      path: path(payload, index),
    }),
    source: (level, index) => {
      asked.push(`${level}/${index}`)
      return node(payload, level, Number(index))
    },
    asked,
  }
}

export const sample = (length: number, seed = length): Sample =>
  sampleOf(payloadBytes(seed, length))
