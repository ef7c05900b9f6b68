/**
 * Asks a running node over its admin socket: what the commands do when the node runs. Errors arrive as
 * the node threw them.
 */
import { type IncomingMessage, request } from 'node:http'
import { type CallOptions, decodeErrorDetail, HoldfastError } from '@holdfast/protocol'
import type { AdminInput } from './registry.ts'
import { ADMIN_ERROR_HEADER } from './server.ts'
import { reachSocket } from './socket-path.ts'

/** Answers are lists of deals and volumes, not bulk. */
const ANSWER_BYTES_MAX = 256 * 2 ** 20

/** What the node answered; its big integers are decimal strings. */
export type AdminAnswer = Readonly<Record<string, unknown>>

/**
 * Calls one operation and waits for its end, however long that takes.
 * @throws HoldfastError `PEER_UNREACHABLE` when no node listens there, `ABORTED`, and what the node
 * refuses with.
 */
export const askAdmin = async (
  socket: string,
  name: string,
  input: AdminInput = {},
  { signal }: CallOptions = {},
): Promise<AdminAnswer> => {
  const reached = await reachSocket(socket)
  try {
    const response = await send({ socket, path: reached.path, name }, JSON.stringify(input), signal)
    const body = await collect(response)
    const { [ADMIN_ERROR_HEADER]: failure } = response.headers
    if (typeof failure === 'string') throw decodeErrorDetail(Buffer.from(failure, 'base64'))
    if (response.statusCode !== 200) throw misbehaved(socket, `answered ${response.statusCode}`)
    return parse(socket, body)
  } finally {
    await reached.release()
  }
}

const send = (
  { socket, path, name }: { readonly socket: string; readonly path: string; readonly name: string },
  body: string,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const asking = request(
      { socketPath: path, path: `/${name}`, method: 'POST', headers, agent: false, signal },
      resolve,
    )
    asking.once('error', (cause) => {
      if (signal?.aborted === true) return reject(new HoldfastError({ code: 'ABORTED' }, { cause }))
      const detail = { code: 'PEER_UNREACHABLE', peer: socket, reason: cause.message } as const
      return reject(new HoldfastError(detail, { cause }))
    })
    asking.end(body)
  })

const collect = async (response: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of response) {
    length += part.length
    if (length > ANSWER_BYTES_MAX) throw new Error(`an answer above ${ANSWER_BYTES_MAX} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

const misbehaved = (peer: string, reason: string): HoldfastError =>
  new HoldfastError({ code: 'PEER_MISBEHAVED', peer, reason })

const parse = (socket: string, body: string): AdminAnswer => {
  const value: unknown = JSON.parse(body)
  if (typeof value === 'object' && value !== null) return { ...value }
  throw misbehaved(socket, 'its answer is no object')
}
