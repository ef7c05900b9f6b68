/**
 * Uploads over bad lines and beside stalled ones (faults F29 and F31): as many as are asked for, half of
 * them stuck in the middle of a part.
 */
import { expect } from '@jest/globals'
import type { TestClient } from '../support/client.ts'
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
