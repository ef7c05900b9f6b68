/**
 * The range headers of HTTP, checked: `Content-Range` of a part that comes in, `Range` of a read.
 * Pure functions over strings.
 */
import { type Bytes, bytes, HoldfastError, smaller } from '@holdfast/protocol'
import type { ByteRange } from '../store/ranges.ts'

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'RANGE_INVALID', reason })

/** `bytes a-b/total`, b included. @throws HoldfastError `RANGE_INVALID`. */
export const parseContentRange = (
  header: string | undefined,
): ByteRange & { readonly total: Bytes } => {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(header ?? '')
  if (match === null) throw invalid('Content-Range is not bytes a-b/total')
  const [first = 0n, last = 0n, total = 0n] = match.slice(1).map(BigInt)
  if (last < first || last >= total) throw invalid(`${first}-${last} is not inside 0-${total}`)
  return { start: bytes(first), end: bytes(last + 1n), total: bytes(total) }
}

/** What a `Range` header asks of `length` bytes. */
export type AskedRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly range: ByteRange }
  | { readonly kind: 'unsatisfiable' }

/** Several ranges at once, and units other than bytes, are answered with the whole, as HTTP allows. */
export const parseRange = (header: string | undefined, length: Bytes): AskedRange => {
  const match = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header ?? '')
  const [, first = '', last = ''] = match ?? []
  if (match === null || (first === '' && last === '')) return { kind: 'whole' }
  if (first === '') return suffix(bytes(BigInt(last)), length)
  const start = bytes(BigInt(first))
  if (start >= length) return { kind: 'unsatisfiable' }
  const end = last === '' ? length : smaller(bytes(BigInt(last) + 1n), length)
  return end <= start ? { kind: 'whole' } : { kind: 'part', range: { start, end } }
}

const suffix = (wanted: Bytes, length: Bytes): AskedRange => {
  if (wanted === 0n) return { kind: 'unsatisfiable' }
  const start = bytes(wanted >= length ? 0n : length - wanted)
  return { kind: 'part', range: { start, end: length } }
}
