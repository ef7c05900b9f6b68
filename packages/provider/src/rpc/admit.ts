/**
 * What every gRPC call passes before its handler: the rate of its address, and a limit on how long its
 * request may take to arrive.
 */
import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from '@grpc/grpc-js'
import {
  type Clock,
  ERROR_TRAILER,
  encodeErrorDetail,
  HoldfastError,
  milliseconds,
} from '@holdfast/protocol'
import type { Admission } from '../limits/admission.ts'
import { remoteKey } from '../limits/remote.ts'

/** A request is a few KiB. */
const REQUEST_MS = 30_000

/** Status of a call that failed with `error`. */
export const statusFor = (
  error: HoldfastError,
): { readonly code: number; readonly details: string; readonly metadata: Metadata } => {
  const metadata = new Metadata()
  metadata.set(ERROR_TRAILER, Buffer.from(encodeErrorDetail(error)))
  return { code: error.row.grpcStatus, details: error.message, metadata }
}

export const admitCalls =
  (admission: Admission, clock: Clock): ServerInterceptor =>
  (_method, call) => {
    const arrived = new AbortController()
    const limit = (): void => {
      const late = { code: 'TIMED_OUT', what: 'a request', afterMs: REQUEST_MS } as const
      clock.sleep(milliseconds(REQUEST_MS), { signal: arrived.signal }).then(
        () => call.sendStatus(statusFor(new HoldfastError(late))),
        () => undefined,
      )
    }
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const refused = admission.call(remoteKey(hostOf(call.getPeer())))
        if (refused !== undefined) return call.sendStatus(statusFor(refused.error))
        limit()
        next(metadata)
      })
      .withOnReceiveHalfClose((next) => {
        arrived.abort()
        next()
      })
      .withOnCancel(() => arrived.abort())
      .build()
    return new ServerInterceptingCall(call, { start: (next) => next(listener) })
  }

/** The address of `address:port`; IPv6 comes without brackets. */
const hostOf = (peer: string): string => peer.replace(/:\d+$/, '')
