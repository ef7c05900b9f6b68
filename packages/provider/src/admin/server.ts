/**
 * The operator's door: JSON over HTTP on a Unix socket in the home, open to the account that runs the
 * node and to nobody else. There is no TCP port, no token, no browser that could be tricked into it.
 *
 * `GET /` lists the operations; `POST /<name>` with a JSON object calls one. Invariants: the socket is
 * never reachable with wider permissions than 0600; questions are bounded; an answer that fails bears
 * the error's code.
 */
import { chmod, unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  type Clock,
  encodeErrorDetail,
  HoldfastError,
  type Logger,
  milliseconds,
} from '@holdfast/protocol'
import { asOurs, sendJson, statusOf } from '../http/answers.ts'
import { isNoRoom } from '../store/disk-errors.ts'
import type { AdminInput, AdminRegistry } from './registry.ts'
import { reachSocket, type SocketPath } from './socket-path.ts'

/** The header that carries a failed call's error, in the form of the gRPC trailer, base64. */
export const ADMIN_ERROR_HEADER = 'holdfast-error'

const QUESTION_BYTES_MAX = 65_536
const CONNECTIONS_MAX = 32
const HEADERS_MS = 10_000

/** How often room for the socket is looked for. */
const ROOM_PAUSE_MS = milliseconds(5000)

export interface AdminPatience {
  readonly clock: Clock
  readonly signal: AbortSignal
}

export interface AdminServerDependencies {
  readonly registry: AdminRegistry
  readonly logger: Logger
}

export class AdminServer {
  readonly #dependencies: AdminServerDependencies
  readonly #server: Server
  readonly #stop = new AbortController()
  #place: { readonly socket: string; readonly reached: SocketPath } | undefined

  constructor(dependencies: AdminServerDependencies) {
    this.#dependencies = dependencies
    const limits = { maxHeaderSize: 8192, headersTimeout: HEADERS_MS, requestTimeout: HEADERS_MS }
    this.#server = createServer(limits, (request, response) => {
      void this.#answer(request, response)
    })
    this.#server.maxConnections = CONNECTIONS_MAX
  }

  /**
   * Binds the socket. The home's lock must be held: a socket file that is there already is a former
   * run's and is removed.
   * @returns false when the disk has no room for a name: XFS wants some for every new one.
   */
  async listen(socket: string): Promise<boolean> {
    try {
      await this.#bind(socket)
      return true
    } catch (error) {
      if (!HoldfastError.is(error) || !isNoRoom(error.cause)) throw error
      return false
    }
  }

  /** Tries again until there is room. Ends when it listens, or the signal fires. */
  async listenLater(socket: string, { clock, signal: outer }: AdminPatience): Promise<void> {
    this.#dependencies.logger.error('no room for the admin socket: commands cannot ask the node', {
      socket,
    })
    const signal = AbortSignal.any([outer, this.#stop.signal])
    for (;;) {
      await clock.sleep(ROOM_PAUSE_MS, { signal }).catch(() => undefined)
      if (signal.aborted) return
      if (!(await this.listen(socket))) continue
      this.#dependencies.logger.info('admin socket opened', { socket })
      return
    }
  }

  async #bind(socket: string): Promise<void> {
    await unlink(socket).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    const reached = await reachSocket(socket)
    await this.#open(socket, reached).catch(async (error: unknown) => {
      await reached.release()
      throw error
    })
    this.#place = { socket, reached }
    await chmod(socket, 0o600)
  }

  async #open(socket: string, reached: SocketPath): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const opened = (): void => resolve()
      this.#server.once('error', (cause) => {
        // It may be tried again and again: what waits for this attempt goes with it.
        this.#server.off('listening', opened)
        const { message: reason } = cause
        reject(new HoldfastError({ code: 'CONFIG_INVALID', path: socket, reason }, { cause }))
      })
      // The socket is created inside this call, so the mask holds for it and for nothing else.
      const mask = process.umask(0o177)
      try {
        this.#server.listen(reached.path, opened)
      } finally {
        process.umask(mask)
      }
    })
  }

  /** Refuses new calls, tells running ones to stop, removes the socket. */
  async close(): Promise<void> {
    this.#stop.abort()
    if (this.#place === undefined) return
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeIdleConnections()
    })
    await this.#place.reached.release()
    await unlink(this.#place.socket).catch(() => undefined)
    this.#place = undefined
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { registry, logger } = this.#dependencies
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    response.setHeader('connection', 'close')
    try {
      if (this.#stop.signal.aborted) throw new HoldfastError({ code: 'SHUTTING_DOWN' })
      if (request.method === 'GET' && request.url === '/') {
        return sendJson(response, 200, { operations: registry.names })
      }
      if (request.method !== 'POST') throw unknown(request)
      const name = (request.url ?? '').slice(1)
      const input = await readQuestion(request)
      const signal = AbortSignal.any([gone.signal, this.#stop.signal])
      sendJson(response, 200, await registry.call(name, input, signal))
    } catch (thrown) {
      if (!HoldfastError.is(thrown)) {
        const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
        logger.error('admin call failed by our own fault', { call: request.url, reason })
      }
      sendFailure(response, asOurs(thrown))
    }
  }
}

const unknown = ({ method, url }: IncomingMessage): HoldfastError =>
  new HoldfastError({ code: 'PATH_NOT_FOUND', path: `${method} ${(url ?? '').slice(0, 200)}` })

const sendFailure = (response: ServerResponse, error: HoldfastError): void => {
  if (response.destroyed) return
  const { code, ...fields } = error.detail
  const detail = Buffer.from(encodeErrorDetail(error)).toString('base64')
  response.setHeader(ADMIN_ERROR_HEADER, detail)
  sendJson(response, statusOf(error), {
    error: { code, message: error.message, hint: error.hint, ...fields },
  })
}

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'MESSAGE_INVALID', field: 'question', reason })

/** The body as an object; an empty body is an empty question. */
const readQuestion = async (request: IncomingMessage): Promise<AdminInput> => {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request) {
    length += part.length
    if (length > QUESTION_BYTES_MAX) throw invalid(`more than ${QUESTION_BYTES_MAX} bytes`)
    parts.push(part)
  }
  if (length === 0) return {}
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch (cause) {
    throw invalid(`not JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('not a JSON object')
  }
  return { ...value }
}
