/**
 * Both listeners under limits, over real sockets: connections, requests and calls by address, calls by
 * account, floods of bytes, headers, requests that never end; what a monitor sees of it.
 */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { providerService } from '@holdfast/protocol'
import { afterEach, describe, expect, test } from '@jest/globals'
import { LIMITS_DEFAULT, type Limits } from '../../src/limits/limits.ts'
import { codeOf } from '../support/http-client.ts'
import { type RunningProvider, TestNetwork, until } from '../support/network.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'

let network: TestNetwork | undefined
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await network?.close()
  network = undefined
})

const startWith = async (limits: Partial<Limits>): Promise<RunningProvider> => {
  network = await TestNetwork.create({ limits: { ...LIMITS_DEFAULT, ...limits } })
  return network.start()
}

const portOf = (endpoint: string): number => Number(endpoint.split(':').at(-1))

describe('the listeners', () => {
  test('take bulk bytes under the cipher that costs least, whatever the peer would rather have', async () => {
    const { endpoints } = await startWith({})
    const socket = connectTls({
      ...{ port: portOf(endpoints.http), host: '127.0.0.1', rejectUnauthorized: false },
      ciphers: 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256',
    })
    sockets.push(socket)
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.once('error', reject)
    })
    expect(socket.getCipher()).toMatchObject({ name: 'TLS_AES_128_GCM_SHA256' })
  })

  test('hold so many connections of one address, on each listener by itself', async () => {
    const { provider, endpoints, client } = await startWith({ connectionsPerAddress: 5 })
    await client.call(providerService.describe, {})
    let open = 0
    const watch = (port: number): void => {
      for (let i = 0; i < 12; i++) {
        const socket = connectTcp({ port, host: '127.0.0.1' })
        sockets.push(socket)
        open++
        socket.on('error', () => undefined)
        socket.once('close', () => open--)
      }
    }
    watch(portOf(endpoints.http))
    await until('all but five were cut', () => open === 5)
    // gRPC is another listener: the client's own connection is one of its five.
    watch(portOf(endpoints.grpc))
    await until('all but four more were cut', () => open === 9)
    await client.call(providerService.describe, {})
    for (const socket of sockets.splice(0)) socket.destroy()
    await until('places are free again', async () => {
      const { status } = await client.http({ method: 'GET', path: '/health' }).catch(() => ({
        status: 0,
      }))
      return status === 200
    })
    expect(provider.parts.admission.refused.requests).toBe(0)
    expect(await client.metric('holdfast_refused_total{limit="http-address"}')).toBeGreaterThan(0)
  })

  test('answer 429 with Retry-After to an address that asks too often', async () => {
    const { client } = await startWith({ requestsPerSecond: 1 })
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.http({ method: 'GET', path: '/health' })),
    )
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(5)
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(5)
    for (const answer of refused) {
      expect(codeOf(answer)).toBe('RATE_LIMITED')
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    }
  })

  test('refuse calls of an address beyond its rate, health checks among them', async () => {
    const { client } = await startWith({ callsPerSecond: 1 })
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => client.call(providerService.describe, {})),
    )
    const refused = results.filter((r) => r.status === 'rejected')
    expect(refused.length).toBeGreaterThan(5)
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'RATE_LIMITED' })
    await expect(
      client.callBytes('/grpc.health.v1.Health/Check', new Uint8Array()),
    ).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  })

  test('refuse an account beyond its rate, after its signature was checked and not before', async () => {
    const { client } = await startWith({ accountCallsPerMinute: 12 })
    const voucher = client.voucher(commitmentOf(payloadOf(1000, 1)))
    const forged = client.open(voucher, network?.stranger)
    await expect(forged).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' })
    await client.open(voucher)
    await expect(client.open(voucher)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  })

  test('cut a gRPC connection that sends more than calls need', async () => {
    const { client, endpoints, provider } = await startWith({ callBytesPerSecond: 4096 })
    const ca = provider.parts.tls.current.certPem
    const flood = connectTls({ port: portOf(endpoints.grpc), ca, ALPNProtocols: ['h2'] })
    sockets.push(flood)
    flood.on('error', () => undefined)
    let isCut = false
    flood.once('close', () => {
      isCut = true
    })
    flood.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    flood.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    const ping = Buffer.concat([Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0]), Buffer.alloc(8)])
    const pings = Buffer.concat(Array.from({ length: 4000 }, () => ping))
    const send = (): void => {
      if (!isCut) flood.write(pings, () => setTimeout(send, 10))
    }
    flood.once('secureConnect', send)
    await until('the flood was cut', () => isCut)
    await client.call(providerService.describe, {})
  })

  test('refuse headers above 16 KiB', async () => {
    const { client } = await startWith({})
    const headers = { 'x-long': 'a'.repeat(20_000) }
    const answer = await client.http({ method: 'GET', path: '/health', headers })
    expect(answer.status).toBe(431)
  })

  test('run so many reads at once; one more is told to come again', async () => {
    const running = await startWith({ readsMax: 1 })
    const payload = payloadOf(12_000_000, 5)
    await running.client.upload(payload)
    const { root } = commitmentOf(payload)
    const { port } = new URL(running.endpoints.http)
    const { certPem: ca } = running.provider.parts.tls.current
    const slow = connectTls({ port: Number(port), host: '127.0.0.1', ca })
    sockets.push(slow)
    slow.pause()
    slow.write(`GET /v1/payloads/${root} HTTP/1.1\r\nhost: x\r\n\r\n`)
    await until('the slow read runs', () => running.provider.parts.admission.reads === 1)
    const second = await running.client.get(root)
    expect(second.status).toBe(503)
    expect(codeOf(second)).toBe('QUEUE_FULL')
    expect(second.headers['retry-after']).toBe('1')
    slow.destroy()
    await until('the place is free', () => running.provider.parts.admission.reads === 0)
    expect((await running.client.get(root)).status).toBe(200)
  })
})
