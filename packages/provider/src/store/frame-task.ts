/**
 * What a reading thread does with bytes on disk: read frames checked, check them, sum them. Pure
 * synchronous functions over a disk; results are data, an error of the file system is a result too.
 */
import type { Checksum } from '@holdfast/prover'
import { type Disk, readFully, withFile } from './disk.ts'
import { errnoOf } from './disk-errors.ts'
import { FRAME_BYTES, layoutOf, type RecordTrailer } from './sector-format.ts'
import { readHeader, readSuperblock, readTrailer } from './sector-scan.ts'

/** Frames of one payload, with their checksums. Offsets are from the start of the file. */
interface FrameRun {
  readonly path: string
  readonly offset: number
  /** Bytes of the payload. */
  readonly length: number
  readonly crcOffset: number
  readonly first: number
  readonly count: number
}

/** The closed set of jobs. */
export type FrameTask =
  /** Reads frames and checks each. */
  | ({ readonly kind: 'read-frames' } & FrameRun)
  /** Checks frames. */
  | ({ readonly kind: 'verify-frames' } & FrameRun)
  /** The CRC of a run of bytes. */
  | {
      readonly kind: 'checksum'
      readonly path: string
      readonly offset: number
      readonly length: number
    }
  /** Whether header, trailer and superblocks still say what is known of a record. */
  | {
      readonly kind: 'verify-head'
      readonly path: string
      readonly offset: number
      readonly trailer: RecordTrailer
    }

export type FrameResult =
  | { readonly ok: true; readonly crc: number; readonly bytes?: Uint8Array<ArrayBuffer> }
  /** A frame whose bytes do not match its checksum. */
  | {
      readonly ok: false
      readonly reason: 'damaged'
      readonly frame: number
      readonly what: string
    }
  | { readonly ok: false; readonly reason: 'io'; readonly errno: string; readonly what: string }

export interface FrameTools {
  readonly disk: Disk
  readonly checksum: Checksum
}

/** Does one job. Never throws for what the disk says. */
export const runFrameTask = (tools: FrameTools, task: FrameTask): FrameResult => {
  try {
    switch (task.kind) {
      case 'read-frames':
        return readFrames(tools, task)
      case 'verify-frames':
        return verifyFrames(tools, task)
      case 'checksum':
        return checksumRun(tools, task)
      case 'verify-head':
        return verifyHead(tools, task)
    }
  } catch (error) {
    const errno = errnoOf(error)
    return { ok: false, reason: 'io', errno, what: error instanceof Error ? error.message : errno }
  }
}

const CHUNK_BYTES = 16 * FRAME_BYTES

const readFrames = ({ disk, checksum }: FrameTools, run: FrameRun): FrameResult =>
  withFile(disk, run.path, 'read', (file) => {
    const start = run.first * FRAME_BYTES
    const end = Math.min(run.length, start + run.count * FRAME_BYTES)
    const bytes = new Uint8Array(end - start)
    const wanted = new Uint8Array(4 * Math.ceil(bytes.length / FRAME_BYTES))
    readFully(disk, file, bytes, run.offset + start)
    readFully(disk, file, wanted, run.crcOffset + 4 * run.first)
    const bad = firstBad(checksum, bytes, wanted)
    return bad === undefined ? { ok: true, crc: 0, bytes } : damaged(run.first + bad)
  })

const verifyFrames = (tools: FrameTools, run: FrameRun): FrameResult => {
  for (let first = run.first; first < run.first + run.count; first += 16) {
    const count = Math.min(16, run.first + run.count - first)
    const result = readFrames(tools, { ...run, first, count })
    if (!result.ok) return result
  }
  return { ok: true, crc: 0 }
}

/** The first frame whose checksum is not the wanted one. */
const firstBad = (
  checksum: Checksum,
  bytes: Uint8Array,
  wanted: Uint8Array<ArrayBuffer>,
): number | undefined => {
  const view = new DataView(wanted.buffer)
  for (let at = 0, frame = 0; at < bytes.length; at += FRAME_BYTES, frame++) {
    const actual = checksum(bytes.subarray(at, at + FRAME_BYTES))
    if (actual !== view.getUint32(4 * frame, true)) return frame
  }
  return undefined
}

const checksumRun = (
  { disk, checksum }: FrameTools,
  run: Extract<FrameTask, { kind: 'checksum' }>,
): FrameResult =>
  withFile(disk, run.path, 'read', (file) => {
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(run.length, 1)))
    let crc = 0
    for (let at = 0; at < run.length; at += CHUNK_BYTES) {
      const chunk = buffer.subarray(0, Math.min(CHUNK_BYTES, run.length - at))
      readFully(disk, file, chunk, run.offset + at)
      crc = checksum(chunk, crc)
    }
    return { ok: true, crc }
  })

const verifyHead = (
  { disk }: FrameTools,
  { path, offset, trailer }: Extract<FrameTask, { kind: 'verify-head' }>,
): FrameResult =>
  withFile(disk, path, 'read', (file) => {
    const superblock = readSuperblock(disk, file, path)
    const header = superblock && readHeader(disk, file, offset, superblock.salt)
    const layout = header && layoutOf(offset, header)
    const found = header && layout && readTrailer(disk, file, header, layout)
    if (found !== undefined && sameTrailer(found, trailer)) return { ok: true, crc: 0 }
    return { ok: false, reason: 'damaged', frame: 0, what: 'the header or trailer is damaged' }
  })

const sameTrailer = (a: RecordTrailer, b: RecordTrailer): boolean =>
  a.sequence === b.sequence &&
  a.commitment.root === b.commitment.root &&
  a.commitment.length === b.commitment.length &&
  a.layersBytes === b.layersBytes &&
  a.framesCrc === b.framesCrc &&
  a.layersCrc === b.layersCrc

const damaged = (frame: number): FrameResult => ({
  ok: false,
  reason: 'damaged',
  frame,
  what: `frame ${frame} does not match its checksum`,
})
