/** HTTPS requests for tests, whole or cut in half, over node:https with the provider's certificate. */
import { request as httpsRequest } from 'node:https'
import type { SessionRequest } from '@holdfast/protocol'

/** Where to, and whom to trust. */
export interface HttpTarget {
  readonly base: string
  readonly certPem: string
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Uint8Array
  /** False when the connection was cut before the announced end. */
  readonly complete: boolean
}

export interface HttpCall {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

export const sendHttp = (target: HttpTarget, call: HttpCall): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    const length = { 'content-length': String(call.body?.length ?? 0) }
    const headers = { ...length, ...call.headers }
    const options = { method: call.method, headers, ca: target.certPem, agent: false } as const
    const request = httpsRequest(new URL(call.path, target.base), options, (response) => {
      const parts: Buffer[] = []
      const answer = (complete: boolean): void =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: new Uint8Array(Buffer.concat(parts)),
          complete,
        })
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => answer(true))
      response.on('error', () => answer(false))
    })
    request.on('error', reject)
    request.end(call.body)
  })

/** A part of which half was sent. */
export interface HalfPut {
  readonly status: Promise<number>
  /** Sends the rest. */
  readonly finish: () => void
  /** Breaks the connection. */
  readonly cut: () => void
}

export const beginPut = (
  target: HttpTarget,
  { session, token }: SessionRequest,
  payload: Uint8Array,
): HalfPut => {
  const half = payload.length >> 1
  const headers = {
    authorization: `Bearer ${token}`,
    'content-range': `bytes 0-${payload.length - 1}/${payload.length}`,
    'content-length': String(payload.length),
  }
  const options = { method: 'PUT', headers, ca: target.certPem, agent: false } as const
  const request = httpsRequest(new URL(`/v1/uploads/${session}`, target.base), options)
  const status = new Promise<number>((resolve, reject) => {
    request.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.on('error', reject)
  })
  request.write(payload.subarray(0, half))
  return {
    status,
    finish: () => request.end(payload.subarray(half)),
    cut: () => request.destroy(),
  }
}

/** The code in an HTTP error's body. */
export const codeOf = (answer: HttpAnswer): string => {
  const value: unknown = JSON.parse(Buffer.from(answer.body).toString('utf8'))
  if (typeof value !== 'object' || value === null || !('error' in value)) return ''
  const { error } = value
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}
