/**
 * What a frame worker does with bytes on disk: checksum them, copy them, read them checked. Pure
 * synchronous functions over file names, callable on any thread (tests call them directly); results
 * are data, an error of the file system is a result too. Memory: one 1 MiB buffer per call.
 */
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs'
import { crc32c } from './crc32c.ts'
import { FRAME_BYTES } from './sector-format.ts'

const CHUNK_BYTES = 16 * FRAME_BYTES

/** The closed set of jobs. Offsets are from the start of a file. */
export type FrameTask =
  /** Writes the CRC of every 64 KiB frame of the payload to `crcOffset`. */
  | {
      readonly kind: 'checksum-frames'
      readonly path: string
      readonly offset: number
      readonly length: number
      readonly crcOffset: number
    }
  | {
      readonly kind: 'checksum'
      readonly path: string
      readonly offset: number
      readonly length: number
    }
  /** Copies a run of bytes into another file and makes it durable there. */
  | {
      readonly kind: 'copy'
      readonly from: string
      readonly fromOffset: number
      readonly to: string
      readonly toOffset: number
      readonly length: number
    }
  /** Reads `count` frames from `first` on and checks each. */
  | {
      readonly kind: 'read-frames'
      readonly path: string
      readonly offset: number
      readonly length: number
      readonly crcOffset: number
      readonly first: number
      readonly count: number
    }
  /** Checks every frame of a payload. */
  | {
      readonly kind: 'verify-frames'
      readonly path: string
      readonly offset: number
      readonly length: number
      readonly crcOffset: number
      readonly framesCrc: number
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

/** Does one job. Never throws for what the disk says. */
export const runFrameTask = (task: FrameTask): FrameResult => {
  try {
    switch (task.kind) {
      case 'checksum-frames':
        return checksumFrames(task)
      case 'checksum':
        return checksum(task)
      case 'copy':
        return copy(task)
      case 'read-frames':
        return readFrames(task)
      case 'verify-frames':
        return verifyFrames(task)
    }
  } catch (error) {
    const errno = errnoOf(error)
    return { ok: false, reason: 'io', errno, what: error instanceof Error ? error.message : errno }
  }
}

const errnoOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNKNOWN'

const withFile = <T>(path: string, flags: string, use: (fd: number) => T): T => {
  const fd = openSync(path, flags)
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}

/** Fills `buffer` from `offset`; a short file is an error like any other. */
const readFully = (fd: number, buffer: Uint8Array, offset: number): void => {
  let done = 0
  while (done < buffer.length) {
    const count = readSync(fd, buffer, done, buffer.length - done, offset + done)
    if (count === 0) {
      throw Object.assign(new Error(`the file ends before byte ${offset + buffer.length}`), {
        code: 'SHORT_FILE',
      })
    }
    done += count
  }
}

const writeFully = (fd: number, buffer: Uint8Array, offset: number): void => {
  let done = 0
  while (done < buffer.length) {
    done += writeSync(fd, buffer, done, buffer.length - done, offset + done)
  }
}

/** Calls `each` with consecutive chunks of a run of bytes; the buffer is reused. */
const eachChunk = (
  fd: number,
  run: { readonly offset: number; readonly length: number },
  each: (chunk: Uint8Array, at: number) => void,
): void => {
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(run.length, 1)))
  for (let at = 0; at < run.length; at += CHUNK_BYTES) {
    const chunk = buffer.subarray(0, Math.min(CHUNK_BYTES, run.length - at))
    readFully(fd, chunk, run.offset + at)
    each(chunk, at)
  }
}

const frameCrcs = (chunk: Uint8Array): Uint8Array => {
  const crcs = new Uint8Array(4 * Math.ceil(chunk.length / FRAME_BYTES))
  const out = new DataView(crcs.buffer)
  for (let at = 0, i = 0; at < chunk.length; at += FRAME_BYTES, i += 4) {
    out.setUint32(i, crc32c(chunk.subarray(at, at + FRAME_BYTES)), true)
  }
  return crcs
}

const checksumFrames = (task: Extract<FrameTask, { kind: 'checksum-frames' }>): FrameResult =>
  withFile(task.path, 'r+', (fd) => {
    let crc = 0
    eachChunk(fd, task, (chunk, at) => {
      const crcs = frameCrcs(chunk)
      writeFully(fd, crcs, task.crcOffset + 4 * (at / FRAME_BYTES))
      crc = crc32c(crcs, crc)
    })
    return { ok: true, crc }
  })

const checksum = (task: Extract<FrameTask, { kind: 'checksum' }>): FrameResult =>
  withFile(task.path, 'r', (fd) => {
    let crc = 0
    eachChunk(fd, task, (chunk) => {
      crc = crc32c(chunk, crc)
    })
    return { ok: true, crc }
  })

const copy = (task: Extract<FrameTask, { kind: 'copy' }>): FrameResult =>
  withFile(task.from, 'r', (from) =>
    withFile(task.to, 'r+', (to) => {
      eachChunk(from, { offset: task.fromOffset, length: task.length }, (chunk, at) => {
        writeFully(to, chunk, task.toOffset + at)
      })
      fdatasyncSync(to)
      return { ok: true, crc: 0 }
    }),
  )

const readFrames = (task: Extract<FrameTask, { kind: 'read-frames' }>): FrameResult =>
  withFile(task.path, 'r', (fd) => {
    const start = task.first * FRAME_BYTES
    const end = Math.min(task.length, start + task.count * FRAME_BYTES)
    const data = new Uint8Array(end - start)
    const wanted = new Uint8Array(4 * Math.ceil(data.length / FRAME_BYTES))
    readFully(fd, data, task.offset + start)
    readFully(fd, wanted, task.crcOffset + 4 * task.first)
    const bad = firstDifference(frameCrcs(data), wanted)
    return bad === undefined ? { ok: true, crc: 0, bytes: data } : damaged(task.first + bad)
  })

const verifyFrames = (task: Extract<FrameTask, { kind: 'verify-frames' }>): FrameResult =>
  withFile(task.path, 'r', (fd) => {
    let bad: number | undefined
    let crc = 0
    eachChunk(fd, task, (chunk, at) => {
      const actual = frameCrcs(chunk)
      const wanted = new Uint8Array(actual.length)
      const first = at / FRAME_BYTES
      readFully(fd, wanted, task.crcOffset + 4 * first)
      crc = crc32c(wanted, crc)
      const difference = firstDifference(actual, wanted)
      if (bad === undefined && difference !== undefined) bad = first + difference
    })
    if (bad !== undefined) return damaged(bad)
    if (crc === task.framesCrc) return { ok: true, crc }
    return { ok: false, reason: 'damaged', frame: 0, what: 'the frame checksums are damaged' }
  })

const damaged = (frame: number): FrameResult => ({
  ok: false,
  reason: 'damaged',
  frame,
  what: `frame ${frame} does not match its checksum`,
})

/** The index of the first four-byte word in which two equally long arrays differ. */
const firstDifference = (a: Uint8Array, b: Uint8Array): number | undefined => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i >>> 2
  return undefined
}
