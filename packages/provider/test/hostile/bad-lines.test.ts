/** Bad lines, short forms: stalled uploads beside good ones (F29), cut and half-open connections (F31). */
import type { SessionRequest } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { beginPut, type HttpTarget } from '../support/http-client.ts'
import { until } from '../support/network.ts'
import { NodeProcess } from '../support/node-process.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { BadLine } from '../support/proxy.ts'
import { putThrough, storeBesideStalled } from './bad-lines.ts'

test('12 uploads at once, half of them stalled: the others all end well (F29)', () =>
  storeBesideStalled(12))

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

  const put = (
    session: SessionRequest,
    payload: Uint8Array,
    through = line.port,
  ): Promise<number> => putThrough(node, through, { session, payload })

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
