/**
 * Receiving one part: bytes as they come, gathered to 1 MiB, written where they belong, skipping
 * what is durable already. Knows nothing of sessions, HTTP or files.
 *
 * Invariants: never more than 2 MiB and one chunk in memory, half of that on its way to the disk; what
 * was written before a break is settled, so that the sender need not repeat it, unless the part has a
 * checksum that was not reached.
 */
import { type Bytes, bytes, HoldfastError, plus, toNumber } from '@holdfast/protocol'
import { type ByteRange, missingRanges } from '../store/ranges.ts'

export interface PartBody {
  /** The bytes of a part; they stop coming when the signal fires. */
  readonly bytes: (stop: AbortSignal) => AsyncIterable<Uint8Array>
  /** True when they are known to be right only after the last one: before that none may count. */
  readonly checkedAtEnd: boolean
}

export interface PartTarget {
  write(offset: Bytes, buffers: readonly Uint8Array[]): Promise<void>
  /** Makes a written range durable and known. */
  settle(received: ByteRange): Promise<void>
}

export interface ExpectedPart {
  readonly range: ByteRange
  /** Not to be written again. */
  readonly durable: readonly ByteRange[]
  readonly stop: AbortSignal
}

const GATHER_BYTES = 2 ** 20

/**
 * Takes exactly the bytes of `part.range`.
 * @throws HoldfastError `RANGE_INVALID` when the body is longer or shorter, `ABORTED`, and what
 * writing throws.
 */
export const receivePart = async (
  target: PartTarget,
  part: ExpectedPart,
  body: PartBody,
): Promise<void> => {
  const { range, stop } = part
  let written = range.start
  let writing: Promise<void> = Promise.resolve()
  try {
    for await (const gathered of gather(body.bytes(stop), range)) {
      await writing
      if (stop.aborted) throw new HoldfastError({ code: 'ABORTED' })
      writing = writeMissing(target, part, written, gathered).then((end) => {
        written = end
      })
      // Waited for before the next write and at the end; until then its failure is nobody's.
      writing.catch(() => undefined)
    }
    await writing
  } catch (error) {
    await writing.catch(() => undefined)
    const counts = written > range.start && !stop.aborted && !body.checkedAtEnd
    if (counts) await target.settle({ ...range, end: written })
    throw error
  }
  if (written > range.start && (written === range.end || !body.checkedAtEnd)) {
    await target.settle({ ...range, end: written })
  }
  if (written < range.end) throw wrongLength(range, `ended after ${written - range.start}`)
}

const wrongLength = ({ start, end }: ByteRange, what: string): HoldfastError =>
  new HoldfastError({ code: 'RANGE_INVALID', reason: `a body of ${end - start} bytes ${what}` })

interface Gathered {
  readonly buffers: readonly Uint8Array[]
  readonly length: number
}

/** Chunks in groups of about 1 MiB; refuses more bytes than the range holds before keeping them. */
async function* gather(
  body: AsyncIterable<Uint8Array>,
  range: ByteRange,
): AsyncGenerator<Gathered> {
  const expected = toNumber(range.end - range.start)
  let received = 0
  let buffers: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    received += chunk.length
    if (received > expected) throw wrongLength(range, 'has more')
    buffers.push(chunk)
    length += chunk.length
    if (length < GATHER_BYTES) continue
    yield { buffers, length }
    buffers = []
    length = 0
  }
  if (length > 0) yield { buffers, length }
}

/** Writes what is not durable yet; returns where the gathered bytes end. */
const writeMissing = async (
  target: PartTarget,
  { durable }: ExpectedPart,
  at: Bytes,
  { buffers, length }: Gathered,
): Promise<Bytes> => {
  const end = plus(at, bytes(length))
  const missing = missingRanges(durable, { start: at, end })
  if (missing.length === 1 && missing[0]?.start === at && missing[0].end === end) {
    await target.write(at, buffers)
    return end
  }
  const joined = Buffer.concat(buffers)
  for (const range of missing) {
    const slice = joined.subarray(toNumber(range.start - at), toNumber(range.end - at))
    await target.write(range.start, [slice])
  }
  return end
}
