/**
 * A JSON-RPC endpoint in front of a real one that misbehaves as a test wishes: loses, repeats, delays,
 * limits, garbles, or lies about single answers. Listens on loopback, on a port the system chooses.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ProxiedCall {
  readonly id: number
  readonly method: string
  readonly params?: readonly unknown[]
}

export interface ProxiedAnswer {
  readonly jsonrpc: string
  readonly id: number
  readonly result?: unknown
  readonly error?: unknown
}

export interface ProxyFaults {
  /** Chooses by number of the request, so that a run repeats itself. */
  lose?: (request: number) => boolean
  /** The question is passed on, the answer is not passed back. */
  loseAnswer?: (request: number) => boolean
  twice?: boolean
  delayMs?: number
  status?: (request: number) => number | undefined
  /** What is sent instead of the answer's text. */
  garble?: (text: string, request: number) => string
  /** Another result for one call; undefined leaves it. */
  lie?: (call: ProxiedCall, answer: ProxiedAnswer) => unknown
  /** Hears every call before it is passed on. */
  hear?: (call: ProxiedCall) => void
  /** Hears every call after it was answered by the real endpoint, before the answer goes on. */
  answered?: (call: ProxiedCall, answer: ProxiedAnswer) => void | Promise<void>
}

export class RpcProxy {
  faults: ProxyFaults = {}
  requests = 0
  readonly #target: string
  readonly #server: Server
  #url = ''

  private constructor(target: string) {
    this.#target = target
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch(() => request.socket.destroy())
    })
  }

  static async open(target: string): Promise<RpcProxy> {
    const proxy = new RpcProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    const bound = proxy.#server.address()
    proxy.#url = `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`
    return proxy
  }

  get url(): string {
    return this.#url
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { faults } = this
    const number = ++this.requests
    let body = ''
    for await (const part of request) body += String(part)
    const asked: unknown = JSON.parse(body)
    const calls = (Array.isArray(asked) ? asked : [asked]) as readonly ProxiedCall[]
    for (const call of calls) faults.hear?.(call)
    if (faults.lose?.(number) === true) return void request.socket.destroy()
    const status = faults.status?.(number)
    if (status !== undefined) {
      response.statusCode = status
      return void response.end('not now')
    }
    if (faults.delayMs !== undefined) await sleep(faults.delayMs)
    if (faults.twice === true) await this.#ask(body)
    const answers = await this.#answers(body)
    for (const call of calls) {
      const answer = answers.find(({ id }) => id === call.id)
      if (answer !== undefined) await faults.answered?.(call, answer)
    }
    if (faults.loseAnswer?.(number) === true) return void request.socket.destroy()
    const told = answers.map((answer) => this.#told(calls, answer))
    const text = JSON.stringify(Array.isArray(asked) ? told : told[0])
    response.setHeader('content-type', 'application/json')
    response.end(faults.garble?.(text, number) ?? text)
  }

  #told(calls: readonly ProxiedCall[], answer: ProxiedAnswer): ProxiedAnswer {
    const call = calls.find(({ id }) => id === answer.id)
    const lie = call === undefined ? undefined : this.faults.lie?.(call, answer)
    if (lie === undefined) return answer
    return { jsonrpc: answer.jsonrpc, id: answer.id, result: lie }
  }

  async #answers(body: string): Promise<readonly ProxiedAnswer[]> {
    const text = await (await this.#ask(body)).text()
    const answer: unknown = JSON.parse(text)
    return (Array.isArray(answer) ? answer : [answer]) as readonly ProxiedAnswer[]
  }

  #ask(body: string): Promise<Response> {
    const headers = { 'content-type': 'application/json' }
    return fetch(this.#target, { method: 'POST', headers, body })
  }
}
