/** How sections of a payload are found by CID: a hint, checked by whoever follows it. */
import type { CallOptions } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'

export interface SectionIndex {
  /** Where the dataset's blocks end. */
  readonly blocksEnd: number
  /** Offsets of sections that may hold the block; usually one. */
  find(cid: CID, options?: CallOptions): Promise<readonly number[]>
}
