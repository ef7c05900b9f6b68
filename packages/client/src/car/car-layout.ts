/**
 * Where every byte of a payload goes. A payload is a CARv1: a header with one root; the dataset's
 * blocks, each once, in the order in which the import yields them for the first time (depth first,
 * entries by name, children before parents, so the root is the last); then the index
 * (`car-index.ts`). The same dataset under the same profile gives the same bytes everywhere.
 */
import type { CID } from 'multiformats/cid'
import { indexSections, type Section } from './car-index.ts'
import { OffsetTable } from './offset-table.ts'
import { encodePrefix } from './sections.ts'

export class CarLayout {
  readonly #table = new OffsetTable()
  #length: number

  constructor(headerLength: number) {
    this.#length = headerLength
  }

  /** Bytes placed so far, header included. */
  get length(): number {
    return this.#length
  }

  /** Distinct blocks of the dataset. */
  get blocks(): number {
    return this.#table.size
  }

  /** The prefix of a block's section; undefined when the block is in the payload already. */
  place(cid: CID, blockLength: number): Uint8Array | undefined {
    if (!this.#table.add(cid, this.#length)) return undefined
    const prefix = encodePrefix(cid, blockLength)
    this.#length += prefix.length + blockLength
    return prefix
  }

  /** The index. Call once, after the last block. */
  *finish(): Generator<Section> {
    for (const section of indexSections(this.#table, this.#length)) {
      this.#length += section.prefix.length + section.block.length
      yield section
    }
  }
}
