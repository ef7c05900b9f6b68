/**
 * Receiving one part: bytes as they come, gathered to 1 MiB, written where they belong, skipping
 * what is durable already. Knows nothing of sessions, HTTP or files.
 *
 * Invariants: never more than 1 MiB and one bunch in memory beside what the store has taken, whose
 * bound is the store's own; nothing is being written any more when a part ends; what was written before
 * a break is settled, so that the sender need not repeat it, unless the part has a checksum that was not
 * reached.
 */
import { type Bytes, bytes, HoldfastError, plus, toNumber } from '@holdfast/protocol'
import { type ByteRange, missingRanges } from '../store/ranges.ts'

export interface PartBody {
  /** The bytes of a part, some chunks at a time; they stop coming when the signal fires. */
  readonly bunches: (stop: AbortSignal) => AsyncIterable<readonly Uint8Array[]>
  /** True when they are known to be right only after the last one: before that none may count. */
  readonly checkedAtEnd: boolean
}

export interface PartTarget {
  /** `onTaken` is called once the buffers are not needed any more, which may be long before the end. */
  write(offset: Bytes, buffers: readonly Uint8Array[], onTaken: () => void): Promise<void>
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
 * Takes exactly the bytes of `part.range`. The disk is not waited for before all of them have come: it
 * makes one part durable while the next arrives.
 * @throws HoldfastError `RANGE_INVALID` when the body is longer or shorter, `ABORTED`, and what
 * writing throws.
 */
export const receivePart = async (
  target: PartTarget,
  part: ExpectedPart,
  body: PartBody,
): Promise<void> => {
  const { range, stop } = part
  const writes = new PartWrites(target, part)
  try {
    for await (const gathered of gather(body.bunches(stop), range)) {
      if (stop.aborted) throw new HoldfastError({ code: 'ABORTED' })
      await writes.take(gathered)
    }
    await writes.end()
  } catch (error) {
    const written = await writes.written()
    const counts = written > range.start && !stop.aborted && !body.checkedAtEnd
    if (counts) await target.settle({ ...range, end: written })
    throw error
  }
  const written = await writes.written()
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
  body: AsyncIterable<readonly Uint8Array[]>,
  range: ByteRange,
): AsyncGenerator<Gathered> {
  const expected = toNumber(range.end - range.start)
  let received = 0
  let buffers: readonly Uint8Array[] = []
  let length = 0
  for await (const bunch of body) {
    const size = bunch.reduce((sum, chunk) => sum + chunk.length, 0)
    received += size
    if (received > expected) throw wrongLength(range, 'has more')
    buffers = buffers.length === 0 ? bunch : [...buffers, ...bunch]
    length += size
    if (length < GATHER_BYTES) continue
    yield { buffers, length }
    buffers = []
    length = 0
  }
  if (length > 0) yield { buffers, length }
}

/** The writes of one part, in order, several at a time. */
class PartWrites {
  readonly #target: PartTarget
  readonly #durable: readonly ByteRange[]
  readonly #start: Bytes
  readonly #begun: { readonly end: Bytes; readonly written: Promise<void> }[] = []
  #failure: { readonly error: unknown } | undefined

  constructor(target: PartTarget, { range, durable }: ExpectedPart) {
    this.#target = target
    this.#durable = durable
    this.#start = range.start
  }

  /** Begins to write what follows; resolves when its buffers are free. @throws what a write before threw. */
  async take({ buffers, length }: Gathered): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error
    const at = this.#begun.at(-1)?.end ?? this.#start
    const end = plus(at, bytes(length))
    await new Promise<void>((taken) => {
      const written = this.#writeMissing({ start: at, end }, buffers, taken)
      written.catch((error: unknown) => {
        this.#failure ??= { error }
      })
      written.then(taken, taken)
      this.#begun.push({ end, written })
    })
  }

  /** Waits for all of them. @throws what one of them throws. */
  async end(): Promise<void> {
    for (const { written } of this.#begun) await written
  }

  /** Where the bytes end that were written without a gap, when nothing is being written any more. */
  async written(): Promise<Bytes> {
    const ends = await Promise.allSettled(this.#begun.map(({ written }) => written))
    const failed = ends.findIndex(({ status }) => status === 'rejected')
    const whole = failed === -1 ? this.#begun : this.#begun.slice(0, failed)
    return whole.at(-1)?.end ?? this.#start
  }

  /** Writes what is not durable yet. */
  async #writeMissing(
    range: ByteRange,
    buffers: readonly Uint8Array[],
    taken: () => void,
  ): Promise<void> {
    const missing = missingRanges(this.#durable, range)
    const [only] = missing
    if (missing.length === 1 && only?.start === range.start && only.end === range.end) {
      return this.#target.write(range.start, buffers, taken)
    }
    const joined = Buffer.concat(buffers)
    for (const { start, end } of missing) {
      const slice = joined.subarray(toNumber(start - range.start), toNumber(end - range.start))
      await this.#target.write(start, [slice], () => undefined)
    }
  }
}
