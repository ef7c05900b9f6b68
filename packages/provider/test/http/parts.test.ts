/**
 * Parts over HTTPS: checksums decide what is durable, several parts in flight on one connection, and an
 * upload that is cut and resumed (fault F30), with the right bytes and with others.
 */
import { createHash } from 'node:crypto'
import { connect } from 'node:tls'
import { providerService } from '@holdfast/protocol'
import { openChecksum } from '@holdfast/prover'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseContentDigest } from '../../src/http/content-digest.ts'
import { codeOf } from '../support/http-client.ts'
import { type RunningProvider, TestNetwork, until } from '../support/network.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'

const checksum = openChecksum()

const crcHeader = (data: Uint8Array): string => {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(checksum(data))
  return `crc32c=:${out.toString('base64')}:`
}

const shaHeader = (data: Uint8Array): string =>
  `sha-256=:${createHash('sha256').update(data).digest('base64')}:`

const durableIn = (body: Uint8Array): unknown => JSON.parse(Buffer.from(body).toString()).durable

describe('a digest of a part', () => {
  test.each([
    ['an unknown algorithm', 'md5=:AAAA:'],
    ['no colons', 'crc32c=AAAAAA=='],
    ['too few bytes', 'crc32c=:AAAA:'],
    ['nonsense', '☃'],
    ['endless text', `crc32c=:${'A'.repeat(2000)}:`],
  ])('is refused with %s', (_what, header) => {
    expect(() => parseContentDigest(header, checksum)).toThrow(/Content-Digest/)
  })

  test('is optional, and of several one is taken that is known', () => {
    expect(parseContentDigest(undefined, checksum)).toBeUndefined()
    const data = Buffer.from('some bytes')
    const digest = parseContentDigest(`md5=:AAAA:, ${shaHeader(data)}`, checksum)
    digest?.add(data.subarray(0, 3))
    digest?.add(data.subarray(3))
    expect(() => digest?.check()).not.toThrow()
  })
})

describe('parts', () => {
  let network: TestNetwork
  let running: RunningProvider

  beforeAll(async () => {
    network = await TestNetwork.create()
    running = await network.start()
  })

  afterAll(() => network.close())

  test.each([
    ['crc32c', crcHeader, 31],
    ['sha-256', shaHeader, 30],
  ])('with the right %s is durable, with a wrong one is not', async (_name, headerOf, seed) => {
    const { client } = running
    const payload = payloadOf(300_000, seed)
    const session = await client.open(client.voucher(commitmentOf(payload)))
    const part = { start: 0, end: 200_000 }
    const right = headerOf(payload.subarray(0, 200_000))
    const wrong = headerOf(payload.subarray(1, 200_001))
    const refused = await client.put(session, payload, part, { 'content-digest': wrong })
    expect(refused.status).toBe(422)
    expect(codeOf(refused)).toBe('CHECKSUM_MISMATCH')
    const asked = await client.http({
      method: 'GET',
      path: `/v1/uploads/${session.session}`,
      headers: { authorization: `Bearer ${session.token}` },
    })
    expect(durableIn(asked.body)).toEqual([])
    const taken = await client.put(session, payload, part, { 'content-digest': right })
    expect(durableIn(taken.body)).toEqual([['0', '200000']])
    await client.put(session, payload, { start: 200_000, end: 300_000 })
    await client.commit(session)
  })

  test('are told to whoever watches, until all of them are durable', async () => {
    const { client } = running
    const payload = payloadOf(200_000, 37)
    const session = await client.open(client.voucher(commitmentOf(payload)))
    const watching = client.watch(session)
    expect((await watching.next()).value?.durable).toEqual([])
    const heard: bigint[] = []
    for (let start = 0; start < payload.length; start += 50_000) {
      await client.put(session, payload, { start, end: start + 50_000 })
    }
    for await (const { durable } of watching) heard.push(durable[0]?.end ?? 0n)
    expect(heard.at(-1)).toBe(200_000n)
    expect(heard).toEqual([...new Set(heard)].sort((a, b) => Number(a - b)))
    await client.commit(session)
  })

  test('that are compressed are refused with 415', async () => {
    const { client } = running
    const payload = payloadOf(1000, 32)
    const session = await client.open(client.voucher(commitmentOf(payload)))
    const answer = await client.put(
      session,
      payload,
      { start: 0, end: 1000 },
      { 'content-encoding': 'gzip' },
    )
    expect(answer.status).toBe(415)
    expect(codeOf(answer)).toBe('ENCODING_REFUSED')
  })

  test('follow one another on one connection without waiting for answers', async () => {
    const { client, endpoints } = running
    const payload = payloadOf(3_000_000, 33)
    const session = await client.open(client.voucher(commitmentOf(payload)))
    const { port } = new URL(endpoints.http)
    const { certPem: ca } = running.provider.parts.tls.current
    const socket = connect({ host: '127.0.0.1', port: Number(port), ca })
    let answers = ''
    socket.on('data', (chunk) => {
      answers += chunk
    })
    for (let at = 0; at < payload.length; at += 1_000_000) {
      const body = payload.subarray(at, at + 1_000_000)
      socket.write(
        [
          `PUT /v1/uploads/${session.session} HTTP/1.1`,
          'host: x',
          `authorization: Bearer ${session.token}`,
          `content-range: bytes ${at}-${at + body.length - 1}/${payload.length}`,
          `content-length: ${body.length}`,
          `content-digest: ${crcHeader(body)}`,
          '\r\n',
        ].join('\r\n'),
      )
      socket.write(body)
    }
    await until('three answers', () => answers.split('HTTP/1.1 200').length === 4)
    expect(answers).toContain('[["0","3000000"]]')
    socket.destroy()
    await client.commit(session)
  })
})

