/** An index for a CARv1 that brings none: its section lengths are walked once, its blocks skipped. */
import { type CallOptions, HoldfastError } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import { stopIfAborted } from '../abort.ts'
import { indexKey } from '../car/offset-table.ts'
import { decodePrefix, HEADER_LENGTH_MAX, PREFIX_LENGTH_MAX } from '../car/sections.ts'
import { readVarint, VARINT_LENGTH_MAX } from '../car/varint.ts'
import type { SectionIndex } from './section-index.ts'
import type { WindowReader } from './window-reader.ts'

/** More than any dataset that was packed without an index; bounds memory. */
const SECTIONS_MAX = 4_000_000

/** @throws HoldfastError `CAR_INVALID`. */
export const scanSections = async (
  reader: WindowReader,
  { signal }: CallOptions,
): Promise<SectionIndex> => {
  const offsets = new Map<bigint, number[]>()
  let at = await headerEnd(reader)
  let count = 0
  while (at < reader.length) {
    stopIfAborted(signal)
    const prefix = decodePrefix(await reader.read(at, at + PREFIX_LENGTH_MAX))
    if (prefix === undefined) throw invalid('it ends inside a section')
    const key = indexKey(prefix.cid)
    const known = offsets.get(key)
    if (known === undefined) offsets.set(key, [at])
    else known.push(at)
    at += prefix.prefixLength + prefix.blockLength
    count += 1
    if (count > SECTIONS_MAX) throw invalid(`more than ${SECTIONS_MAX} sections and no index`)
  }
  if (at !== reader.length) throw invalid('it ends inside a block')
  return { blocksEnd: at, find: async (cid: CID) => offsets.get(indexKey(cid)) ?? [] }
}

const headerEnd = async (reader: WindowReader): Promise<number> => {
  const length = readVarint(await reader.read(0, VARINT_LENGTH_MAX + 1), 0)
  if (length === undefined || length.value === 0 || length.value > HEADER_LENGTH_MAX) {
    throw invalid('it has no header')
  }
  return length.end + length.value
}

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'CAR_INVALID', reason })
