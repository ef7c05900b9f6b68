/**
 * Uploads over bad lines and beside stalled ones (faults F29 and F31): as many as are asked for, half of
 * them stuck in the middle of a part.
 */
import { providerService, type SessionRequest } from '@holdfast/protocol'
import { expect } from '@jest/globals'
import type { TestClient } from '../support/client.ts'
import { sendHttp } from '../support/http-client.ts'
import { until } from '../support/network.ts'
import { NodeProcess } from '../support/node-process.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { CEILING_MIB } from './corpus.ts'

const SIZE = 200_000

/** Sends a payload, coming again when it is told to. */
const store = async (client: TestClient, seed: number): Promise<void> => {
  const payload = payloadOf(SIZE, seed)
  const session = await client.open(client.voucher(commitmentOf(payload)))
  await until(
    'the part is taken',
    async () => {
      const { status, headers } = await client.put(session, payload, { start: 0, end: SIZE })
      if (status === 503) expect(Number(headers['retry-after'])).toBeGreaterThan(0)
      else expect(status).toBe(200)
      return status === 200
    },
    240_000,
    100,
  )
  await client.commit(session)
}

/** `count` uploads at once, every second one stalled: the others all end well, the stalled are ended. */
export const storeBesideStalled = async (count: number): Promise<void> => {
  const node = await NodeProcess.start({
    memoryMiB: CEILING_MIB - 128,
    sessionsPerPayerMax: 2 * count,
    accountCallsPerMinute: 1_000_000,
    connectionsPerAddress: 2 * count + 100,
    connectionsMax: 2 * count + 200,
    progressSeconds: 1,
  })
  try {
    const { client } = node
    const stalled = Array.from({ length: count / 2 }, async (_, i) => {
      const payload = payloadOf(SIZE, 50_000 + i)
      const session = await client.open(client.voucher(commitmentOf(payload)))
      const half = client.beginPut(session, payload)
      // Refused because all places are taken, or ended because nothing moved: never left standing.
      return half.status.catch(() => 'cut' as const)
    })
    const honest = Array.from({ length: count / 2 }, (_, i) => store(client, 90_000 + i))
    await Promise.all(honest)
    const ends = await Promise.all(stalled)
    expect(ends.every((end) => end === 'cut' || end >= 400)).toBe(true)
    const peak = await node.peakMiB()
    if (peak !== undefined) expect(peak).toBeLessThan(CEILING_MIB)
    const health = await client.http({ method: 'GET', path: '/health' })
    expect(health.status).toBe(200)
  } finally {
    await node.stop()
  }
}

/** Sends a payload as one part over a proxy of the node's HTTPS port; the status. */
export const putThrough = async (
  node: NodeProcess,
  port: number,
  { session, payload }: { readonly session: SessionRequest; readonly payload: Uint8Array },
): Promise<number> => {
  const target = { base: `https://127.0.0.1:${port}`, certPem: node.ready.tls.certPem }
  const headers = {
    authorization: `Bearer ${session.token}`,
    'content-range': `bytes 0-${payload.length - 1}/${payload.length}`,
  }
  const path = `/v1/uploads/${session.session}`
  return (await sendHttp(target, { method: 'PUT', path, headers, body: payload })).status
}

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

/** `each` uploads and as many reads, one after the other without a pause; calls and proofs beside them. */
export const workBesideBulk = async ({
  each,
  periods,
}: {
  readonly each: number
  readonly periods: number
}): Promise<void> => {
  const node = await NodeProcess.start({ accountCallsPerMinute: 1_000_000 })
  const end = new AbortController()
  try {
    const held = payloadOf(4_000_000, 70)
    await node.client.deal(held)
    const uploads = Array.from({ length: each }, (_, i) => uploadOn(node.client, 1000 * i, end))
    const reads = Array.from({ length: each }, () => readOn(node.client, held, end))
    const bulk = Promise.all([...uploads, ...reads])
    bulk.catch(() => end.abort())
    for (let period = 0; period < periods; period++) {
      for (let i = 0; i < 5; i++) await node.client.call(providerService.describe, {})
      const voucher = node.client.voucher(commitmentOf(payloadOf(1000, 99_000 + period)))
      await node.client.open(voucher)
      await node.prove()
    }
    end.abort()
    await bulk
    expect(await node.client.metric('holdfast_egress_bytes_total')).toBeGreaterThan(4_000_000)
  } finally {
    end.abort()
    await node.stop()
  }
}
