/**
 * Which blocks a CAR holds already and where: an open-addressing hash table in typed arrays, 24
 * bytes per place, so that millions of blocks cost tens of megabytes and no garbage.
 *
 * Keys are the first 128 bits of the digest. Two blocks that share them would need about 2^64 hash
 * evaluations by the publisher, who could only harm the own dataset.
 */
import type { CID } from 'multiformats/cid'

const GROW_AT = 0.7
const START_PLACES = 1 << 10

export class OffsetTable {
  #high = new BigUint64Array(START_PLACES)
  #low = new BigUint64Array(START_PLACES)
  /** Offset + 1; 0 marks a free place. */
  #offsets = new Float64Array(START_PLACES)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Notes where a block starts. False when it was there already; nothing changes then. */
  add(cid: CID, offset: number): boolean {
    if (this.#size >= this.#offsets.length * GROW_AT) this.#grow()
    const key = keyOf(cid)
    if (!this.#insert(key.high, key.low, offset + 1)) return false
    this.#size += 1
    return true
  }

  /** All entries as (first 64 bits of the digest, offset), sorted by both. */
  sorted(): { readonly keys: BigUint64Array; readonly offsets: Float64Array } {
    const order = new Uint32Array(this.#size)
    let count = 0
    for (let place = 0; place < this.#offsets.length; place++) {
      if (this.#offsets[place] !== 0) order[count++] = place
    }
    const high = this.#high
    const places = this.#offsets
    order.sort((a, b) => compare(high[a], high[b]) || (places[a] ?? 0) - (places[b] ?? 0))
    return {
      keys: BigUint64Array.from(order, (place) => high[place] ?? 0n),
      offsets: Float64Array.from(order, (place) => (places[place] ?? 0) - 1),
    }
  }

  #insert(high: bigint, low: bigint, mark: number): boolean {
    const mask = this.#offsets.length - 1
    let place = Number(high & 0xffffffffn) & mask
    while (this.#offsets[place] !== 0) {
      if (this.#high[place] === high && this.#low[place] === low) return false
      place = (place + 1) & mask
    }
    this.#high[place] = high
    this.#low[place] = low
    this.#offsets[place] = mark
    return true
  }

  #grow(): void {
    const [high, low, offsets] = [this.#high, this.#low, this.#offsets]
    const places = offsets.length * 2
    this.#high = new BigUint64Array(places)
    this.#low = new BigUint64Array(places)
    this.#offsets = new Float64Array(places)
    for (let place = 0; place < offsets.length; place++) {
      const mark = offsets[place] ?? 0
      if (mark !== 0) this.#insert(high[place] ?? 0n, low[place] ?? 0n, mark)
    }
  }
}

const compare = (a: bigint | undefined, b: bigint | undefined): number => {
  const x = a ?? 0n
  const y = b ?? 0n
  return x < y ? -1 : x > y ? 1 : 0
}

const keyOf = (cid: CID): { readonly high: bigint; readonly low: bigint } => {
  const { digest } = cid.multihash
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
  return { high: view.getBigUint64(0), low: view.getBigUint64(8) }
}

/** The key under which the index finds a block: the first 64 bits of its digest. */
export const indexKey = (cid: CID): bigint => keyOf(cid).high
