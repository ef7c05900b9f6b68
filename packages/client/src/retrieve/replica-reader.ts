/**
 * Blocks of one replica by CID, each verified before it is returned. Blocks stand in the payload in
 * the order in which a reader wants them, so the section after the last one is tried first and the
 * index is asked only after a jump.
 */
import { type CallOptions, HoldfastError } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import { decodePrefix, PREFIX_LENGTH_MAX } from '../car/sections.ts'
import { verifyBlock } from '../unixfs/verify-block.ts'
import { openIndex } from './index-reader.ts'
import type { RangeSource } from './range-source.ts'
import type { SectionIndex } from './section-index.ts'
import { WindowReader } from './window-reader.ts'

export interface BlockGetter {
  /** A verified block. `sizeHint` is what its parent says about its length; it need not be right. */
  get(cid: CID, sizeHint?: number): Promise<Uint8Array>
}

const IDENTITY_CODE = 0x00

export class ReplicaReader implements BlockGetter {
  readonly #reader: WindowReader
  readonly #index: SectionIndex
  #next = -1

  private constructor(reader: WindowReader, index: SectionIndex) {
    this.#reader = reader
    this.#index = index
  }

  /** @throws HoldfastError `CAR_INVALID` and what the source throws. */
  static async open(source: RangeSource, options: CallOptions = {}): Promise<ReplicaReader> {
    const index = await openIndex(source, options)
    return new ReplicaReader(new WindowReader(source, options), index)
  }

  /** @throws HoldfastError `CID_MISMATCH` for wrong bytes, `PATH_NOT_FOUND` for a block not held. */
  async get(cid: CID, sizeHint = 0): Promise<Uint8Array> {
    if (cid.multihash.code === IDENTITY_CODE) return cid.multihash.digest
    if (this.#next >= 0 && this.#next < this.#index.blocksEnd) {
      const block = await this.#at(this.#next, cid, sizeHint)
      if (block !== undefined) return block
    }
    for (const offset of await this.#index.find(cid)) {
      const block = await this.#at(offset, cid, sizeHint)
      if (block !== undefined) return block
    }
    throw new HoldfastError({
      code: 'CID_MISMATCH',
      expected: cid.toString(),
      actual: 'nothing: the payload does not lead to this block',
    })
  }

  /** The block of the section at `offset`, verified; undefined when the section has another CID. */
  async #at(offset: number, cid: CID, sizeHint: number): Promise<Uint8Array | undefined> {
    if (offset < 0 || offset >= this.#reader.length) return undefined
    const head = await this.#reader.read(offset, offset + PREFIX_LENGTH_MAX + sizeHint)
    const prefix = quietly(() => decodePrefix(head))
    if (prefix === undefined || !prefix.cid.equals(cid)) return undefined
    const start = offset + prefix.prefixLength
    const end = start + prefix.blockLength
    const block =
      end - offset <= head.length
        ? head.subarray(prefix.prefixLength, end - offset)
        : await this.#reader.read(start, end)
    await verifyBlock(cid, block)
    this.#next = end
    return block
  }
}

/** A wrong guess lands in the middle of anything; that is no error. */
const quietly = <T>(act: () => T): T | undefined => {
  try {
    return act()
  } catch (error) {
    if (HoldfastError.is(error, 'CAR_INVALID')) return undefined
    throw error
  }
}
