/**
 * Parts of an upload as they leave: several on one connection, each with its checksum and its own
 * answer; broken connections, foreign keys, aborts.
 */
import { bytes } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { FIRST, RENEWED, SECOND } from './identities.ts'
import {
  closers,
  codeOf,
  connect,
  described,
  peerWith,
  recordOf,
  SESSION,
  serveGrpc,
  serveHttps,
} from './servers.ts'

const spanOf = (n: number) => ({ start: bytes(n), end: bytes(n + 5), total: bytes(100) })

test('parts share connections without waiting for answers, and each gets its own answer', async () => {
  const ports = new Set<number | undefined>()
  let late: (() => void)[] = []
  const peer = await peerWith((request, response) => {
    ports.add(request.socket.remotePort)
    request.resume()
    request.on('end', () => {
      const [, start = ''] = /^bytes (\d+)-/.exec(String(request.headers['content-range'])) ?? []
      late.push(() => response.end(JSON.stringify({ durable: [['0', String(Number(start) + 1)]] })))
      // Nobody is answered before all have arrived: with one request at a time this would hang.
      if (late.length === 12) for (const answer of late.splice(0)) answer()
    })
  })
  const parts = Array.from({ length: 12 }, (_, i) => i)
  const answers = await Promise.all(
    parts.map((i) => peer.putPart(SESSION, { ...spanOf(i), body: Buffer.from('bytes') })),
  )
  expect(answers.map(([first]) => first?.end)).toEqual(parts.map((i) => BigInt(i + 1)))
  expect(ports.size).toBe(4)
  late = []
})

test('a part carries the checksum of its bytes', async () => {
  let digest: unknown
  const peer = await peerWith((request, response) => {
    digest = request.headers['content-digest']
    request.resume()
    request.on('end', () => response.end('{"durable":[]}'))
  })
  await peer.putPart(SESSION, { ...spanOf(0), end: bytes(9), body: Buffer.from('123456789') })
  // The check value of CRC-32C: e3069283.
  expect(digest).toBe('crc32c=:4waSgw==:')
})

test('every part without an answer fails when the connection breaks, and the next one connects anew', async () => {
  let calls = 0
  const peer = await peerWith((request, response) => {
    calls += 1
    if (calls === 1) return void request.socket.destroy()
    request.resume()
    request.on('end', () => response.end('{"durable":[["0","5"]]}'))
  })
  const part = { ...spanOf(0), body: Buffer.from('bytes') }
  expect(await codeOf(peer.putPart(SESSION, part))).toBe('PEER_UNREACHABLE')
  expect(await peer.putPart(SESSION, part)).toEqual([{ start: 0n, end: 5n }])
})

test('no byte of a part goes to another key', async () => {
  let asked = 0
  const peer = await peerWith(() => {
    asked += 1
  }, SECOND)
  const sending = peer.putPart(SESSION, { ...spanOf(0), body: Buffer.from('bytes') })
  expect(await codeOf(sending)).toBe('TLS_KEY_MISMATCH')
  expect(asked).toBe(0)
})

test('an abort ends a part at once', async () => {
  const peer = await peerWith(() => undefined)
  const controller = new AbortController()
  const sending = peer.putPart(
    SESSION,
    { ...spanOf(0), body: Buffer.from('bytes') },
    { signal: controller.signal },
  )
  controller.abort()
  expect(await codeOf(sending)).toBe('ABORTED')
})

test('a certificate exchanged for the same key is pinned anew and the call repeated', async () => {
  const base = await serveHttps(RENEWED, (request, response) => {
    request.resume()
    request.on('end', () => response.end('{"durable":[["0","5"]]}'))
  })
  const endpoint = await serveGrpc(FIRST, () => described(base))
  const peer = await connect(recordOf(FIRST, endpoint))
  closers.push(() => peer.close())
  // gRPC still shows the old certificate, HTTPS the new one: what was pinned fits one of them only.
  const sending = peer.putPart(SESSION, { ...spanOf(0), body: Buffer.from('bytes') })
  expect(await codeOf(sending)).toBe('TLS_KEY_MISMATCH')
  await closers.splice(1, 1)[0]?.()
  const [, port = ''] = endpoint.split(':')
  await serveGrpc(RENEWED, () => described(base), Number(port))
  expect(await peer.putPart(SESSION, { ...spanOf(0), body: Buffer.from('bytes') })).toEqual([
    { start: 0n, end: 5n },
  ])
})
