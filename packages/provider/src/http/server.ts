/**
 * The HTTPS face: bulk bytes in and out, health and metrics, on Node's own server with the same
 * certificate as gRPC. Routes are matched by hand; there are six.
 *
 * Invariants: bounded connections, header size and times; no compression; nothing of a request is
 * ever a file name; every failure is one of our errors, or a cut connection once bytes have left.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import { HoldfastError, type Logger } from '@holdfast/protocol'
import type { BundleDesk } from '../bundles/bundle-desk.ts'
import type { Admission } from '../limits/admission.ts'
import type { ConnectionGuard } from '../limits/connection-guard.ts'
import { remoteKey } from '../limits/remote.ts'
import type { TlsKeeper } from '../tls-keeper.ts'
import { asOurs, SAFE_HEADERS, sendError, sendJson } from './answers.ts'
import { bundleRoute, getBundle } from './bundles.ts'
import { type GatewayDependencies, getIpfs } from './ipfs.ts'
import { getPayload, type PayloadDependencies } from './payloads.ts'
import { getUpload, putUpload, type UploadDependencies } from './uploads.ts'

export interface HttpServerDependencies
  extends UploadDependencies,
    PayloadDependencies,
    GatewayDependencies {
  readonly tls: TlsKeeper
  readonly logger: Logger
  readonly guard: ConnectionGuard
  readonly admission: Admission
  readonly bundles: BundleDesk
  /** What `/health` says; `ok` decides the status. */
  readonly health: () => { readonly ok: boolean } & Readonly<Record<string, unknown>>
  /** Prometheus text. */
  readonly metrics: () => Promise<string>
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const HEADER_BYTES_MAX = 16_384
/** All of TLS 1.3, in the order of what a byte costs: AES-128 a sixth less than AES-256 (ADR 0041). */
const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'
const TLS = { minVersion: 'TLSv1.3', ciphers: CIPHERS } as const
const HEADERS_MS = 10_000
const KEEP_ALIVE_MS = 30_000
const SOCKET_IDLE_MS = 120_000
/** How often Node looks for requests that have taken too long to arrive. */
const LOOK_EVERY_MS = 5000
/** A connection that is older than this ends with the answer to its next request. */
const CONNECTION_AGE_MS = 3_600_000
/** A part of 16 MiB at the slowest pace allowed takes longer than this: a hard end for every request. */
const REQUEST_MS = 3_600_000

const DISCARD_BYTES_MAX: number = 32 * 2 ** 20

const BASE = 'https://provider.invalid'
const SESSION_ROUTE = /^\/v1\/uploads\/([A-Za-z0-9_-]{1,128})$/
const PAYLOAD_ROUTE = /^\/v1\/payloads\/(0x[0-9a-f]{64})$/

export class HttpServer {
  readonly #dependencies: HttpServerDependencies
  readonly #server: Server
  readonly #release: () => void
  readonly #born = new WeakMap<object, number>()
  #closing = false