describe('an upload that is cut (F30)', () => {
  let network: TestNetwork

  beforeAll(async () => {
    network = await TestNetwork.create()
  })

  afterAll(() => network.close())

  test('continues from what is durable after both sides have gone', async () => {
    const payload = payloadOf(2_000_000, 34)
    let running = await network.start()
    const voucher = running.client.voucher(commitmentOf(payload))
    const session = await running.client.open(voucher)
    await running.client.put(session, payload, { start: 0, end: 1_000_000 })
    const half = running.client.beginPut(session, payload)
    await until('bytes on their way', () => running.provider.parts.intake.partsInFlight === 1)
    half.cut()
    await half.status.catch(() => undefined)
    await running.stop()

    running = await network.start()
    const again = await running.client.open(voucher)
    expect(again.session).toBe(session.session)
    expect(again.durable[0]).toEqual({ start: 0n, end: expect.any(BigInt) })
    expect(again.durable[0]?.end).toBeGreaterThanOrEqual(1_000_000n)
    await running.client.put(again, payload, { start: 1_000_000, end: 2_000_000 })
    await expect(running.client.commit(again)).resolves.toBeDefined()
    await running.stop()
  })

  test('with other bytes than those promised has no receipt and gives its space back', async () => {
    const payload = payloadOf(1_500_000, 35)
    const other = payloadOf(1_500_000, 36)
    const running = await network.start()
    const { client, provider } = running
    const session = await client.open(client.voucher(commitmentOf(payload)))
    await client.put(session, payload, { start: 0, end: 500_000 })
    // Bytes that are durable are not written again, whatever comes later.
    await client.put(session, other, { start: 0, end: 500_000 })
    await client.put(session, other, { start: 500_000, end: 1_500_000 })
    await expect(client.commit(session)).rejects.toMatchObject({ code: 'ROOT_MISMATCH' })
    expect(provider.parts.store.staged().size).toBe(0)
    const { session: id, token } = session
    const gone = client.call(providerService.commitUpload, { session: id, token })
    await expect(gone).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' })
  })
})
