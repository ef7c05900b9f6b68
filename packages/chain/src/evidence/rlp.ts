/**
 * Reads RLP, the encoding of the chain's headers and tries: strictly, so that one value has one form.
 * Bounded by the length of its input: nothing is allocated that the input does not hold.
 */
import { HoldfastError } from '@holdfast/protocol'

export type RlpItem = Uint8Array | readonly RlpItem[]

/** Headers are lists of strings, nodes of tries hold at most one list more. */
const DEPTH_MAX = 4

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROOF_INVALID', reason: `RLP: ${reason}` })

interface Head {
  readonly isList: boolean
  /** Where the payload starts and ends. */
  readonly from: number
  readonly to: number
}

const longHead = (data: Uint8Array, at: number, isList: boolean, width: number): Head => {
  let length = 0
  for (let i = 1; i <= width; i++) length = length * 256 + (data[at + i] ?? Number.NaN)
  const from = at + 1 + width
  if (Number.isNaN(length) || width > 4 || data[at + 1] === 0 || length < 56) {
    throw invalid('a length in a form that is not the shortest')
  }
  return { isList, from, to: from + length }
}

const headAt = (data: Uint8Array, at: number): Head => {
  const first = data[at]
  if (first === undefined) throw invalid('it ends where a value should start')
  if (first < 0x80) return { isList: false, from: at, to: at + 1 }
  if (first < 0xb8) return { isList: false, from: at + 1, to: at + 1 + first - 0x80 }
  if (first < 0xc0) return longHead(data, at, false, first - 0xb7)
  if (first < 0xf8) return { isList: true, from: at + 1, to: at + 1 + first - 0xc0 }
  return longHead(data, at, true, first - 0xf7)
}

const itemAt = (
  data: Uint8Array,
  at: number,
  depth: number,
): { readonly item: RlpItem; readonly end: number } => {
  const { isList, from, to } = headAt(data, at)
  if (to > data.length) throw invalid('a value is longer than what holds it')
  if (!isList) {
    const item = data.subarray(from, to)
    if (item.length === 1 && from !== at && (item[0] ?? 0) < 0x80) {
      throw invalid('a single byte in a form that is not the shortest')
    }
    return { item, end: to }
  }
  if (depth >= DEPTH_MAX) throw invalid('lists in lists, too deep')
  const whole = data.subarray(0, to)
  const items: RlpItem[] = []
  for (let next = from; next < to; ) {
    const { item, end } = itemAt(whole, next, depth + 1)
    items.push(item)
    next = end
  }
  return { item: items, end: to }
}

/** @throws HoldfastError `PROOF_INVALID` for anything but one whole value in its shortest form. */
export const decodeRlp = (data: Uint8Array): RlpItem => {
  const { item, end } = itemAt(data, 0, 0)
  if (end !== data.length) throw invalid('bytes after the value')
  return item
}

/** @throws HoldfastError `PROOF_INVALID` when it is not a list. */
export const listOf = (item: RlpItem | undefined): readonly RlpItem[] => {
  if (item === undefined || item instanceof Uint8Array) throw invalid('a list is missing')
  return item
}

/** @throws HoldfastError `PROOF_INVALID` when it is not a string of at most `max` bytes. */
export const bytesOf = (item: RlpItem | undefined, max: number): Uint8Array => {
  if (item instanceof Uint8Array && item.length <= max) return item
  throw invalid('a string is missing or too long')
}
