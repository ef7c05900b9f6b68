/**
 * The dashboard's own listener: plain HTTP on loopback unless the operator says otherwise, apart from
 * the public one, so that no stranger's request ever meets it. Serves the page, lets in, and streams
 * the view to whoever is in.
 *
 * Invariants: nothing about the node leaves without a session or the token; requests are small, few
 * and checked for Host and Origin first; a reader that is too slow misses views, not memory.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Clock, HoldfastError, type Logger } from '@holdfast/protocol'
import { toJson } from '../cli/output.ts'
import { hostAndPort } from '../host-and-port.ts'
import { asOurs, sendError, sendJson } from '../http/answers.ts'
import { pauseUntilNews } from '../wake.ts'
import { type Access, type Credential, SESSION_MS } from './access.ts'
import type { Asset } from './assets.ts'
import { checkRequest, cookieOf } from './request-guard.ts'
import type { DashboardView } from './view.ts'

export interface DashboardDependencies {
  readonly access: Access
  readonly assets: ReadonlyMap<string, Asset>
  readonly view: () => Promise<DashboardView>
  /** Resolves when there is something new to show, or when the signal fires. */
  readonly nextNews: (signal: AbortSignal) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

const BODY_BYTES_MAX = 4096
const CONNECTIONS_MAX = 64
const STREAMS_MAX = 16
const WAITING_BYTES_MAX: number = 2 * 2 ** 20
/** Views are sent after news, at most once a second, and every few seconds in any case. */
const PUSH_LEAST_MS = 1000
const PUSH_MOST_MS = 4000

