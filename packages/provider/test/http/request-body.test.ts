/** Bodies in bunches: bounded memory while nobody takes them, and what breaks them is said. */
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { expect, test } from '@jest/globals'
import { bunchesOf } from '../../src/http/request-body.ts'
import { receivePart } from '../../src/intake/parts.ts'
import { until } from '../support/network.ts'

const CHUNK = 16_384
const MIB = 2 ** 20
const never = new AbortController().signal

/** Only what a body is read by. */
const requestOf = (stream: PassThrough): IncomingMessage => stream as unknown as IncomingMessage

const sizeOf = (bunch: readonly Uint8Array[]): number =>
  bunch.reduce((sum, { length }) => sum + length, 0)

test('a body that nobody takes makes its sender wait at two mebibytes', async () => {
  const stream = new PassThrough({ highWaterMark: CHUNK })
  let arrived = 0
  const bunches = bunchesOf(requestOf(stream), never, ({ length }) => {
    arrived += length
  })
  const first = bunches.next()
  const total = 8 * MIB
  let sent = 0
  const send = (): void => {
    while (sent < total) {
      sent += CHUNK
      if (!stream.write(Buffer.alloc(CHUNK, 7))) return void stream.once('drain', send)
    }
    stream.end()
  }
  send()
  let length = sizeOf((await first).value ?? [])
  await until('the sender waits', () => stream.isPaused())
  expect(arrived - length).toBe(2 * MIB)
  for await (const bunch of bunches) length += sizeOf(bunch)
  expect(length).toBe(total)
})

test('a body that breaks off is an error, not an end', async () => {
  const stream = new PassThrough()
  const bunches = bunchesOf(requestOf(stream), never, () => undefined)
  const first = bunches.next()
  stream.write(Buffer.alloc(10))
  setImmediate(() => stream.destroy())
  await expect(first).rejects.toThrow('before the body was whole')
})

test('a signal that fires ends the body', async () => {
  const stop = new AbortController()
  const bunches = bunchesOf(requestOf(new PassThrough()), stop.signal, () => undefined)
  const first = bunches.next()
  stop.abort()
  await expect(first).rejects.toMatchObject({ name: 'AbortError' })
})

test('of a part whose third write fails the first two count, and nothing is written afterwards', async () => {
  const begun: bigint[] = []
  let running = 0
  const settled: bigint[] = []
  const target = {
    write: async (offset: bigint, _buffers: readonly Uint8Array[], taken: () => void) => {
      begun.push(offset)
      running++
      taken()
      await new Promise((resolve) => setImmediate(resolve))
      running--
      if (begun.length >= 3 && offset === 2n * BigInt(MIB)) throw new Error('the disk is full')
    },
    settle: async ({ end }: { end: bigint }) => void settled.push(end),
  }
  const range = { start: 0n, end: 8n * BigInt(MIB) }
  const body = {
    checkedAtEnd: false,
    bunches: async function* () {
      for (let i = 0; i < 8; i++) yield [new Uint8Array(MIB)]
    },
  }
  const part = { range, durable: [], stop: never } as unknown as Parameters<typeof receivePart>[1]
  const receiving = receivePart(target as Parameters<typeof receivePart>[0], part, body)
  await expect(receiving).rejects.toThrow('the disk is full')
  expect(settled).toEqual([2n * BigInt(MIB)])
  expect(running).toBe(0)
})
