/** Reads over HTTPS: ranges, conditions, headers; TLS; health, metrics, reflection. */
import { connect } from 'node:tls'
import { PROVIDER_SERVICE_NAME, providerService } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { codeOf } from '../support/http-client.ts'
import { type RunningProvider, TestNetwork, until } from '../support/network.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'

const PAYLOAD = payloadOf(200_000, 2)
const { root: ROOT } = commitmentOf(PAYLOAD)

describe('the HTTPS interface', () => {
  let network: TestNetwork
  let running: RunningProvider

  beforeAll(async () => {
    network = await TestNetwork.create()
    running = await network.start()
    await running.client.upload(PAYLOAD)
  })
  afterAll(async () => {
    await network.close()
  })

  test('serves the whole with headers that keep it data', async () => {
    const answer = await running.client.get(ROOT)
    expect(answer.status).toBe(200)
    expect(Buffer.from(answer.body).equals(PAYLOAD)).toBe(true)
    expect(answer.headers).toMatchObject({
      etag: `"${ROOT}"`,
      'accept-ranges': 'bytes',
      'content-length': '200000',
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    })
    expect(answer.headers['content-disposition']).toMatch(/^attachment;/)
    expect(answer.headers['cache-control']).toMatch(/immutable/)
    expect(answer.headers['content-encoding']).toBeUndefined()
  })

  test.each([
    ['bytes=0-0', 0, 1],
    ['bytes=65535-65536', 65_535, 65_537],
    ['bytes=199999-', 199_999, 200_000],
    ['bytes=199990-900000', 199_990, 200_000],
    ['bytes=-10', 199_990, 200_000],
    ['bytes=-900000', 0, 200_000],
  ])('answers %s', async (range, start, end) => {
    const answer = await running.client.get(ROOT, { range })
    expect(answer.status).toBe(206)
    expect(answer.headers['content-range']).toBe(`bytes ${start}-${end - 1}/200000`)
    expect(Buffer.from(answer.body).equals(PAYLOAD.subarray(start, end))).toBe(true)
  })

  test('answers 416 past the end, and the whole for what it does not understand', async () => {
    for (const range of ['bytes=200000-', 'bytes=-0']) {
      const answer = await running.client.get(ROOT, { range })
      expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */200000'])
    }
    for (const range of ['bytes=5-4', 'bytes=1-2,4-5', 'lines=1-2', 'bytes=x-']) {
      expect((await running.client.get(ROOT, { range })).status).toBe(200)
    }
  })

  test('knows HEAD and conditions', async () => {
    const head = await running.client.http({ method: 'HEAD', path: `/v1/payloads/${ROOT}` })
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([
      200,
      '200000',
      0,
    ])
    const same = await running.client.get(ROOT, { 'if-none-match': `"${ROOT}"` })
    expect(same.status).toBe(304)
    const other = await running.client.get(ROOT, { range: 'bytes=0-9', 'if-range': '"x"' })
    expect(other.status).toBe(200)
  })

  test('refuses unknown payloads, paths and names', async () => {
    const { client } = running
    const unknown = await client.get(`0x${'00'.repeat(32)}`)
    expect([unknown.status, codeOf(unknown)]).toEqual([404, 'PAYLOAD_NOT_FOUND'])
    for (const path of [
      '/',
      '/v1/payloads/..%2f..%2fetc',
      '/v1/payloads/0x12',
      '/v1/uploads/a/b',
    ]) {
      const answer = await client.http({ method: 'GET', path })
      expect([answer.status, codeOf(answer)]).toEqual([404, 'PATH_NOT_FOUND'])
    }
  })

  test('speaks TLS 1.3 only, on both ports', async () => {
    for (const endpoint of [running.endpoints.grpc, new URL(running.endpoints.http).host]) {
      const [host = '', port = ''] = endpoint.split(':')
      const old = new Promise((resolve) => {
        const options = {
          host,
          port: Number(port),
          maxVersion: 'TLSv1.2',
          rejectUnauthorized: false,
        }
        const socket = connect(options as never, () => resolve('connected'))
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
      })
      expect(await old).toMatch(/PROTOCOL_VERSION|ECONNRESET/)
    }
  })

  test('tells its health and counts, and answers gRPC health and reflection', async () => {
    const { client } = running
    const health = await client.http({ method: 'GET', path: '/health' })
    expect(JSON.parse(Buffer.from(health.body).toString())).toMatchObject({
      ok: true,
      provider: network.owner.address,
    })
    await client.call(providerService.describe, {})
    const { body } = await client.http({ method: 'GET', path: '/metrics' })
    const text = Buffer.from(body).toString()
    expect(text).toMatch(/^holdfast_store_payloads 1$/m)
    expect(text).toMatch(/^holdfast_grpc_calls_total\{call="describe",code="OK"\} [1-9]/m)
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) holdfast_|holdfast_[a-z_]+(\{[^}]*\})? [0-9.e+]+$)/)
    }
    const serving = await client.callBytes('/grpc.health.v1.Health/Check', new Uint8Array())
    expect([...serving]).toEqual([8, 1])
    const listed = await client.reflect(Uint8Array.of(0x3a, 1, 0x2a))
    expect(Buffer.from(listed).toString('latin1')).toContain(PROVIDER_SERVICE_NAME)
  })

  test('a part that is cut off keeps what arrived, and its place is free for the rest', async () => {
    const { client } = running
    const payload = payloadOf(3 * 2 ** 20, 7)
    const session = await client.open(client.voucher(commitmentOf(payload)))
    const part = client.beginPut(session, payload)
    const broken = part.status.catch(() => 'broken')
    await until(
      'it is on its way',
      async () => (await client.metric('holdfast_upload_parts_running')) === 1,
    )
    part.cut()
    expect(await broken).toBe('broken')
    await until(
      'it is over',
      async () => (await client.metric('holdfast_upload_parts_running')) === 0,
    )
    const kept = await client.http({
      method: 'GET',
      path: `/v1/uploads/${session.session}`,
      headers: { authorization: `Bearer ${session.token}` },
    })
    const { durable }: { durable: [string, string][] } = JSON.parse(
      Buffer.from(kept.body).toString(),
    )
    expect(durable).toHaveLength(1)
    expect(durable[0]?.[0]).toBe('0')
    expect(Number(durable[0]?.[1])).toBeGreaterThanOrEqual(2 ** 20)
    await client.put(session, payload, { start: 0, end: payload.length })
    expect((await client.commit(session)).receipt.root).toBe(commitmentOf(payload).root)
  })
})
