/** Where a payload lies on disk and what it must be: what every reading of it starts from. */
import type { Bytes, Commitment } from '@holdfast/protocol'

/** A run of bytes inside a file: what workers open for themselves. */
export interface FileRange {
  readonly path: string
  readonly offset: Bytes
  readonly length: Bytes
}

/** A payload with its kept layers, and what both must lead to. */
export interface KeptPayload {
  readonly payload: FileRange
  /** Kept layers as `commit` wrote them. */
  readonly layers: FileRange
  readonly commitment: Commitment
}
