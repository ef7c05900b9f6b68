/**
 * Bundles: what a provider has of a period, and single entries of it. Wire message to domain value and
 * back, every field checked. Whether an entry is right is for `verifyBundleEntry`.
 */
import { answerLength } from '../answer.ts'
import { BUNDLE_ENTRIES_MAX, BUNDLE_GLOBALS, isBundleCount } from '../bundle/entry.ts'
import type { BundleOpening } from '../bundle/verify.ts'
import {
  GetBundleEntriesRequestSchema,
  GetBundleEntriesResponseSchema,
  GetBundleRequestSchema,
  GetBundleResponseSchema,
} from '../generated/holdfast/provider/v1/provider_pb.ts'
import { depthFor, NODE_BYTES } from '../geometry.ts'
import { type DealId, fromHex, type Hash32 } from '../ids.ts'
import { SLOT_DEPTH_MAX } from '../sum-node.ts'
import type { Period } from '../units.ts'
import { type Codec, codec } from './codec.ts'
import { messageInvalid, readDeal, readHash, readInt, readList, readPeriod } from './fields.ts'

export interface GetBundleRequest {
  readonly period: Period
}

/** What a provider says of its own bundle; the ledger knows what was committed. */
export interface GetBundleResponse {
  readonly period: Period
  readonly root: Hash32
  readonly count: bigint
  /** Entries without an answer. */
  readonly absent: bigint
}

/** Which entries: all of a deal's, or those at 1 to 32 places. */
export type GetBundleEntriesRequest =
  | { readonly period: Period; readonly deal: DealId }
  | { readonly period: Period; readonly indices: readonly bigint[] }

export interface GetBundleEntriesResponse {
  /** In the order in which they were asked for; a deal's by their number. */
  readonly entries: readonly BundleOpening[]
}

/** Entries in one response. */
export const BUNDLE_ENTRIES_AT_ONCE = 32
/** The longest answer: 2^32 slots and 2^40 leaves. */
const ANSWER_BYTES_MAX: number = answerLength(SLOT_DEPTH_MAX, 1n << 40n)
const PATH_BYTES_MAX: number = depthFor(BUNDLE_ENTRIES_MAX) * NODE_BYTES
/** 32 of the longest answers with their paths, and room. */
const ENTRIES_MESSAGE_BYTES: number =
  BUNDLE_ENTRIES_AT_ONCE * (ANSWER_BYTES_MAX + PATH_BYTES_MAX + 64)

const readCount = (value: bigint): bigint => {
  if (isBundleCount(value)) return value
  throw messageInvalid('count', `${value} entries are not 460 and five per deal`)
}

export const getBundleRequest: Codec<GetBundleRequest> = codec({
  schema: GetBundleRequestSchema,
  toWire: (value: GetBundleRequest) => ({ period: value.period }),
  fromWire: (wire) => ({ period: readPeriod(wire.period, 'period') }),
})

export const getBundleResponse: Codec<GetBundleResponse> = codec({
  schema: GetBundleResponseSchema,
  toWire: (value: GetBundleResponse) => ({
    period: value.period,
    root: fromHex(value.root),
    count: value.count,
    absent: value.absent,
  }),
  fromWire: (wire) => ({
    period: readPeriod(wire.period, 'period'),
    root: readHash(wire.root, 'root'),
    count: readCount(wire.count),
    absent: readInt(wire.absent, 'absent', [0n, wire.count]),
  }),
})

const readIndices = (wire: readonly bigint[]): readonly bigint[] =>
  readList(wire, 'indices', BUNDLE_ENTRIES_AT_ONCE).map((index, i) =>
    readInt(index, `indices[${i}]`, [0n, BUNDLE_ENTRIES_MAX - 1n]),
  )

export const getBundleEntriesRequest: Codec<GetBundleEntriesRequest> = codec({
  schema: GetBundleEntriesRequestSchema,
  toWire: (value: GetBundleEntriesRequest) =>
    'deal' in value
      ? { period: value.period, deal: fromHex(value.deal) }
      : { period: value.period, indices: [...value.indices] },
  fromWire: (wire): GetBundleEntriesRequest => {
    const period = readPeriod(wire.period, 'period')
    if (wire.deal.length === 0 && wire.indices.length > 0) {
      return { period, indices: readIndices(wire.indices) }
    }
    if (wire.indices.length > 0) throw messageInvalid('indices', 'a deal is named as well')
    return { period, deal: readDeal(wire.deal, 'deal') }
  },
})

/** An entry of a bundle of `count`; its path has the one length that fits. */
const readEntry = (
  wire: { readonly index: bigint; readonly answer: Uint8Array; readonly path: Uint8Array },
  field: string,
  count: bigint,
): BundleOpening => {
  const index = readInt(wire.index, `${field}.index`, [0n, count - 1n])
  const { answer, path } = wire
  if (answer.length > ANSWER_BYTES_MAX) {
    throw messageInvalid(`${field}.answer`, `${answer.length} bytes, at most ${ANSWER_BYTES_MAX}`)
  }
  const expected = depthFor(count) * NODE_BYTES
  if (path.length !== expected) {
    throw messageInvalid(`${field}.path`, `${path.length} bytes instead of ${expected}`)
  }
  return { index, count, answer, path }
}

export const getBundleEntriesResponse: Codec<GetBundleEntriesResponse> = codec({
  schema: GetBundleEntriesResponseSchema,
  toWire: ({ entries }: GetBundleEntriesResponse) => ({
    count: entries[0]?.count ?? BUNDLE_GLOBALS,
    entries: entries.map(({ index, answer, path }) => ({ index, answer, path })),
  }),
  fromWire: (wire) => {
    const count = readCount(wire.count)
    const entries = readList(wire.entries, 'entries', BUNDLE_ENTRIES_AT_ONCE)
    return { entries: entries.map((entry, i) => readEntry(entry, `entries[${i}]`, count)) }
  },
  bytesMax: ENTRIES_MESSAGE_BYTES,
})
