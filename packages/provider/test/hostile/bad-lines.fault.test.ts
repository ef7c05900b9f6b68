/**
 * A thousand uploads at once, half of them stalled (F29), round trips of 300 ms (F31), and bulk that
 * takes all it can get while control and proofs go on: long forms.
 */
import { systemClock } from '@holdfast/chain'
import { expect, test } from '@jest/globals'
import { NodeProcess } from '../support/node-process.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { BadLine } from '../support/proxy.ts'
import { putThrough, storeBesideStalled, workBesideBulk } from './bad-lines.ts'

test('1,000 uploads at once, half of them stalled: the others all end well (F29)', () =>
  storeBesideStalled(1000))

test('a part takes a few round trips of 300 ms, however long it is (F31)', async () => {
  const node = await NodeProcess.start()
  const line = await BadLine.open(node.httpPort)
  try {
    line.delayMs = 150
    const payload = payloadOf(8_000_000, 61)
    const session = await node.client.open(node.client.voucher(commitmentOf(payload)))
    const before = systemClock.now()
    expect(await putThrough(node, line.port, { session, payload })).toBe(200)
    // TCP, TLS, the part: three. A window of 64 KiB per round trip would take 120.
    expect((systemClock.now() - before) / 300).toBeLessThan(40)
    await node.client.commit(session)
  } finally {
    await line.close()
    await node.stop()
  }
})

test('bulk on 16 connections for 20 periods keeps neither calls nor proofs waiting', () =>
  workBesideBulk({ each: 8, periods: 20 }))
