/** `--range a-b`: bytes of a file, both ends included, inside the file; `a-` goes to the end. */
import { type Bytes, HoldfastError } from '@holdfast/protocol'

export interface Span {
  readonly start: bigint
  /** Exclusive. */
  readonly end: bigint
}

/** The whole file without a flag. @throws HoldfastError `RANGE_INVALID`. */
export const parseRange = (text: string | undefined, size: Bytes): Span => {
  if (text === undefined) return { start: 0n, end: size }
  const match = /^(\d{1,16})-(\d{0,16})$/.exec(text)
  const invalid = (reason: string): HoldfastError =>
    new HoldfastError({ code: 'RANGE_INVALID', reason: `${text}: ${reason}` })
  if (match === null) throw invalid('not of the form a-b')
  const start = BigInt(match[1] ?? '')
  const last = match[2] === '' ? size - 1n : BigInt(match[2] ?? '')
  if (start > last) throw invalid(size === 0n ? 'the file is empty' : 'it ends before it begins')
  if (last >= size) throw invalid(`the file has ${size} bytes`)
  return { start, end: last + 1n }
}
