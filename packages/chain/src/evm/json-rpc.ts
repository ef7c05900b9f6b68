/**
 * JSON-RPC over HTTP to one endpoint, strict: an answer counts only with the id that was asked, a
 * body is bounded, and everything that is not an answer of the endpoint itself (no connection, a
 * status, text that is cut off, an id nobody asked) is one kind of error, `HttpRequestError`, after
 * which another endpoint may be asked. Calls of one turn of the event loop travel together.
 */
import { HttpRequestError, RpcRequestError } from 'viem'

/** Calls in one request. */
const BATCH_MAX = 64
/** A range of logs is the largest thing we ask for. */
const ANSWER_BYTES_MAX = 64 * 2 ** 20
const TIMEOUT_MS = 20_000

export interface RpcCall {
  readonly method: string
  readonly params?: unknown
}

/** Sends one call and gives its result. */
export type RpcRequest = (call: RpcCall) => Promise<unknown>

interface Waiting {
  readonly id: number
  readonly call: RpcCall
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

interface Address {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** Credentials of a URL travel in a header; `fetch` takes none in the URL. */
const addressOf = (text: string): Address => {
  const url = new URL(text)
  const headers = { 'content-type': 'application/json' }
  if (url.username === '' && url.password === '') return { url: url.href, headers }
  const secret = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  url.username = ''
  url.password = ''
  const authorization = `Basic ${Buffer.from(secret).toString('base64')}`
  return { url: url.href, headers: { ...headers, authorization } }
}

/** The calls of one endpoint. */
export const jsonRpc = (endpoint: string): RpcRequest => {
  const address = addressOf(endpoint)
  let lastId = 0
  let gathering: Waiting[] = []
  const flush = (): void => {
    const calls = gathering
    gathering = []
    for (let at = 0; at < calls.length; at += BATCH_MAX) {
      void exchange(address, calls.slice(at, at + BATCH_MAX))
    }
  }
  return (call) =>
    new Promise((resolve, reject) => {
      if (gathering.length === 0) setImmediate(flush)
      lastId += 1
      gathering.push({ id: lastId, call, resolve, reject })
    })
}

/** Asks a batch; settles every call of it. */
const exchange = async (address: Address, calls: readonly Waiting[]): Promise<void> => {
  try {
    const bodies = calls.map(({ id, call }) => ({ jsonrpc: '2.0', id, ...call }))
    const answers = await post(address, bodies.length === 1 ? bodies[0] : bodies)
    for (const call of calls) settle(address, call, answers.get(call.id))
  } catch (cause) {
    const [first] = calls
    const details = cause instanceof Error ? cause.message : String(cause)
    const failure =
      cause instanceof HttpRequestError
        ? cause
        : new HttpRequestError({ url: address.url, body: { method: first?.call.method }, details })
    for (const { reject } of calls) reject(failure)
  }
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

const settle = (address: Address, { call, resolve, reject }: Waiting, answer?: Answer): void => {
  if (answer === undefined) {
    const details = `no answer to ${call.method} among the answers`
    reject(new HttpRequestError({ url: address.url, body: { method: call.method }, details }))
  } else if (answer.error === undefined) resolve(answer.result)
  else {
    const body = { method: call.method }
    reject(new RpcRequestError({ body, error: answer.error, url: address.url }))
  }
}

const post = async (address: Address, body: unknown): Promise<ReadonlyMap<number, Answer>> => {
  const response = await fetch(address.url, {
    method: 'POST',
    headers: address.headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const text = await boundedText(response)
  if (!response.ok) {
    const details = text.slice(0, 200)
    throw new HttpRequestError({ url: address.url, status: response.status, details })
  }
  const value: unknown = JSON.parse(text)
  const answers = new Map<number, Answer>()
  for (const answer of Array.isArray(value) ? value : [value]) {
    const checked = answerOf(answer)
    if (answers.has(checked.id)) throw new Error(`two answers with id ${checked.id}`)
    answers.set(checked.id, checked)
  }
  return answers
}

const boundedText = async (response: Response): Promise<string> => {
  if (response.body === null) return ''
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body) {
    size += part.length
    if (size > ANSWER_BYTES_MAX) throw new Error(`an answer above ${ANSWER_BYTES_MAX} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

const answerOf = (value: unknown): Answer => {
  const answer = typeof value === 'object' && value !== null ? (value as Partial<Answer>) : {}
  const { id, error } = answer
  if (error !== undefined && error !== null) {
    // An error about the whole request has no id: it is nobody's answer.
    const { code, message } = error
    if (typeof code !== 'number' || typeof message !== 'string') throw new Error('a broken error')
    if (typeof id !== 'number') throw new Error(`the request was refused: ${message}`)
    return { id, error }
  }
  if (typeof id !== 'number' || !('result' in answer)) throw new Error('not a JSON-RPC answer')
  return { id, result: answer.result }
}
