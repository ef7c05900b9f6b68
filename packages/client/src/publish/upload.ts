/**
 * Brings a payload to one provider: opens (or reopens) the session of a voucher, sends what is not
 * durable there yet in parallel parts, and asks for the receipt. Interrupted at any point, the next
 * call sends only what is missing.
 */
import {
  type Bytes,
  bytes,
  type CallOptions,
  type Clock,
  type CommitUploadResponse,
  HoldfastError,
  minus,
  type OpenUploadRequest,
  type SessionRequest,
  smaller,
  toNumber,
} from '@holdfast/protocol'
import { stopIfAborted } from '../abort.ts'
import type { ByteSpan, ProviderPeer } from '../transfer/provider-peer.ts'
import { withRetry } from '../transfer/retry.ts'

const PART_BYTES: Bytes = bytes(4 * 1024 * 1024)
const PARALLEL_PARTS = 8
const PART_TRIES = 6
const SESSION_TRIES = 3

/** A payload that is read by position; an open file is one. */
export interface PayloadFile {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>
}

export interface UploadJob {
  readonly peer: ProviderPeer
  readonly request: OpenUploadRequest
  readonly payload: PayloadFile
  readonly clock: Clock
  /** Called with bytes that became durable, those found durable included. */
  readonly onBytes: (count: Bytes) => void
}

/**
 * Returns the provider's receipt, not yet verified.
 * @throws HoldfastError what the provider answers; `SESSION_NOT_FOUND` only after several tries.
 */
export const uploadPayload = async (
  job: UploadJob,
  options: CallOptions = {},
): Promise<CommitUploadResponse> => {
  const { length } = job.request.voucher
  const counted = new CountedBytes(length, job.onBytes)
  for (let attempt = 1; ; attempt++) {
    try {
      return await uploadOnce(job, counted, options)
    } catch (error) {
      // A session may have expired or its provider restarted: the voucher opens it again.
      const lost =
        HoldfastError.is(error, 'SESSION_NOT_FOUND') || HoldfastError.is(error, 'UPLOAD_INCOMPLETE')
      if (!lost || attempt >= SESSION_TRIES) throw error
    }
  }
}

const uploadOnce = async (
  job: UploadJob,
  counted: CountedBytes,
  options: CallOptions,
): Promise<CommitUploadResponse> => {
  const { peer, request, clock } = job
  const { length } = request.voucher
  const retry = { clock, tries: PART_TRIES, ...options }
  const opened = await withRetry(retry, () => peer.openUpload(request, options))
  const session: SessionRequest = { session: opened.session, token: opened.token }
  if (opened.complete) {
    counted.atLeast(length)
  } else {
    const missing = missingSpans(opened.durable, length)
    counted.atLeast(minus(length, spanBytes(missing)))
    await sendParts(job, session, { missing, counted }, options)
  }
  return withRetry(retry, () => peer.commitUpload(session, length, options))
}

const sendParts = async (
  job: UploadJob,
  session: SessionRequest,
  work: { readonly missing: readonly ByteSpan[]; readonly counted: CountedBytes },
  options: CallOptions,
): Promise<void> => {
  const { partBytesMax } = await job.peer.describe(options)
  const size = smaller(smaller(PART_BYTES, partBytesMax), spanBytes(work.missing))
  const queue = splitSpans(work.missing, size)
  const failed = new AbortController()
  const signals = [failed.signal, ...(options.signal === undefined ? [] : [options.signal])]
  const signal = AbortSignal.any(signals)
  const sender = async (): Promise<void> => {
    let buffer: Buffer | undefined
    for (const span of queue) {
      stopIfAborted(signal)
      buffer ??= Buffer.allocUnsafeSlow(toNumber(size))
      await sendPart(job, session, { span, buffer, signal })
      work.counted.add(minus(span.end, span.start))
    }
  }
  const senders = Array.from({ length: PARALLEL_PARTS }, () =>
    sender().catch((error: unknown) => {
      failed.abort(error)
      throw error
    }),
  )
  const results = await Promise.allSettled(senders)
  const causes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  // The first failure aborted the others; theirs say nothing.
  if (causes.length > 0)
    throw causes.find((cause) => !HoldfastError.is(cause, 'ABORTED')) ?? causes[0]
}

const sendPart = async (
  { peer, payload, request, clock }: UploadJob,
  session: SessionRequest,
  part: { readonly span: ByteSpan; readonly buffer: Buffer; readonly signal: AbortSignal },
): Promise<void> => {
  const { span, buffer, signal } = part
  const body = buffer.subarray(0, toNumber(minus(span.end, span.start)))
  await readFully(payload, body, toNumber(span.start))
  const upload = { ...span, total: request.voucher.length, body }
  await withRetry({ clock, tries: PART_TRIES, signal }, () =>
    peer.putPart(session, upload, { signal }),
  )
}

const readFully = async (file: PayloadFile, out: Buffer, position: number): Promise<void> => {
  let filled = 0
  while (filled < out.length) {
    const { bytesRead } = await file.read(out, filled, out.length - filled, position + filled)
    if (bytesRead === 0) {
      const reason = 'the packed payload became shorter while it was sent'
      throw new HoldfastError({ code: 'INPUT_UNREADABLE', path: 'spool', reason })
    }
    filled += bytesRead
  }
}

/** What lies between ascending, disjoint spans. */
export const missingSpans = (durable: readonly ByteSpan[], length: Bytes): readonly ByteSpan[] => {
  const missing: ByteSpan[] = []
  let at = bytes(0n)
  for (const { start, end } of durable) {
    if (start > at) missing.push({ start: at, end: smaller(start, length) })
    if (end > at) at = end
  }
  if (at < length) missing.push({ start: at, end: length })
  return missing
}

const spanBytes = (spans: readonly ByteSpan[]): Bytes =>
  bytes(spans.reduce((sum, { start, end }) => sum + (end - start), 0n))

/** Parts of at most `size`, in order; shared by all senders, each part given out once. */
export function* splitSpans(spans: readonly ByteSpan[], size: Bytes): Generator<ByteSpan> {
  for (const { start, end } of spans) {
    for (let at = start; at < end; at = bytes(at + size)) {
      yield { start: at, end: smaller(bytes(at + size), end) }
    }
  }
}

/** Reports each byte once, although a session may be opened several times. */
class CountedBytes {
  readonly #length: Bytes
  readonly #report: (count: Bytes) => void
  #counted = 0n

  constructor(length: Bytes, report: (count: Bytes) => void) {
    this.#length = length
    this.#report = report
  }

  add(count: Bytes): void {
    this.atLeast(bytes(this.#counted + count))
  }

  atLeast(total: Bytes): void {
    const reached = smaller(total, this.#length)
    if (reached <= this.#counted) return
    this.#report(bytes(reached - this.#counted))
    this.#counted = reached
  }
}
