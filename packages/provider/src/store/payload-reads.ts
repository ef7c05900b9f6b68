/**
 * Reading sealed payloads: frames are checked on the read worker before a byte leaves, and a whole
 * payload can be verified against its checksums, its kept layers and its root.
 */
import {
  bytes,
  type CallOptions,
  HoldfastError,
  LEAF_BYTES,
  type LeafIndex,
  leafIndex,
  toNumber,
} from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import type { FrameLane } from './frame-pool.ts'
import type { FrameResult, FrameTask } from './frame-task.ts'
import type { ByteRange } from './ranges.ts'
import { FRAME_BYTES, layoutOf, type RecordTrailer } from './sector-format.ts'
import type { Damage } from './sector-store.ts'

/** A record and the file it lies in. */
export interface PlacedRecord {
  readonly path: string
  readonly offset: number
  readonly trailer: RecordTrailer
}

/** Who runs reading jobs. */
export interface FrameRunner {
  run(lane: FrameLane, task: FrameTask): Promise<FrameResult>
}

/** Frames per read job: 1 MiB. */
const FRAMES_PER_READ = 16

const firstLeaf = (frame: number): LeafIndex => leafIndex((frame * FRAME_BYTES) / LEAF_BYTES)

/** The checked bytes of a range that lies inside the payload. */
export async function* readChecked(
  frames: FrameRunner,
  record: PlacedRecord,
  range: ByteRange,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const start = toNumber(range.start)
  const end = toNumber(range.end)
  const last = Math.ceil(end / FRAME_BYTES)
  for (let first = Math.floor(start / FRAME_BYTES); first < last; first += FRAMES_PER_READ) {
    if (options.signal?.aborted) throw new HoldfastError({ code: 'ABORTED' })
    const count = Math.min(FRAMES_PER_READ, last - first)
    const data = await readFrames(frames, record, first, count)
    const base = first * FRAME_BYTES
    yield data.subarray(Math.max(start - base, 0), Math.min(end - base, data.length))
  }
}

const readFrames = async (
  frames: FrameRunner,
  { path, offset, trailer }: PlacedRecord,
  first: number,
  count: number,
): Promise<Uint8Array> => {
  const layout = layoutOf(offset, trailer)
  const result = await frames.run('read', {
    kind: 'read-frames',
    path,
    offset: layout.payload,
    length: toNumber(trailer.commitment.length),
    crcOffset: layout.frameCrcs,
    first,
    count,
  })
  if (result.ok && result.bytes !== undefined) return result.bytes
  const damage = damageOf(result, first)
  throw new HoldfastError({ code: 'PAYLOAD_CORRUPT', root: trailer.commitment.root, ...damage })
}

const damageOf = (result: FrameResult, first: number): Damage => {
  if (result.ok) return { leaf: firstLeaf(first), what: 'the read worker returned no bytes' }
  if (result.reason === 'damaged') return { leaf: firstLeaf(result.frame), what: result.what }
  return { leaf: firstLeaf(first), what: `cannot be read: ${result.what}` }
}

export interface VerifyDependencies {
  readonly frames: FrameRunner
  readonly prover: Pick<Prover, 'commitFile'>
}

/** Damage, and whether it is around the payload only: then a new record of the same bytes mends it. */
export type RecordDamage = Damage & { readonly payloadWhole?: true }

/** Frames per job: 64 MiB, so that no job keeps a thread for long. */
const FRAMES_PER_CHECK = 1024

const notVerifiable = (what: string): Damage => ({ leaf: leafIndex(0), what })

/** Reads everything of one record once per check; undefined when all is well. */
export const verifyRecord = async (
  { frames, prover }: VerifyDependencies,
  record: PlacedRecord,
  options: CallOptions = {},
): Promise<RecordDamage | undefined> => {
  const { path, offset, trailer } = record
  const layout = layoutOf(offset, trailer)
  const { commitment, framesCrc, layersCrc, layersBytes } = trailer
  const sums = { path, offset: layout.frameCrcs, length: 4 * layout.frames }
  const wanted = await frames.run('bulk', { kind: 'checksum', ...sums })
  if (!wanted.ok) return damageOf(wanted, 0)
  const found = await firstDamagedFrame(frames, record, options)
  if (found !== undefined) return found
  if (wanted.crc !== framesCrc) return notVerifiable('the frame checksums are damaged')
  const layers = { path, offset: layout.layers, length: toNumber(layersBytes) }
  const kept = await frames.run('bulk', { kind: 'checksum', ...layers })
  if (!kept.ok) return damageOf(kept, 0)
  if (kept.crc !== layersCrc) return notVerifiable('the kept layers are damaged')
  const run = { path, offset: bytes(layout.payload), length: commitment.length }
  const { root } = await prover.commitFile(run, { ...options, scheme: commitment.scheme })
  if (root !== commitment.root) {
    return notVerifiable(`the root is ${root}, not ${commitment.root}`)
  }
  const head = await frames.run('bulk', { kind: 'verify-head', path, offset, trailer })
  return head.ok ? undefined : { ...damageOf(head, 0), payloadWhole: true }
}

const firstDamagedFrame = async (
  frames: FrameRunner,
  { path, offset, trailer }: PlacedRecord,
  options: CallOptions,
): Promise<Damage | undefined> => {
  const layout = layoutOf(offset, trailer)
  const place = { path, offset: layout.payload, crcOffset: layout.frameCrcs }
  const length = toNumber(trailer.commitment.length)
  for (let first = 0; first < layout.frames; first += FRAMES_PER_CHECK) {
    if (options.signal?.aborted) throw new HoldfastError({ code: 'ABORTED' })
    const count = Math.min(FRAMES_PER_CHECK, layout.frames - first)
    const run = { ...place, length, first, count }
    const checked = await frames.run('bulk', { kind: 'verify-frames', ...run })
    if (!checked.ok) return damageOf(checked, first)
  }
  return undefined
}
