/**
 * The whole corpus against one node in a process of its own: every attack for a while, honest clients
 * beside it, and what must hold afterwards.
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { providerService } from '@holdfast/protocol'
import { expect } from '@jest/globals'
import { until } from '../support/network.ts'
import { NodeProcess } from '../support/node-process.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { CAR_BOMB_ROOTS, CAR_BOMBS } from './car-bombs.ts'
import { type HonestWork, type Progress, workHonestly } from './honest.ts'
import type { Target } from './hostile-sockets.ts'
import { endlessBodies, lyingParts, oddRequests, silence, slowloris } from './http-bombs.ts'
import {
  continuationFlood,
  emptyFrames,
  messageBombs,
  openStreams,
  pingFlood,
  rapidReset,
  settingsFlood,
} from './http2-floods.ts'
import { MESSAGE_BOMBS } from './message-bombs.ts'

/** The node's own ceiling: what it may hold at most, whatever comes. */
export const CEILING_MIB = 512

export const FLOODS: Readonly<Record<string, (target: Target) => Promise<number>>> = {
  'rapid reset': rapidReset,
  'ping flood': pingFlood,
  'settings flood': settingsFlood,
  'headers without end': continuationFlood,
  'streams that never send': openStreams,
  'empty frames': emptyFrames,
  'message bombs': messageBombs(MESSAGE_BOMBS, providerService.openUpload.path),
  slowloris,
  silence,
  'endless bodies': endlessBodies,
}

export const startTarget = (): Promise<NodeProcess> =>
  NodeProcess.start({ memoryMiB: CEILING_MIB - 128, connectionsPerAddress: 48 })

export interface Siege {
  readonly connections: Readonly<Record<string, number>>
  readonly honest: HonestWork
}

/** Some floods at once for a while, with honest clients beside them. */
export const besiege = async (
  node: NodeProcess,
  names: readonly string[],
  ms: number,
): Promise<Siege> => {
  const end = new AbortController()
  setMaxListeners(0, end.signal)
  const { grpcPort, httpPort } = node
  const progress: Progress = { done: 0, failed: [] }
  const seed = Math.floor(Math.random() * 2 ** 30)
  const honest = workHonestly(node.client, seed, { until: end.signal, progress })
  const outside = new Set(names)
  const floods = names.map(async (name, i) => {
    const target: Target = {
      ...{ grpcPort, httpPort, until: end.signal, from: `127.0.0.${2 + i}` },
      onConnected: () => void outside.delete(name),
    }
    return [name, (await FLOODS[name]?.(target)) ?? 0] as const
  })
  try {
    await after(ms)
    // However slow the machine: the attack lasts until every flood is in and honest work was done.
    await until(`connections of: ${names.join(', ')}`, () => outside.size === 0)
    await until('honest work', () => progress.done > 1 || progress.failed.length > 0)
  } finally {
    end.abort()
  }
  return { connections: Object.fromEntries(await Promise.all(floods)), honest: await honest }
}

/** Stops a node while every flood goes on: it ends, whatever state their connections are in. */
export const stopUnderFloods = async (node: NodeProcess): Promise<void> => {
  const end = new AbortController()
  setMaxListeners(0, end.signal)
  const { grpcPort, httpPort } = node
  const outside = new Set(Object.keys(FLOODS))
  const floods = Object.entries(FLOODS).map(([name, flood], i) =>
    flood({
      ...{ grpcPort, httpPort, until: end.signal, from: `127.0.0.${2 + i}` },
      onConnected: () => void outside.delete(name),
    }),
  )
  try {
    await until('connections of every flood', () => outside.size === 0)
    const errors = await node.stop()
    expect(errors.filter(({ event }) => event.includes('own fault'))).toEqual([])
  } finally {
    end.abort()
    await Promise.all(floods)
  }
}

/** Whoever flooded got through to the door, honest clients got their work done, memory held. */
export const mustHold = async (
  node: NodeProcess,
  { connections, honest }: Siege,
): Promise<void> => {
  expect(node.isAlive).toBe(true)
  for (const [name, count] of Object.entries(connections))
    expect([name, count > 0]).toEqual([name, true])
  expect(honest.failed).toEqual([])
  expect(honest.done).toBeGreaterThan(0)
  const peak = await node.peakMiB()
  if (peak !== undefined) expect(peak).toBeLessThan(CEILING_MIB)
}

/** CAR bombs are stored and read like any payload, and asked for by CID. */
export const storeCarBombs = async (node: NodeProcess): Promise<void> => {
  const { client } = node
  for (const { payload } of CAR_BOMBS) {
    await client.upload(payload)
    const read = await client.get(commitmentOf(payload).root)
    expect(Buffer.from(read.body).equals(payload)).toBe(true)
  }
  for (const cid of CAR_BOMB_ROOTS) {
    const path = `/ipfs/${cid}?format=raw`
    await until(
      'it is indexed',
      async () => (await client.http({ method: 'HEAD', path })).status === 200,
    )
    for (const query of ['format=raw', 'format=car', 'format=car&dag-scope=entity']) {
      const answer = await client
        .http({ method: 'GET', path: `/ipfs/${cid}?${query}` })
        .catch(() => undefined)
      // Each block at most once, however many paths lead to it.
      expect(answer?.body.length ?? 0).toBeLessThan(5_000_000)
    }
  }
}

/** Requests that must be refused, one by one. */
export const refuseOddities = async (node: NodeProcess): Promise<void> => {
  const { client, grpcPort, httpPort } = node
  const target: Target = {
    grpcPort,
    httpPort,
    until: new AbortController().signal,
    from: '127.0.1.1',
  }
  expect(await oddRequests(target)).toEqual([])
  const session = await client.open(client.voucher(commitmentOf(payloadOf(200_000, 3))))
  expect(await lyingParts(target, session)).toEqual([])
  await client.call(providerService.abortUpload, session)
}
