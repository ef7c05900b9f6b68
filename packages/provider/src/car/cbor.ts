/**
 * The links of a DAG-CBOR value: every tag 42, in the order of the bytes. Reads nothing else, builds no
 * values, and gives up on what is malformed or too deep.
 */

const DEPTH_MAX = 64
const TAG_LINK = 42

const MAJOR = { bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const

class Reader {
  readonly #bytes: Uint8Array
  readonly #onLink: (cid: Uint8Array) => void
  #at = 0

  constructor(bytes: Uint8Array, onLink: (cid: Uint8Array) => void) {
    this.#bytes = bytes
    this.#onLink = onLink
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length
  }

  /** Skips one value and reports the links in it. */
  value(depth = 0): void {
    if (depth > DEPTH_MAX) throw new RangeError('too deep')
    const first = this.#take(1)[0] ?? 0
    const major = first >> 5
    if (major === MAJOR.simple) return void this.#simple(first & 31)
    const argument = this.#argument(first & 31)
    if (major === MAJOR.bytes || major === MAJOR.text) return void this.#take(argument)
    if (major === MAJOR.tag) return void this.#tag(argument, depth)
    const values = major === MAJOR.array ? argument : major === MAJOR.map ? 2 * argument : 0
    // Each value has at least a byte: a count beyond what is left is a lie.
    if (values > this.#bytes.length - this.#at) throw new RangeError('too many')
    for (let i = 0; i < values; i++) this.value(depth + 1)
  }

  #simple(low: number): void {
    if (low === 24) this.#take(1)
    else if (low >= 25 && low <= 27) this.#take(2 ** (low - 24))
    else if (low > 27) throw new RangeError('indefinite')
  }

  #tag(tag: number, depth: number): void {
    if (tag !== TAG_LINK) return void this.value(depth + 1)
    const first = this.#take(1)[0] ?? 0
    if (first >> 5 !== MAJOR.bytes) throw new RangeError('a link is bytes')
    const cid = this.#take(this.#argument(first & 31))
    if (cid[0] !== 0) throw new RangeError('a link begins with zero')
    this.#onLink(cid.subarray(1))
  }

  #argument(low: number): number {
    if (low < 24) return low
    if (low > 27) throw new RangeError('indefinite')
    let value = 0
    for (const byte of this.#take(2 ** (low - 24))) value = value * 256 + byte
    return value
  }

  #take(count: number): Uint8Array {
    const end = this.#at + count
    if (end > this.#bytes.length) throw new RangeError('short')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}

/** Calls with the bytes of each CID; false when the value is malformed. */
export const cborLinks = (bytes: Uint8Array, onLink: (cid: Uint8Array) => void): boolean => {
  try {
    const reader = new Reader(bytes, onLink)
    reader.value()
    return reader.isDone
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
