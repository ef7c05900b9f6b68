/**
 * Where things stand in a bundle's file, and its head. All numbers big-endian.
 *
 *   head     256 bytes, written last: a file without it is no bundle
 *   deals    32 bytes per deal, by rank (docs/spec/bundles.md, section 1)
 *   sorted   4 bytes per deal: ranks in ascending order of their deals' ids, to find one
 *   places   12 bytes per entry: offset in the file u64, length u32; length 0 when absent
 *   nodes    every level of the bundle's tree, entries first, 32 bytes each, no zero nodes
 *   answers  in bundle order, each at its place; room of absent ones is left empty
 *
 * Everything but the answers has its place from the number of deals alone. Nothing of it is trusted:
 * answers and nodes are checked up to the root, and the root stands in the head, under a checksum.
 */
import type { Engine } from '@holdfast/native'
import {
  address,
  BUNDLE_GLOBALS,
  BUNDLE_PER_DEAL,
  bytesUint,
  type ChallengeContext,
  concatBytes,
  depthFor,
  fromHex,
  type Hash32,
  hash32,
  NODE_BYTES,
  period,
  toHex,
  toNumber,
  uintBytes,
} from '@holdfast/protocol'

export const HEAD_BYTES = 256
export const PLACE_BYTES = 12
const RANK_BYTES = 4
const VERSION = 1n
const MAGIC = new TextEncoder().encode('HFBUNDLE')
const SUM_AT = HEAD_BYTES - 4

export const GLOBALS: number = Number(BUNDLE_GLOBALS)
export const PER_DEAL: number = Number(BUNDLE_PER_DEAL)

/** Offsets in bytes from the start of the file. */
export interface BundleLayout {
  readonly deals: number
  /** Entries. */
  readonly count: number
  /** Levels of the bundle's tree above its entries. */
  readonly depth: number
  readonly dealsAt: number
  readonly sortedAt: number
  readonly placesAt: number
  /** Where each level's nodes start, entries first, the single top last. */
  readonly nodesAt: readonly number[]
  /** How many nodes each level has. */
  readonly nodes: readonly number[]
  readonly answersAt: number
}

export const bundleLayout = (deals: number): BundleLayout => {
  const count = GLOBALS + PER_DEAL * deals
  const depth = depthFor(BigInt(count))
  const dealsAt = HEAD_BYTES
  const sortedAt = dealsAt + deals * NODE_BYTES
  const placesAt = sortedAt + deals * RANK_BYTES
  let at = placesAt + count * PLACE_BYTES
  const nodes = Array.from({ length: depth + 1 }, (_, level) => Math.ceil(count / 2 ** level))
  const nodesAt = nodes.map((width) => {
    const start = at
    at += width * NODE_BYTES
    return start
  })
  return { deals, count, depth, dealsAt, sortedAt, placesAt, nodesAt, nodes, answersAt: at }
}

/** What a bundle's head says. */
export interface BundleHead {
  readonly deals: number
  readonly absent: number
  /** Bytes of the whole file. */
  readonly length: number
  readonly root: Hash32
  readonly context: ChallengeContext
}

export const encodeHead = (engine: Engine, head: BundleHead): Uint8Array => {
  const out = new Uint8Array(HEAD_BYTES)
  const { context } = head
  out.set(
    concatBytes(
      MAGIC,
      uintBytes(VERSION, 8),
      uintBytes(BigInt(head.deals), 8),
      uintBytes(BigInt(head.absent), 8),
      uintBytes(BigInt(head.length), 8),
      fromHex(head.root),
      uintBytes(context.chainId, 32),
      fromHex(context.proofs),
      fromHex(context.provider),
      uintBytes(context.period, 8),
      fromHex(context.seed),
    ),
  )
  out.set(uintBytes(BigInt(engine.crc32c(0, out.subarray(0, SUM_AT))), 4), SUM_AT)
  return out
}

/** The head, or why these bytes are none. */
export const decodeHead = (engine: Engine, data: Uint8Array): BundleHead | string => {
  if (data.length < HEAD_BYTES) return `the file ends after ${data.length} bytes`
  if (MAGIC.some((byte, at) => data[at] !== byte)) return 'this is not a bundle'
  const sum = bytesUint(data.subarray(SUM_AT, HEAD_BYTES))
  const actual = BigInt(engine.crc32c(0, data.subarray(0, SUM_AT)))
  if (sum !== actual) return `the head's checksum is ${actual}, ${sum} was written`
  let at = MAGIC.length
  const take = (width: number): Uint8Array => {
    at += width
    return data.subarray(at - width, at)
  }
  const version = bytesUint(take(8))
  if (version !== VERSION) return `a bundle of format ${version}; this program knows ${VERSION}`
  return {
    deals: toNumber(bytesUint(take(8))),
    absent: toNumber(bytesUint(take(8))),
    length: toNumber(bytesUint(take(8))),
    root: hash32(toHex(take(32))),
    context: {
      chainId: bytesUint(take(32)),
      proofs: address(toHex(take(20))),
      provider: address(toHex(take(20))),
      period: period(bytesUint(take(8))),
      seed: hash32(toHex(take(32))),
    },
  }
}

/** A row of the places. */
export const placeRow = (offset: number, length: number): Uint8Array =>
  concatBytes(uintBytes(BigInt(offset), 8), uintBytes(BigInt(length), 4))

export const readPlace = (
  row: Uint8Array,
): { readonly offset: number; readonly length: number } => ({
  offset: Number(bytesUint(row.subarray(0, 8))),
  length: Number(bytesUint(row.subarray(8, PLACE_BYTES))),
})
