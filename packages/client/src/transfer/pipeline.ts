/**
 * One TLS connection to a provider that several requests share, one after the other without waiting:
 * the next part is on its way while the provider still makes the former one durable, so that neither
 * its disk nor the length of the line is waited for. Answers come in the order of requests (HTTP/1.1
 * pipelining, RFC 9112 section 9.3.2); Node's own client does not do it.
 *
 * Invariants: a request is sent after the key was checked; when the connection breaks, every request
 * without an answer fails, and nobody knows whether it was done: only idempotent requests go here.
 */
import { connect, type TLSSocket } from 'node:tls'
import { HoldfastError } from '@holdfast/protocol'
import { AnswerParser, type ParsedAnswer } from './answer-parser.ts'
import type { PinnedCertificate } from './pinned-tls.ts'

/** JSON answers are short: durable ranges and errors. */
const ANSWER_BYTES_MAX = 1024 * 1024

export interface PipelineTarget {
  readonly host: string
  readonly port: number
  readonly pinned: PinnedCertificate
  /** Silence of the peer, while answers are due, after which it counts as gone. */
  readonly idleMs: number
}

export interface PipelinedRequest {
  readonly method: 'PUT'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

interface Waiting {
  readonly resolve: (answer: ParsedAnswer) => void
  readonly reject: (error: unknown) => void
}

export class Pipeline {
  readonly #target: PipelineTarget
  readonly #waiting: Waiting[] = []
  readonly #parser: AnswerParser
  readonly #onEnd: (self: Pipeline) => void
  /** Sent as soon as the key was checked; undefined afterwards. */
  #early: PipelinedRequest[] | undefined = []
  #socket: TLSSocket | undefined
  #ended = false

  /** `onEnd` is called once, when no further request can be sent here. */
  constructor(target: PipelineTarget, onEnd: (self: Pipeline) => void) {
    this.#target = target
    this.#onEnd = onEnd
    this.#parser = new AnswerParser(`${target.host}:${target.port}`, ANSWER_BYTES_MAX)
  }

  /** Requests without an answer yet. */
  get depth(): number {
    return this.#waiting.length
  }

  /**
   * Sends a request after those before it. The body must not change until the answer is there.
   * @throws what broke the connection, as it came.
   */
  send(request: PipelinedRequest): Promise<ParsedAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#gone('the connection has ended'))
      this.#socket ??= this.#connect()
      this.#waiting.push({ resolve, reject })
      if (this.#early === undefined) this.#write(this.#socket, request)
      else this.#early.push(request)
    })
  }

  /** Ends the connection; requests without an answer fail with `reason`. */
  end(reason: unknown = new HoldfastError({ code: 'ABORTED' })): void {
    if (this.#ended) return
    this.#ended = true
    this.#socket?.destroy()
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
    this.#onEnd(this)
  }

  #connect(): TLSSocket {
    const { host, port, pinned, idleMs } = this.#target
    const { pem: ca, checkServerIdentity } = pinned
    const socket = connect({ host, port, ca, checkServerIdentity, minVersion: 'TLSv1.3' })
    socket.setNoDelay(true)
    socket.setTimeout(idleMs)
    socket.once('secureConnect', () => {
      const early = this.#early ?? []
      this.#early = undefined
      for (const request of early) this.#write(socket, request)
    })
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.end(error))
    socket.on('close', () => this.end(this.#gone('the connection was closed')))
    socket.on('timeout', () => {
      if (this.depth === 0) return this.end()
      const what = `a part sent to ${host}:${port}`
      return this.end(new HoldfastError({ code: 'TIMED_OUT', what, afterMs: idleMs }))
    })
    this.#socket = socket
    return socket
  }

  #write(socket: TLSSocket, request: PipelinedRequest): void {
    socket.cork()
    socket.write(this.#headOf(request))
    socket.write(request.body)
    socket.uncork()
  }

  #take(chunk: Buffer): void {
    try {
      for (const answer of this.#parser.feed(chunk)) {
        const next = this.#waiting.shift()
        if (next === undefined) throw this.#gone('it answered what nobody asked')
        next.resolve(answer)
        if (answer.last) throw this.#gone('it closed the connection')
      }
    } catch (error) {
      this.end(error)
    }
  }

  #headOf({ method, path, headers, body }: PipelinedRequest): string {
    const { host, port } = this.#target
    const lines = [`${method} ${path} HTTP/1.1`, `host: ${host}:${port}`]
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
    lines.push(`content-length: ${body.length}`)
    if (lines.some((line) => /[\r\n]/.test(line))) {
      throw new HoldfastError({ code: 'MESSAGE_INVALID', field: 'header', reason: 'a line break' })
    }
    return `${lines.join('\r\n')}\r\n\r\n`
  }

  #gone(reason: string): HoldfastError {
    const { host, port } = this.#target
    return new HoldfastError({ code: 'PEER_UNREACHABLE', peer: `${host}:${port}`, reason })
  }
}