  constructor(dependencies: HttpServerDependencies) {
    this.#dependencies = dependencies
    const { keyPem: key, certPem: cert } = dependencies.tls.current
    this.#server = createServer(
      {
        key,
        cert,
        ...TLS,
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: HEADERS_MS,
        requestTimeout: REQUEST_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        handshakeTimeout: HEADERS_MS,
        connectionsCheckingInterval: LOOK_EVERY_MS,
      },
      (request, response) => void this.#answer({ request, response }),
    )
    this.#release = dependencies.tls.onChange((identity) => {
      this.#server.setSecureContext({ key: identity.keyPem, cert: identity.certPem, ...TLS })
    })
    this.#server.prependListener('connection', (socket: Socket) => {
      dependencies.guard.admit(socket)
    })
    this.#server.on('secureConnection', (socket) => {
      this.#born.set(socket, dependencies.clock.now())
    })
    this.#server.setTimeout(SOCKET_IDLE_MS)
  }

  /** Listens; returns the port. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => {
        const reason = cause.message
        reject(new HoldfastError({ code: 'CONFIG_INVALID', path: `http ${host}:${port}`, reason }))
      })
      this.#server.listen(port, host, () => {
        const address = this.#server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  /** Refuses new connections, lets running requests end until the signal fires, then cuts them. */
  close(cut: AbortSignal): Promise<void> {
    this.#closing = true
    this.#release()
    return new Promise((resolve) => {
      const force = (): void => {
        this.#server.closeAllConnections()
        // Those that are still about their handshake too.
        this.#dependencies.guard.cutAll()
      }
      cut.addEventListener('abort', force, { once: true })
      this.#server.close(() => {
        cut.removeEventListener('abort', force)
        resolve()
      })
      this.#server.closeIdleConnections()
      if (cut.aborted) force()
    })
  }

  async #answer(exchange: Exchange): Promise<void> {
    const { request, response } = exchange
    try {
      if (this.#closing) throw new HoldfastError({ code: 'SHUTTING_DOWN' })
      this.#admit(exchange)
      await this.#route(exchange)
    } catch (thrown) {
      this.#fail(exchange, thrown)
    }
    if (!request.complete && !request.destroyed) discardBody(exchange)
    if (this.#closing) response.once('finish', () => this.#server.closeIdleConnections())
  }

  /** @throws HoldfastError `RATE_LIMITED`. */
  #admit({ request, response }: Exchange): void {
    const { admission, clock } = this.#dependencies
    const age = clock.now() - (this.#born.get(request.socket) ?? clock.now())
    if (age > CONNECTION_AGE_MS) response.setHeader('connection', 'close')
    const refused = admission.request(remoteKey(request.socket.remoteAddress))
    if (refused === undefined) return
    response.setHeader('retry-after', refused.retryAfter)
    throw refused.error
  }

  async #route(exchange: Exchange): Promise<void> {
    const { request, response } = exchange
    const url = urlOf(request.url)
    const { pathname } = url
    const upload = SESSION_ROUTE.exec(pathname)?.[1]
    if (upload !== undefined && request.method === 'PUT') {
      return putUpload(this.#dependencies, upload, exchange)
    }
    if (upload !== undefined && request.method === 'GET') {
      return getUpload(this.#dependencies, upload, exchange)
    }
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const payload = PAYLOAD_ROUTE.exec(pathname)?.[1]
    if (payload !== undefined && isRead) return getPayload(this.#dependencies, payload, exchange)
    if (pathname.startsWith('/ipfs/') && isRead) return getIpfs(this.#dependencies, url, exchange)
    const bundle = isRead ? bundleRoute(pathname) : undefined
    if (bundle !== undefined) return getBundle(this.#dependencies.bundles, bundle, response)
    if (pathname === '/health' && isRead) {
      const health = this.#dependencies.health()
      return sendJson(response, health.ok ? 200 : 503, health)
    }
    if (pathname === '/metrics' && isRead) return sendMetrics(exchange, this.#dependencies.metrics)
    throw new HoldfastError({ code: 'PATH_NOT_FOUND', path: pathname.slice(0, 200) })
  }

  #fail({ request, response }: Exchange, thrown: unknown): void {
    const { logger } = this.#dependencies
    const error = asOurs(thrown)
    if (error.code === 'INVARIANT') {
      const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
      logger.error('request failed by our own fault', { method: request.method, reason })
    }
    const cut = request.destroyed && !request.complete
    if (response.headersSent || response.destroyed || cut) response.destroy()
    else sendError(response, error)
  }
}

/** @throws HoldfastError `PATH_NOT_FOUND` for a request target that is no path. */
const urlOf = (target = '/'): URL => {
  if (target.startsWith('/') && URL.canParse(target, BASE)) return new URL(target, BASE)
  throw new HoldfastError({ code: 'PATH_NOT_FOUND', path: target.slice(0, 200) })
}

/**
 * A body nobody reads any more is read and thrown away, so that the peer gets our answer instead of
 * a reset; one longer than any part is cut.
 */
const discardBody = ({ request }: Exchange): void => {
  let left = DISCARD_BYTES_MAX
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.destroy()
  })
  request.resume()
}

const sendMetrics = async (
  { response }: Exchange,
  metrics: () => Promise<string>,
): Promise<void> => {
  const body = Buffer.from(await metrics())
  response.writeHead(200, {
    ...SAFE_HEADERS,
    'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
  })
  response.end(body)
}
