/**
 * Unary gRPC calls to one provider over TLS with a pinned key. Deadlines on every call; errors are
 * rebuilt from the trailer `holdfast-error-bin`, else from the status code.
 */

import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import {
  type CallOptions,
  type Clock,
  decodeErrorDetail,
  ERROR_TRAILER,
  HoldfastError,
  type ServiceMethod,
} from '@holdfast/protocol'
import type { PinnedCertificate } from './pinned-tls.ts'

/**
 * Responses are small; bulk bytes travel over HTTPS. The largest is 32 of the longest entries of a
 * bundle (`getBundleEntriesResponse`), about 150 KiB; no provider makes us take more than this.
 */
const MESSAGE_BYTES_MAX = 256 * 1024

export class GrpcChannel {
  readonly #client: Client
  readonly #endpoint: string
  readonly #clock: Clock

  constructor(endpoint: string, pinned: PinnedCertificate, clock: Clock) {
    this.#endpoint = endpoint
    this.#clock = clock
    const tls = credentials.createSsl(Buffer.from(pinned.pem), null, null, {
      checkServerIdentity: pinned.checkServerIdentity,
    })
    this.#client = new Client(endpoint, tls, {
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      'grpc.enable_http_proxy': 0,
      // Keys are pinned, names mean nothing; an IP address as server name would be against RFC 6066.
      'grpc.ssl_target_name_override': 'provider.invalid',
      'grpc.service_config_disable_resolution': 1,
    })
  }

  call<Request, Response>(
    method: ServiceMethod<Request, Response>,
    request: Request,
    { timeoutMs, signal }: CallOptions & { readonly timeoutMs: number },
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(new HoldfastError({ code: 'ABORTED' }))
      const call = this.#client.makeUnaryRequest(
        method.path,
        (value: Request) => Buffer.from(method.request.encode(value)),
        (data: Buffer) => method.response.decode(data),
        request,
        new Metadata(),
        { deadline: this.#clock.now() + timeoutMs },
        (error, response) => {
          signal?.removeEventListener('abort', abort)
          if (error !== null) return reject(this.#error(error, method.path, timeoutMs))
          if (response === undefined) return reject(this.#misbehaved('an empty response'))
          return resolve(response)
        },
      )
      const abort = (): void => call.cancel()
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  close(): void {
    this.#client.close()
  }

  #error(error: ServiceError, path: string, afterMs: number): HoldfastError {
    const [detail] = error.metadata?.get(ERROR_TRAILER) ?? []
    if (detail instanceof Uint8Array) return decodeErrorDetail(detail)
    const reason = error.details || error.message
    switch (error.code) {
      case status.DEADLINE_EXCEEDED:
        return new HoldfastError({
          code: 'TIMED_OUT',
          what: `${path} at ${this.#endpoint}`,
          afterMs,
        })
      case status.CANCELLED:
        return new HoldfastError({ code: 'ABORTED' }, { cause: error })
      case status.UNAVAILABLE:
        return new HoldfastError({ code: 'PEER_UNREACHABLE', peer: this.#endpoint, reason })
      default:
        return this.#misbehaved(`${status[error.code] ?? error.code}: ${reason}`)
    }
  }

  #misbehaved(reason: string): HoldfastError {
    return new HoldfastError({ code: 'PEER_MISBEHAVED', peer: this.#endpoint, reason })
  }
}
