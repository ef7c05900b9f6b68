/**
 * Bad lines, short forms: stalled uploads beside good ones (F29), long round trips, cut and half-open
 * connections (F31), and bulk that takes all it can get while control and proofs go on.
 */

import { systemClock } from '@holdfast/chain'
import { providerService } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { TestClient } from '../support/client.ts'
import { beginPut, type HttpTarget, sendHttp } from '../support/http-client.ts'
import { until } from '../support/network.ts'
import { NodeProcess } from '../support/node-process.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { BadLine } from '../support/proxy.ts'
import { storeBesideStalled } from './bad-lines.ts'

test('24 uploads at once, half of them stalled: the others all end well (F29)', () =>
  storeBesideStalled(24))

describe('over a bad line (F31)', () => {
  let node: NodeProcess
  let line: BadLine

  beforeAll(async () => {
    node = await NodeProcess.start({ progressSeconds: 1 })
    line = await BadLine.open(node.httpPort)
  })

  afterAll(async () => {
    await line.close()
    await node.stop()
  })

  const throughLine = (): HttpTarget => ({
    base: `https://127.0.0.1:${line.port}`,
    certPem: node.ready.tls.certPem,
  })

  const partsRunning = (count: number): Promise<void> =>
    until(`${count} parts are on their way`, async () => {
      return (await node.client.metric('holdfast_upload_parts_running')) === count
    })

  const put = async (
    session: { readonly session: string; readonly token: string },
    payload: Uint8Array,
    through = line.port,
  ): Promise<number> => {
    const target = { base: `https://127.0.0.1:${through}`, certPem: node.ready.tls.certPem }
    const headers = {
      authorization: `Bearer ${session.token}`,
      'content-range': `bytes 0-${payload.length - 1}/${payload.length}`,
    }
    const path = `/v1/uploads/${session.session}`
    return (await sendHttp(target, { method: 'PUT', path, headers, body: payload })).status
  }

  test('of 300 ms a part takes a few round trips, however long it is', async () => {
    line.delayMs = 150
    const payload = payloadOf(4_000_000, 61)
    const session = await node.client.open(node.client.voucher(commitmentOf(payload)))
    const before = systemClock.now()
    expect(await put(session, payload)).toBe(200)
    // TCP, TLS, the part: three. A window of 64 KiB per round trip would take sixty.
    expect((systemClock.now() - before) / 300).toBeLessThan(40)
    line.delayMs = 0
    await node.client.commit(session)
  })

  test('that is cut in the middle, the part is sent again and the payload is whole', async () => {
    const payload = payloadOf(3_000_000, 62)
    const session = await node.client.open(node.client.voucher(commitmentOf(payload)))
    const half = beginPut(throughLine(), session, payload)
    const broken = half.status.catch(() => 'broken')
    await partsRunning(1)
    line.cut()
    expect(await broken).toBe('broken')
    expect(await put(session, payload)).toBe(200)
    await node.client.commit(session)
  })

  test('that goes silent, a new connection takes over at once and the old one is ended', async () => {
    const payload = payloadOf(500_000, 63)
    const session = await node.client.open(node.client.voucher(commitmentOf(payload)))
    const half = beginPut(throughLine(), session, payload)
    const old = half.status.catch(() => 'cut')
    await partsRunning(1)
    line.isSilent = true
    // The provider still waits for the old connection; the same bytes come over another one.
    expect(await put(session, payload, node.httpPort)).toBe(200)
    await node.client.commit(session)
    await partsRunning(0)
    line.isSilent = false
    half.cut()
    await old
  })
})

describe('bulk that takes all it can get', () => {
  test('does not keep control and proofs from going on', async () => {
    const node = await NodeProcess.start({ accountCallsPerMinute: 1_000_000 })
    const end = new AbortController()
    try {
      const held = payloadOf(4_000_000, 70)
      await node.client.deal(held)
      const bulk = (client: TestClient, seed: number): Promise<void> => uploadOn(client, seed, end)
      const uploads = Array.from({ length: 4 }, (_, i) => bulk(node.client, 1000 * i))
      const reads = Array.from({ length: 4 }, () => readOn(node.client, held, end))
      let calls = 0
      for (let period = 0; period < 2; period++) {
        for (let i = 0; i < 5; i++, calls++) await node.client.call(providerService.describe, {})
        const voucher = node.client.voucher(commitmentOf(payloadOf(1000, 99_000 + period)))
        await node.client.open(voucher)
        await node.prove()
      }
      end.abort()
      const moved = (await Promise.all([...uploads, ...reads])).length
      expect([calls, moved]).toEqual([10, 8])
      expect(await node.client.metric('holdfast_egress_bytes_total')).toBeGreaterThan(4_000_000)
    } finally {
      end.abort()
      await node.stop()
    }
  })
})

const uploadOn = async (client: TestClient, seed: number, end: AbortController): Promise<void> => {
  for (let i = 0; !end.signal.aborted; i++) await client.upload(payloadOf(1_000_000, seed + i))
}

const readOn = async (
  client: TestClient,
  held: Uint8Array,
  end: AbortController,
): Promise<void> => {
  const { root } = commitmentOf(held)
  while (!end.signal.aborted) {
    const { body, status } = await client.get(root)
    if (status !== 503) expect(body.length).toBe(held.length)
  }
}
