/** A payload and the leaves wanted of it, in the plain form that crosses the thread border. */
import type { SchemeId } from '@holdfast/protocol'

/** A run of bytes in a file, as plain numbers. */
export interface RunOfFile {
  readonly path: string
  readonly offset: number
  readonly length: number
}

/** The openings of one payload that are asked for. */
export interface AnswerTaskJob {
  readonly scheme: SchemeId
  readonly root: Uint8Array
  readonly payload: RunOfFile
  readonly layers: RunOfFile
  readonly indices: readonly bigint[]
}
