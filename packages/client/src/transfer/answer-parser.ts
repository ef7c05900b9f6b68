/**
 * HTTP/1.1 answers off a connection that carries several, one after the other: status line, headers,
 * a body of announced length. No more of the protocol than our own providers speak, and nothing beyond
 * its limits: headers 16 KiB, body as told. Pure; feed it chunks as they come.
 */
import { HoldfastError } from '@holdfast/protocol'

export interface ParsedAnswer {
  readonly status: number
  /** Names in lower case; of a repeated header the last. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  /** The peer closes the connection after this one. */
  readonly last: boolean
}

const HEAD_BYTES_MAX = 16_384
const HEAD_END = '\r\n\r\n'

interface Head {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly length: number
}

export class AnswerParser {
  readonly #peer: string
  readonly #bodyBytesMax: number
  #held: Buffer = Buffer.alloc(0)
  #head: Head | undefined

  constructor(peer: string, bodyBytesMax: number) {
    this.#peer = peer
    this.#bodyBytesMax = bodyBytesMax
  }

  /** The answers that are whole with this chunk. @throws HoldfastError `PEER_MISBEHAVED`. */
  *feed(chunk: Uint8Array): Generator<ParsedAnswer> {
    this.#held = Buffer.concat([this.#held, chunk])
    for (;;) {
      this.#head ??= this.#takeHead()
      const head = this.#head
      if (head === undefined || this.#held.length < head.length) return
      const body = this.#held.subarray(0, head.length)
      this.#held = this.#held.subarray(head.length)
      this.#head = undefined
      const { status, headers } = head
      yield { status, headers, body, last: headers.get('connection')?.toLowerCase() === 'close' }
    }
  }

  #takeHead(): Head | undefined {
    const end = this.#held.indexOf(HEAD_END)
    if (end > HEAD_BYTES_MAX || (end < 0 && this.#held.length > HEAD_BYTES_MAX)) {
      throw this.#misbehaved(`headers above ${HEAD_BYTES_MAX} bytes`)
    }
    if (end < 0) return undefined
    const [line = '', ...fields] = this.#held.subarray(0, end).toString('latin1').split('\r\n')
    this.#held = this.#held.subarray(end + HEAD_END.length)
    const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(line)?.[1])
    if (!(status >= 200)) throw this.#misbehaved('an answer that is not HTTP/1.1')
    const headers = new Map(fields.map((field) => this.#header(field)))
    return { status, headers, length: this.#lengthOf(headers) }
  }

  #header(field: string): readonly [string, string] {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(field)
    if (match === null) throw this.#misbehaved('a malformed header')
    return [(match[1] ?? '').toLowerCase(), match[2] ?? '']
  }

  #lengthOf(headers: ReadonlyMap<string, string>): number {
    const text = headers.get('content-length')
    if (headers.has('transfer-encoding') || text === undefined || !/^\d{1,15}$/.test(text)) {
      throw this.#misbehaved('an answer without a length')
    }
    if (Number(text) > this.#bodyBytesMax) {
      throw this.#misbehaved(`an answer above ${this.#bodyBytesMax} bytes`)
    }
    return Number(text)
  }

  #misbehaved(reason: string): HoldfastError {
    return new HoldfastError({ code: 'PEER_MISBEHAVED', peer: this.#peer, reason })
  }
}
