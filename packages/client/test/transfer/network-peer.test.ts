/**
 * The adapter against real TLS servers on loopback: pinned keys on both protocols, errors rebuilt,
 * answers bounded, silence and lost connections told apart.
 */
import type { AddressInfo } from 'node:net'
import { Metadata, status } from '@grpc/grpc-js'
import { bytes, ERROR_TRAILER, encodeErrorDetail, HoldfastError } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { pinCertificate } from '../../src/transfer/pinned-tls.ts'
import { FIRST, SECOND } from './identities.ts'
import {
  closers,
  codeOf,
  connect,
  described,
  peerWith,
  ROOT,
  recordOf,
  SESSION,
  serveGrpc,
  serveHttps,
} from './servers.ts'

test('the registered key is accepted, any other refused, before a byte is said', async () => {
  const endpoint = await serveGrpc(FIRST, () => described('https://127.0.0.1:1'))
  const peer = await connect(recordOf(FIRST, endpoint))
  expect((await peer.describe()).software).toBe('test')
  peer.close()
  expect(await codeOf(connect(recordOf(SECOND, endpoint)))).toBe('TLS_KEY_MISMATCH')
})

test('a provider whose HTTPS side shows another key is not read from', async () => {
  let asked = 0
  const peer = await peerWith((_request, response) => {
    asked += 1
    response.end('secret')
  }, SECOND)
  const reading = peer.readPayload(ROOT, { start: bytes(0), end: bytes(6) })
  expect(await codeOf(reading)).toBe('TLS_KEY_MISMATCH')
  expect(asked).toBe(0)
})

test('nobody there, and a peer that says nothing', async () => {
  const base = await serveHttps(FIRST, () => undefined)
  const endpoint = base.slice('https://'.length)
  closers.pop()?.()
  expect(
    await codeOf(pinCertificate(endpoint, `0x${'00'.repeat(32)}` as never, { timeoutMs: 2000 })),
  ).toBe('PEER_UNREACHABLE')
  const { createServer: plain } = await import('node:net')
  const silent = plain(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const at = `127.0.0.1:${(silent.address() as AddressInfo).port}`
  const sockets = new Set<{ destroy(): void }>()
  silent.on('connection', (socket) => sockets.add(socket))
  const pinning = pinCertificate(at, `0x${'00'.repeat(32)}` as never, { timeoutMs: 200 })
  expect(await codeOf(pinning)).toBe('TIMED_OUT')
  for (const socket of sockets) socket.destroy()
  silent.close()
})

test('errors of the provider come back as they were', async () => {
  const detail = { code: 'DISK_FULL', needed: 5n, available: 3n } as const
  const metadata = new Metadata()
  metadata.set(ERROR_TRAILER, Buffer.from(encodeErrorDetail(new HoldfastError(detail))))
  const fail = async (): Promise<never> => {
    throw { code: status.RESOURCE_EXHAUSTED, details: 'full', metadata }
  }
  const endpoint = await serveGrpc(FIRST, fail)
  const peer = await connect(recordOf(FIRST, endpoint))
  const error = await peer.describe().catch((thrown: unknown) => thrown)
  expect(HoldfastError.is(error, 'DISK_FULL') && error.detail).toEqual(detail)
  peer.close()
})

test('a part is sent with its range and its token; the durable ranges come back', async () => {
  const seen: unknown[] = []
  const peer = await peerWith((request, response) => {
    const { method, url, headers } = request
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      seen.push([
        method,
        url,
        headers.authorization,
        headers['content-range'],
        Buffer.concat(chunks).toString(),
      ])
      response.end(JSON.stringify({ durable: [['0', '8']] }))
    })
  })
  const part = { start: bytes(3), end: bytes(8), total: bytes(100), body: Buffer.from('bytes') }
  expect(await peer.putPart(SESSION, part)).toEqual([{ start: 0n, end: 8n }])
  expect(seen).toEqual([
    ['PUT', `/v1/uploads/${SESSION.session}`, 'Bearer token', 'bytes 3-7/100', 'bytes'],
  ])
})

test.each([
  ['too few bytes', 206, 'abc', 'PEER_MISBEHAVED'],
  ['too many bytes', 206, 'abcdefgh', 'PEER_MISBEHAVED'],
  ['endless bytes', 206, 'x'.repeat(2 ** 21), 'PEER_UNREACHABLE'],
  [
    'no such payload',
    404,
    '{"error":{"code":"PAYLOAD_NOT_FOUND","root":"0x22"}}',
    'PAYLOAD_NOT_FOUND',
  ],
  [
    'damage',
    500,
    '{"error":{"code":"PAYLOAD_CORRUPT","root":"0x22","leaf":"7","what":"x"}}',
    'PAYLOAD_CORRUPT',
  ],
  ['overload', 503, 'not json', 'PEER_UNREACHABLE'],
  ['an unknown refusal', 400, '{"error":{"code":"WHATEVER","message":"no"}}', 'PEER_MISBEHAVED'],
])('a read answered with %s', async (_what, code, body, expected) => {
  const peer = await peerWith((_request, response) => {
    response.statusCode = code
    response.end(body)
  })
  const reading = peer.readPayload(ROOT, { start: bytes(0), end: bytes(6) })
  expect(await codeOf(reading)).toBe(expected)
})

test.each([['{}'], ['{"durable":[[1,2]]}'], ['{"durable":[["-1","2"]]}'], ['nonsense']])(
  'durable ranges of the form %s are refused',
  async (body) => {
    const peer = await peerWith((_request, response) => response.end(body))
    expect(await codeOf(peer.durable(SESSION))).toBe('PEER_MISBEHAVED')
  },
)

test('a connection that breaks in the middle is an unreachable peer', async () => {
  const peer = await peerWith((_request, response) => {
    response.writeHead(206, { 'content-length': '6' })
    response.write('abc', () => response.destroy())
  })
  const reading = peer.readPayload(ROOT, { start: bytes(0), end: bytes(6) })
  expect(await codeOf(reading)).toBe('PEER_UNREACHABLE')
})

test('an abort ends a call at once', async () => {
  const peer = await peerWith(() => undefined)
  const controller = new AbortController()
  const reading = peer.readPayload(
    ROOT,
    { start: bytes(0), end: bytes(6) },
    { signal: controller.signal },
  )
  controller.abort()
  expect(await codeOf(reading)).toBe('ABORTED')
})