/** Only our own files, nothing inline, nothing from anywhere else, in no frame. */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  // Without it browsers leave out the origin that requests are checked for.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  'cache-control': 'no-store',
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export class DashboardServer {
  readonly #dependencies: DashboardDependencies
  readonly #server: Server
  readonly #streams = new Set<ServerResponse>()
  #place = { host: '', port: 0 }

  constructor(dependencies: DashboardDependencies) {
    this.#dependencies = dependencies
    const limits = { maxHeaderSize: 8192, headersTimeout: 10_000, requestTimeout: 10_000 }
    this.#server = createServer(limits, (request, response) => {
      void this.#answer({ request, response })
    })
    this.#server.maxConnections = CONNECTIONS_MAX
  }

  /** Listens; returns the address of the page. @throws HoldfastError `CONFIG_INVALID`. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', ({ message: reason }) => {
        const path = `dashboard ${host}:${port}`
        reject(new HoldfastError({ code: 'CONFIG_INVALID', path, reason }))
      })
      this.#server.listen(port, host, resolve)
    })
    const address = this.#server.address()
    this.#place = { host, port: typeof address === 'object' && address ? address.port : port }
    return `http://${hostAndPort(host, this.#place.port)}`
  }

  /** Streams views until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, nextNews, logger } = this.#dependencies
    while (!signal.aborted) {
      if (this.#streams.size > 0) {
        await this.#push().catch((error: unknown) => {
          logger.error('dashboard view failed by our own fault', { reason: String(error) })
        })
      }
      const bounds = { leastMs: PUSH_LEAST_MS, mostMs: PUSH_MOST_MS, signal }
      await pauseUntilNews(clock, nextNews, bounds)
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #push(): Promise<void> {
    const text = `data: ${toJson(await this.#dependencies.view())}\n\n`
    for (const stream of this.#streams) {
      if (stream.writableLength < WAITING_BYTES_MAX) stream.write(text)
    }
  }

  async #answer(exchange: Exchange): Promise<void> {
    const { request, response } = exchange
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value)
    try {
      checkRequest(request, { hosts: this.#hosts(), port: this.#place.port })
      await this.#route(exchange)
    } catch (thrown) {
      if (!HoldfastError.is(thrown)) {
        const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
        this.#dependencies.logger.error('dashboard request failed by our own fault', { reason })
      }
      if (response.headersSent) response.destroy()
      else sendError(response, asOurs(thrown))
    }
  }

  #hosts(): readonly string[] {
    const { host } = this.#place
    return ['127.0.0.1', 'localhost', '[::1]', host.includes(':') ? `[${host}]` : host]
  }

  async #route(exchange: Exchange): Promise<void> {
    const { request, response } = exchange
    const { access, assets, view } = this.#dependencies
    const { pathname } = new URL(request.url ?? '/', 'http://dashboard.invalid')
    const asked = `${request.method} ${pathname}`
    const asset = request.method === 'GET' ? assets.get(pathname) : undefined
    if (asset !== undefined) {
      response.writeHead(200, { 'content-type': asset.type, 'content-length': asset.body.length })
      response.end(asset.body)
      return
    }
    if (asked === 'GET /api/challenge') {
      return sendJson(response, 200, { challenge: access.newChallenge() })
    }
    if (asked === 'GET /api/session') {
      return sendJson(response, 200, { open: this.#hasSession(request) })
    }
    if (asked === 'POST /api/login') return this.#login(exchange)
    if (!this.#hasSession(request)) {
      throw new HoldfastError({ code: 'UNAUTHORIZED', reason: 'log in first' })
    }
    if (asked === 'GET /api/view') return sendJson(response, 200, await view())
    if (asked === 'GET /api/events') return this.#stream(response)
    if (asked === 'POST /api/logout') return this.#logout(exchange)
    throw new HoldfastError({ code: 'PATH_NOT_FOUND', path: pathname.slice(0, 200) })
  }

  /** A session's cookie, or the token itself for programs. */
  #hasSession(request: IncomingMessage): boolean {
    const { access } = this.#dependencies
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (token !== undefined) return access.isToken(token)
    const session = cookieOf(request, this.#cookie)
    return session !== undefined && access.isOpen(session)
  }

  /** Cookies do not know ports, and several nodes may share a host. */
  get #cookie(): string {
    return `holdfast-${this.#place.port}`
  }

  async #login({ request, response }: Exchange): Promise<void> {
    const credential = credentialOf(await readBody(request))
    const session = this.#dependencies.access.login(credential)
    this.#setCookie(response, session, Math.floor(SESSION_MS / 1000))
    response.writeHead(204).end()
  }

  #logout({ request, response }: Exchange): void {
    this.#dependencies.access.logout(cookieOf(request, this.#cookie) ?? '')
    this.#setCookie(response, '', 0)
    response.writeHead(204).end()
  }

  #setCookie(response: ServerResponse, value: string, seconds: number): void {
    const rules = `HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}`
    response.setHeader('set-cookie', `${this.#cookie}=${value}; ${rules}`)
  }

  async #stream(response: ServerResponse): Promise<void> {
    if (this.#streams.size >= STREAMS_MAX) {
      throw new HoldfastError({ code: 'QUEUE_FULL', limit: STREAMS_MAX })
    }
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.write(`data: ${toJson(await this.#dependencies.view())}\n\n`)
    this.#streams.add(response)
    response.once('close', () => this.#streams.delete(response))
  }
}

const readBody = async (request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> => {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request) {
    length += part.length
    if (length > BODY_BYTES_MAX) throw invalid(`more than ${BODY_BYTES_MAX} bytes`)
    parts.push(part)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    throw invalid('it is not JSON')
  }
  throw invalid('it is not an object')
}

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'MESSAGE_INVALID', field: 'login', reason })

const credentialOf = (body: Readonly<Record<string, unknown>>): Credential => {
  const text = (name: string): string | undefined => {
    const value = body[name]
    return typeof value === 'string' && value.length <= 1000 ? value.trim() : undefined
  }
  const [code, token] = [text('code'), text('token')]
  const [challenge, signature] = [text('challenge'), text('signature')]
  if (code !== undefined) return { kind: 'code', code }
  if (token !== undefined) return { kind: 'token', token }
  if (challenge === undefined || signature === undefined) throw invalid('nothing to log in with')
  return { kind: 'signature', challenge, signature }
}
