/**
 * Uploads over bad lines and beside stalled ones (faults F29 and F31): as many as are asked for, half of
 * them stuck in the middle of a part.
 */
import {
  type Commitment,
  HoldfastError,
  type OpenUploadResponse,
  periods as periodCount,
  providerService,
  type SessionRequest,
} from '@holdfast/protocol'
import { expect } from '@jest/globals'
import type { TestClient } from '../support/client.ts'
import { sendHttp } from '../support/http-client.ts'
import { until } from '../support/network.ts'
import { NodeProcess } from '../support/node-process.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { CEILING_MIB } from './corpus.ts'

const SIZE = 200_000

interface Upload {
  readonly payload: Uint8Array
  readonly session: OpenUploadResponse
}

/** Sessions are opened some at a time: a call has a minute, however slow the machine. */
const OPENED_AT_ONCE = 16

const openUploads = async (client: TestClient, seeds: readonly number[]): Promise<Upload[]> => {
  const uploads: Upload[] = []
  const left = seeds.values()
  const opener = async (): Promise<void> => {
    for (const seed of left) {
      const payload = payloadOf(SIZE, seed)
      const session = await client.open(client.voucher(commitmentOf(payload)))
      uploads.push({ payload, session })
    }
  }
  await Promise.all(Array.from({ length: OPENED_AT_ONCE }, opener))
  return uploads
}

/**
 * Sends a payload, coming again when it is told to or was cut: with a thousand connections in one
 * process this side may itself be silent for longer than the node allows.
 */
const store = async (client: TestClient, { payload, session }: Upload): Promise<void> => {
  await until(
    'the part is taken',
    async () => {
      const part = { start: 0, end: SIZE }
      const answer = await client.put(session, payload, part).catch(() => undefined)
      if (answer === undefined) return false
      const { status, headers } = answer
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
    const seeds = Array.from({ length: count / 2 }, (_, i) => i)
    const bad = await openUploads(
      client,
      seeds.map((i) => 50_000 + i),
    )
    const good = await openUploads(
      client,
      seeds.map((i) => 90_000 + i),
    )
    const stalled = bad.map(({ payload, session }) => {
      const half = client.beginPut(session, payload)
      // Refused because all places are taken, or ended because nothing moved: never left standing.
      return half.status.catch(() => 'cut' as const)
    })
    const honest = good.map((upload) => store(client, upload))
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

/** What bulk came to: transfers that ended well, and connections that were lost on the way. */
interface Bulk {
  done: number
  lost: number
}

/** By its shape: errors of the system are not from this realm. */
const isOfSystem = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'

/** Again and again; a connection that is lost (this process is busy too) is no end, a refusal is. */
const goOn = async (
  bulk: Bulk,
  end: AbortController,
  transfer: (i: number) => Promise<unknown>,
): Promise<void> => {
  for (let i = 0; !end.signal.aborted; i++) {
    try {
      await transfer(i)
      bulk.done++
    } catch (error) {
      if (HoldfastError.is(error) || !isOfSystem(error)) throw error
      bulk.lost++
    }
  }
}

const readHeld = async (client: TestClient, { root, length }: Commitment): Promise<void> => {
  const { body, status } = await client.get(root)
  if (status !== 503) expect(body.length).toBe(Number(length))
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
    await node.client.deal(held, periodCount(periods + 1))
    const commitment = commitmentOf(held)
    const bulk: Bulk = { done: 0, lost: 0 }
    const running = Array.from({ length: each }, (_, k) => [
      goOn(bulk, end, (i) => node.client.upload(payloadOf(1_000_000, 1000 * k + i))),
      goOn(bulk, end, () => readHeld(node.client, commitment)),
    ])
    const control = async (): Promise<void> => {
      for (let period = 0; period < periods && !end.signal.aborted; period++) {
        for (let i = 0; i < 5; i++) await node.client.call(providerService.describe, {})
        const voucher = node.client.voucher(commitmentOf(payloadOf(1000, 99_000 + period)))
        await node.client.open(voucher)
        await node.prove()
      }
      end.abort()
    }
    await Promise.all([...running.flat(), control()])
    expect(bulk.done).toBeGreaterThan(periods + bulk.lost)
    expect(await node.client.metric('holdfast_egress_bytes_total')).toBeGreaterThan(4_000_000)
  } finally {
    end.abort()
    await node.stop()
  }
}
