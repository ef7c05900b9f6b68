/**
 * Walks the lengths inside a CAR stream before a parser sees the bytes: a header above 32 KiB, a
 * section above 4 MiB or an end inside a block is refused before it can cost memory. CARv1, and the
 * CARv1 inside a CARv2 (what stands behind it, an index, is passed through unread).
 */
import { HoldfastError } from '@holdfast/protocol'
import { HEADER_LENGTH_MAX, SECTION_LENGTH_MAX } from './sections.ts'
import { readVarint, VARINT_LENGTH_MAX } from './varint.ts'

const CARV2_PRAGMA = Uint8Array.of(10, 0xa1, 0x67, 0x76, 0x65, 0x72, 0x73, 0x69, 0x6f, 0x6e, 2)
/** Pragma, characteristics 16, then little endian: data offset 8, data size 8, index offset 8. */
const CARV2_START = 51

/** @throws HoldfastError `CAR_INVALID`. */
export async function* guardCar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const guard = new LengthGuard()
  for await (const chunk of source) {
    guard.see(chunk)
    yield chunk
  }
  guard.end()
}

class LengthGuard {
  #state: 'pragma' | 'header' | 'sections' | 'behind' = 'pragma'
  /** Bytes of the current unit still to come. */
  #skip = 0
  /** The start of a unit that is split over chunks. */
  #held: Uint8Array = new Uint8Array()
  /** Bytes of the inner CARv1 still to come; unbounded for a plain CARv1. */
  #left = Number.POSITIVE_INFINITY

  see(chunk: Uint8Array): void {
    let rest = chunk
    while (rest.length > 0 && this.#state !== 'behind') {
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, rest.length)
        this.#skip -= taken
        rest = rest.subarray(taken)
      } else {
        rest = this.#unit(rest)
      }
      if (this.#skip === 0 && this.#left === 0) this.#state = 'behind'
    }
  }

  end(): void {
    if (this.#state === 'behind') return
    if (this.#state !== 'sections' || this.#skip > 0 || this.#held.length > 0) {
      throw new HoldfastError({ code: 'CAR_INVALID', reason: 'it ends inside a block' })
    }
  }

  /** Looks at the start of a unit; returns what is left to walk. */
  #unit(rest: Uint8Array): Uint8Array {
    const data = Buffer.concat([this.#held, rest])
    this.#held = new Uint8Array()
    if (this.#state === 'pragma') {
      if (data.length < CARV2_PRAGMA.length) return this.#hold(data)
      if (CARV2_PRAGMA.every((byte, i) => data[i] === byte)) return this.#carV2(data)
      this.#state = 'header'
    }
    const length = readVarint(data.subarray(0, VARINT_LENGTH_MAX + 1), 0)
    if (length === undefined) return this.#hold(data)
    const header = this.#state === 'header'
    const limit = header ? HEADER_LENGTH_MAX : SECTION_LENGTH_MAX
    if (length.value === 0 || length.value > limit || length.end + length.value > this.#left) {
      const what = header ? 'header' : 'section'
      const reason = `a ${what} of ${length.value} bytes (at most ${Math.min(limit, this.#left)})`
      throw new HoldfastError({ code: 'CAR_INVALID', reason })
    }
    this.#state = 'sections'
    this.#skip = length.value
    this.#left -= length.end + length.value
    return data.subarray(length.end)
  }

  #carV2(data: Uint8Array): Uint8Array {
    if (data.length < CARV2_START) return this.#hold(data)
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const dataOffset = Number(view.getBigUint64(27, true))
    if (dataOffset < CARV2_START || !Number.isSafeInteger(dataOffset)) {
      throw new HoldfastError({ code: 'CAR_INVALID', reason: `data at offset ${dataOffset}` })
    }
    this.#left = Number(view.getBigUint64(35, true))
    this.#skip = dataOffset - CARV2_START
    this.#state = 'header'
    return data.subarray(CARV2_START)
  }

  #hold(data: Uint8Array): Uint8Array {
    this.#held = Uint8Array.from(data)
    return new Uint8Array()
  }
}
