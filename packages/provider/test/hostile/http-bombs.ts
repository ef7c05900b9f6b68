/** What a bad client can do to the HTTPS listener: dawdle, overflow, lie about lengths, climb paths. */
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import {
  again,
  many,
  openTcp,
  openTls,
  pause,
  push,
  type Target,
  whenClosed,
} from './hostile-sockets.ts'

const overHttps = (target: Target, use: (socket: Socket) => Promise<unknown>, count = 4) =>
  many(count, () => again(target, () => openTls(target, 'http/1.1'), use))

/** Headers that come a byte at a time, on as many connections as there may be. */
export const slowloris = (target: Target): Promise<number> =>
  overHttps(
    target,
    async (socket) => {
      await push(socket, 'GET /health HTTP/1.1\r\nhost: x\r\n')
      for (let n = 0; !target.until.aborted; n++) {
        if (!(await push(socket, `x-${n}: y\r\n`))) return
        await pause(100)
      }
    },
    40,
  )

/** Connections that never speak, to both listeners. */
export const silence = (target: Target): Promise<number> =>
  many(40, () =>
    again(
      target,
      () => openTcp(target, Math.random() < 0.5 ? target.httpPort : target.grpcPort),
      whenClosed,
    ),
  )

/** Bodies without end, to paths that take some and paths that take none. */
export const endlessBodies = (target: Target): Promise<number> => {
  const part = Buffer.alloc(65_536)
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), part, Buffer.from('\r\n')])
  return overHttps(target, async (socket) => {
    socket.resume()
    const session = 'a'.repeat(32)
    const head = `PUT /v1/uploads/${session} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n`
    await push(socket, `${head}transfer-encoding: chunked\r\n\r\n`)
    while (!target.until.aborted) if (!(await push(socket, chunk))) return
  })
}

/** Requests that should be refused, with what may stand in the answer's first line. */
const ODD_REQUESTS: readonly string[] = [
  'GET /../../../../etc/passwd',
  'GET /v1/payloads/../../../etc/passwd',
  'GET /v1/payloads/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  'GET /ipfs/..%2f..%2fetc%2fpasswd?format=raw',
  'GET /v1/uploads/..%2fjournal%2fjournal.log',
  'GET //etc/passwd',
  'GET /%00',
  `GET /v1/payloads/0x${'zz'.repeat(32)}`,
  'GET http://169.254.169.254/latest/meta-data/',
  'GET *',
  'CONNECT example.com:443',
  'TRACE /health',
  `GET /${'a'.repeat(12_000)}`,
]

const refused = async (socket: Socket, request: string): Promise<string> => {
  const [line = '', ...headers] = request.split('\r\n')
  const text = [`${line} HTTP/1.1`, 'host: x', ...headers, 'connection: close', '', ''].join('\r\n')
  let heard = ''
  socket.on('data', (part) => {
    heard += part
  })
  await push(socket, text)
  await whenClosed(socket)
  return heard
}

/** Every odd request once; returns the answers that are neither a refusal nor a cut. */
export const oddRequests = async (target: Target): Promise<readonly string[]> => {
  const wrong: string[] = []
  for (const request of ODD_REQUESTS) {
    const socket = await openTls(target, 'http/1.1')
    const answer = await refused(socket, request)
    const isRefusal = answer === '' || /^HTTP\/1\.1 4\d\d /.test(answer)
    if (!isRefusal || answer.includes('root:')) wrong.push(`${request}: ${answer.slice(0, 200)}`)
  }
  return wrong
}

/** Content ranges and lengths that lie, gzip where bytes are expected; all refused. */
export const lyingParts = async (
  target: Target,
  session: { readonly session: string; readonly token: string },
): Promise<readonly string[]> => {
  const gzip = gzipSync(Buffer.alloc(2 ** 20))
  const cases: readonly (readonly string[])[] = [
    ['content-range: bytes 0-9/9999999999999999', 'content-length: 10'],
    ['content-range: bytes 9999999999999998-9999999999999999/10', 'content-length: 2'],
    ['content-range: bytes 0-99999999999999999999999999/1', 'content-length: 1'],
    ['content-range: bytes -5-10/100', 'content-length: 16'],
    ['content-range: bytes 0-9/200000', 'content-length: 99999999999'],
    ['content-range: bytes 0-9/200000', 'content-length: -1'],
    ['content-range: bytes 0-9/200000', 'content-length: 10', 'content-length: 11'],
    [
      `content-range: bytes 0-${gzip.length - 1}/200000`,
      'content-encoding: gzip',
      'content-length: 5',
    ],
    ['content-range: bytes 0-99/200000', 'content-digest: crc32c=:AAAAAA==:', 'content-length: 5'],
    ['range: bytes=0-1', 'content-length: 0'],
  ]
  const wrong: string[] = []
  for (const headers of cases) {
    const socket = await openTls(target, 'http/1.1')
    const { session: id, token } = session
    const all = [`authorization: Bearer ${token}`, ...headers].join('\r\n')
    const answer = await refused(socket, `PUT /v1/uploads/${id}\r\n${all}`)
    if (!/^HTTP\/1\.1 4\d\d /.test(answer)) wrong.push(`${headers[0]}: ${answer.slice(0, 100)}`)
  }
  return wrong
}
