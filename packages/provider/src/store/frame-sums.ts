/**
 * The CRC-32C of every 64 KiB frame of a payload, taken from the bytes as they pass on their way to
 * the disk, so that nothing has to be read again to seal it. Writes may come in any order and at any
 * place; a frame that did not pass in order is simply not known and is read at the end.
 */
import type { Checksum } from '@holdfast/prover'
import { FRAME_BYTES } from './sector-format.ts'

export interface PreparedFrames {
  /** The checksum over the frames' checksums. */
  readonly framesCrc: number
  /** Whether some of those were taken from what lies on the disk, not from the bytes as they came. */
  readonly readBack: boolean
}

interface Begun {
  readonly end: number
  readonly crc: number
}

export class FrameSums {
  readonly #checksum: Checksum
  readonly #length: number
  /** Little-endian, as on disk. */
  readonly #crcs: DataView<ArrayBuffer>
  readonly #known: Uint8Array
  /** Frames whose first bytes have passed. */
  readonly #begun = new Map<number, Begun>()

  /** For a payload of `length` bytes. */
  constructor(checksum: Checksum, length: number) {
    const frames = Math.ceil(length / FRAME_BYTES)
    this.#checksum = checksum
    this.#length = length
    this.#crcs = new DataView(new ArrayBuffer(4 * frames))
    this.#known = new Uint8Array(frames)
  }

  /** Takes in bytes that are being written at an offset of the payload. */
  pass(offset: number, data: Uint8Array): void {
    let at = offset
    const end = offset + data.length
    while (at < end) {
      const frame = Math.floor(at / FRAME_BYTES)
      const upTo = Math.min(end, (frame + 1) * FRAME_BYTES)
      this.#passFrame(frame, at, data.subarray(at - offset, upTo - offset))
      at = upTo
    }
  }

  /** The first frame at or after `from` whose checksum is not known. */
  unknownFrom(from: number): number | undefined {
    const frame = this.#known.indexOf(0, from)
    return frame === -1 ? undefined : frame
  }

  /** The array as it stands on disk: four bytes for each frame, a megabyte for each 16 GiB. Not a copy. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#crcs.buffer)
  }

  #passFrame(frame: number, at: number, data: Uint8Array): void {
    const start = frame * FRAME_BYTES
    const whole = Math.min(this.#length, start + FRAME_BYTES)
    const begun = this.#begun.get(frame)
    this.#known[frame] = 0
    this.#begun.delete(frame)
    if (at !== start && begun?.end !== at) return
    const crc = this.#checksum(data, at === start ? 0 : (begun?.crc ?? 0))
    const end = at + data.length
    if (end < whole) this.#begun.set(frame, { end, crc })
    else {
      this.#crcs.setUint32(4 * frame, crc, true)
      this.#known[frame] = 1
    }
  }
}
