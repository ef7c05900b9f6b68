/**
 * Bulk bytes to and from one provider over HTTPS with the pinned key: connections are kept, idle
 * ones time out, answers longer than announced are cut off. There is no limit on the whole of a
 * transfer, only on silence, so a slow line is slow and not broken.
 */

import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { HoldfastError } from '@holdfast/protocol'
import { errorCode, errorMessage } from '../system-error.ts'
import { httpError } from './http-error.ts'
import type { PinnedCertificate } from './pinned-tls.ts'
import { Pipelines } from './pipelines.ts'

/** JSON answers are short: durable ranges and errors. */
const JSON_BYTES_MAX = 1024 * 1024
const SOCKETS_MAX = 8
/** Connections that parts are sent over, where nothing else is said. */
const UPLOAD_CONNECTIONS = 4
/** How OpenSSL says that a certificate is not the one that was pinned. */
const OTHER_CERTIFICATE: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
])

export interface HttpsCall {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface HttpsChannelOptions {
  /** Silence after which a peer counts as gone. */
  readonly idleMs: number
  /** Connections that parts are sent over. Default 4. */
  readonly uploadConnections?: number
}

interface Answer {
  readonly status: number
  readonly body: Buffer
}

export class HttpsChannel {
  readonly #agent: Agent
  readonly #base: URL
  readonly #idleMs: number
  readonly #pinned: PinnedCertificate
  readonly #pipelines: Pipelines

  constructor(base: string, pinned: PinnedCertificate, options: HttpsChannelOptions) {
    const { idleMs, uploadConnections = UPLOAD_CONNECTIONS } = options
    this.#base = new URL(base)
    const host = this.#base.hostname.replace(/^\[|\]$/g, '')
    const port = Number(this.#base.port || 443)
    this.#pipelines = new Pipelines({ host, port, pinned, idleMs }, uploadConnections)
    this.#idleMs = idleMs
    this.#pinned = pinned
    this.#agent = new Agent({
      ca: pinned.pem,
      checkServerIdentity: pinned.checkServerIdentity,
      keepAlive: true,
      maxSockets: SOCKETS_MAX,
    })
  }

  get peer(): string {
    return this.#base.host
  }

  /** A call that answers with JSON. @throws HoldfastError by the answer's own error code. */
  async json(call: HttpsCall): Promise<unknown> {
    const { status, body } = await this.#send(call, JSON_BYTES_MAX)
    const value = parseJson(body)
    if (status !== 200) throw httpError(this.peer, status, value)
    return value
  }

  /** Sends bytes with PUT, behind others on the same connection; the answer is JSON. */
  async put(call: HttpsCall, body: Uint8Array): Promise<unknown> {
    const { path, headers, signal } = call
    if (signal?.aborted === true) throw new HoldfastError({ code: 'ABORTED' })
    const answer = await this.#pipelines
      .send({ method: 'PUT', path, headers, body }, signal)
      .catch((error: unknown) => {
        throw this.#error(error, signal)
      })
    const value = parseJson(answer.body)
    if (answer.status !== 200) throw httpError(this.peer, answer.status, value)
    return value
  }

  /** A ranged read that answers with exactly `length` bytes. */
  async bytes(call: HttpsCall, length: number): Promise<Uint8Array> {
    const { status, body } = await this.#send(call, Math.max(length, JSON_BYTES_MAX))
    if (status !== 206 && status !== 200) throw httpError(this.peer, status, parseJson(body))
    if (body.length !== length) {
      const reason = `sent ${body.length} bytes where ${length} were asked for`
      throw new HoldfastError({ code: 'PEER_MISBEHAVED', peer: this.peer, reason })
    }
    return body
  }

  close(): void {
    this.#pipelines.close()
    this.#agent.destroy()
  }

  #send(call: HttpsCall, limit: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => reject(this.#error(error, call.signal))
      const request = httpsRequest(
        new URL(call.path, this.#base),
        {
          headers: call.headers,
          agent: this.#agent,
          timeout: this.#idleMs,
          ...(call.signal === undefined ? {} : { signal: call.signal }),
        },
        (response) => {
          collect(response, limit).then(
            (body) => resolve({ status: response.statusCode ?? 0, body }),
            fail,
          )
        },
      )
      request.once('timeout', () => {
        const what = `GET ${call.path.split('/').slice(0, 3).join('/')} at ${this.peer}`
        request.destroy(new HoldfastError({ code: 'TIMED_OUT', what, afterMs: this.#idleMs }))
      })
      request.once('error', fail)
      request.end()
    })
  }

  #error(error: unknown, signal: AbortSignal | undefined): HoldfastError {
    if (HoldfastError.is(error)) return error
    if (signal?.aborted === true) return new HoldfastError({ code: 'ABORTED' }, { cause: error })
    const reason = errorMessage(error)
    if (OTHER_CERTIFICATE.has(errorCode(error) ?? '')) {
      const detail = {
        code: 'TLS_KEY_MISMATCH',
        expected: this.#pinned.keyHash,
        actual: reason,
      } as const
      return new HoldfastError(detail, { cause: error })
    }
    return new HoldfastError(
      { code: 'PEER_UNREACHABLE', peer: this.peer, reason },
      { cause: error },
    )
  }
}

const collect = async (response: IncomingMessage, limit: number): Promise<Buffer> => {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of response) {
    length += part.length
    if (length > limit) {
      response.destroy()
      throw new Error(`an answer above ${limit} bytes`)
    }
    parts.push(part)
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, length)
}

const parseJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
