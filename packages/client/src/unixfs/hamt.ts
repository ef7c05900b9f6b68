/**
 * The arithmetic of UnixFS HAMT directories, shared by the builder and the reader: fanout 256, so
 * each level consumes one byte of the first 64 bits of murmur3-x64-128 of the name.
 * Source: UnixFS specification, "HAMT structure and parameters".
 */
import { murmur3128 } from '@multiformats/murmur3'

export const HAMT_FANOUT = 256
/** The multihash code of the hash that places names. */
export const HAMT_HASH_CODE = 0x22n
/** After eight levels the 64 bits are used up; two names that share all of them cannot be placed. */
export const HAMT_DEPTH_MAX = 8

const encoder = new TextEncoder()

/** The slot of a name at each level. */
export const hamtSlots = (name: string): Uint8Array => {
  const hash = murmur3128.encode(encoder.encode(name))
  if (hash instanceof Promise) throw new TypeError('murmur3 is synchronous')
  return hash.subarray(0, HAMT_DEPTH_MAX)
}

const LABELS = Array.from({ length: HAMT_FANOUT }, (_, slot) =>
  slot.toString(16).toUpperCase().padStart(2, '0'),
)

/** The two capital hex digits before a name, or alone before a deeper shard. */
export const slotLabel = (slot: number): string => LABELS[slot] ?? ''

/** Which slots are taken: a big-endian number without leading zero bytes. */
export const slotBitfield = (slots: Iterable<number>): Uint8Array => {
  const field = new Uint8Array(HAMT_FANOUT / 8)
  for (const slot of slots) {
    const at = field.length - 1 - (slot >> 3)
    field[at] = (field[at] ?? 0) | (1 << (slot & 7))
  }
  const first = field.findIndex((byte) => byte !== 0)
  return first === -1 ? new Uint8Array() : field.slice(first)
}
