/**
 * The rules of upload sessions as pure functions: their ids, what they span, which parts fit.
 */
import {
  type Address,
  type Bytes,
  bytes,
  type Hash32,
  HoldfastError,
  type OpenUploadRequest,
} from '@holdfast/protocol'
import type { SessionPromise } from '../journal/promises.ts'
import type { Limits } from '../limits/limits.ts'
import type { ByteRange } from '../store/ranges.ts'

/** A range of a payload, and how long the sender believes the payload to be. */
export interface Part extends ByteRange {
  readonly total: Bytes
}

/** The same voucher always has the same session. */
export const sessionIdOf = (voucherDigest: Hash32): string => voucherDigest.slice(2, 34)

/** The whole payload of a session. */
export const wholeOf = ({ request }: { readonly request: OpenUploadRequest }): ByteRange => ({
  start: bytes(0),
  end: request.voucher.length,
})

/** After the receipt everything is durable. */
export const durableOf = (session: SessionPromise): readonly ByteRange[] =>
  session.receipt === undefined ? session.durable : [wholeOf(session)]

/** @throws HoldfastError `RANGE_INVALID` unless the part lies in a payload of `length` bytes. */
export const checkPart = (part: Part, length: Bytes, partBytesMax: Bytes): void => {
  const refuse = (reason: string): never => {
    throw new HoldfastError({ code: 'RANGE_INVALID', reason })
  }
  if (part.total !== length) refuse(`the payload has ${length} bytes, not ${part.total}`)
  if (part.start >= part.end || part.end > length) {
    refuse(`${part.start}..${part.end} is not inside 0..${length}`)
  }
  if (part.end - part.start > partBytesMax) refuse(`a part has at most ${partBytesMax} bytes`)
}

/** @throws HoldfastError `RATE_LIMITED` when a payer has as many sessions open as it may. */
export const checkQuota = (
  open: readonly SessionPromise[],
  payer: Address,
  { sessionsPerPayerMax }: Pick<Limits, 'sessionsPerPayerMax'>,
): void => {
  const own = open.filter(({ request }) => request.voucher.payer === payer)
  if (own.length < sessionsPerPayerMax) return
  const reason = `${payer} has ${own.length} uploads open, at most ${sessionsPerPayerMax}`
  throw new HoldfastError({ code: 'RATE_LIMITED', reason })
}
