/**
 * F18: the thread of a volume dies under its work, by an end from outside or for want of memory. Nothing
 * it acknowledged is lost, nothing it had not made durable is called durable later, the volume goes on
 * with another thread, and meanwhile everything on it can be read and the other volume knows nothing.
 */
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { bytes, type Commitment, HoldfastError } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createVolume } from '../../src/store/volume-files.ts'
import type { VolumeSet, VolumeSetOptions } from '../../src/store/volume-set.ts'
import { MortalThreads } from '../support/mortal-threads.ts'
import { until } from '../support/network.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { DiskSwitches, steeredBy } from '../support/steered-disk.ts'
import { NOW, PROVIDER, readAll, StoreBox, storePayload } from '../support/store.ts'

/** Gets a sector of its own. */
const LARGE = 500_000
const PIECE = 20_000

describe('the thread of a volume', () => {
  let box: StoreBox
  let threads: MortalThreads
  let switches: DiskSwitches
  beforeEach(async () => {
    box = await StoreBox.create()
    threads = new MortalThreads()
    switches = new DiskSwitches()
  })
  afterEach(() => box.remove())

  const open = (change: Partial<VolumeSetOptions> = {}): Promise<VolumeSet> =>
    box.open({
      ...{ platform: threads.platform, restartPausesMs: [0], watchEveryMs: 20 },
      disk: () => steeredBy(switches),
      ...change,
    })

  const conditions = (set: VolumeSet): readonly string[] =>
    set.status().map(({ condition }) => condition)

  const died = (set: VolumeSet, times: number): Promise<void> =>
    until('the thread died and is back', () =>
      set.status().every(({ condition, deaths }) => condition === 'ok' && deaths.count === times),
    )

  /** Writes from an offset on and syncs after each piece; ends when the volume cannot be used. */
  const writeUntilDeath = async (set: VolumeSet, name: string, payload: Uint8Array) => {
    let durable = 0
    try {
      for (let at = 0; ; at = (at + PIECE) % payload.length) {
        const life = set.lifeOf(name)
        await set.write(name, bytes(at), [payload.subarray(at, at + PIECE)])
        await set.sync(name, life)
        durable = Math.max(durable, at + PIECE)
      }
    } catch (error) {
      expect(error).toMatchObject({ detail: { code: 'VOLUME_UNAVAILABLE' } })
    }
    return durable
  }

  test('dies in the middle of uploads: what was durable stays, and they go on', async () => {
    const set = await open()
    const stored = await storePayload(set, payloadOf(5_000, 1))
    const uploads = [LARGE, 300_000].map((size, i) => {
      const payload = payloadOf(size, 10 + i)
      return { name: `u${i}`, payload, commitment: commitmentOf(payload) }
    })
    for (const { name, commitment } of uploads) await set.reserve(name, commitment)
    const writing = uploads.map(({ name, payload }) => writeUntilDeath(set, name, payload))
    await until('bytes on their way', () => set.status().some(({ latencyMs }) => latencyMs > 0))
    threads.killVolume(box.directory)
    const durable = await Promise.all(writing)
    await died(set, 1)
    expect([...set.staged().keys()].sort()).toEqual(['u0', 'u1'])
    for (const [i, { name, payload, commitment }] of uploads.entries()) {
      const from = durable[i] ?? 0
      await set.write(name, bytes(from), [payload.subarray(from)])
      await set.sync(name)
      await set.seal(name, NOW)
      expect(Buffer.from(await readAll(set, commitment)).equals(payload)).toBe(true)
    }
    expect(await readAll(set, stored)).toHaveLength(5_000)
    expect(set.status()[0]?.deaths).toMatchObject({ count: 1, lately: 1 })
  })

  test('what was written in one life is not called durable in the next', async () => {
    const set = await open()
    const payload = payloadOf(LARGE, 2)
    await set.reserve('u', commitmentOf(payload))
    const life = set.lifeOf('u')
    await set.write('u', bytes(0), [payload])
    threads.killVolume(box.directory)
    await died(set, 1)
    await expect(set.sync('u', life)).rejects.toMatchObject({
      detail: { code: 'VOLUME_UNAVAILABLE' },
    })
    await set.sync('u', set.lifeOf('u'))
  })

  test('dies of want of memory, and the payload that was asked for meanwhile is read', async () => {
    threads.memoryMb = 24
    const set = await open()
    const stored = await storePayload(set, payloadOf(5_000, 3))
    const payload = payloadOf(LARGE, 4)
    await set.reserve('u', commitmentOf(payload))
    switches.set('memory', true)
    const [write, read] = await Promise.allSettled([
      set.write('u', bytes(0), [payload]),
      readAll(set, stored),
    ])
    switches.set('memory', false)
    expect(write).toMatchObject({ reason: { detail: { code: 'VOLUME_UNAVAILABLE' } } })
    expect(read).toMatchObject({ value: { length: 5_000 } })
    await died(set, 1)
    expect(set.status()[0]?.deaths.reason).toMatch(/memory/)
    await set.write('u', bytes(0), [payload])
    await set.seal('u', NOW)
  })

  test('while none can be started all is read, nothing is written, and nobody waits for ever', async () => {
    const set = await open({ restartPausesMs: [0, 0, 60_000] })
    const stored = await storePayload(set, payloadOf(5_000, 5))
    threads.stillborn = 2
    threads.killVolume(box.directory)
    await until('three tries', () => set.status()[0]?.deaths.lately === 3)
    expect(conditions(set)).toEqual(['restarting'])
    expect(await readAll(set, stored)).toHaveLength(5_000)
    await expect(set.verify(stored.root)).rejects.toMatchObject({
      detail: { code: 'VOLUME_UNAVAILABLE' },
    })
    await expect(storePayload(set, payloadOf(700, 6))).rejects.toMatchObject({
      detail: { code: 'VOLUME_UNAVAILABLE', reason: expect.stringContaining('started again') },
    })
    await set.list.check()
    expect(conditions(set)).toEqual(['restarting'])
  })

  test('a volume that takes no more writes takes none after its thread died either', async () => {
    const set = await open()
    await storePayload(set, payloadOf(5_000, 7))
    switches.set('sync', true)
    await expect(storePayload(set, payloadOf(5_000, 8))).rejects.toThrow(HoldfastError)
    switches.set('sync', false)
    threads.killVolume(box.directory)
    await until(
      'it is back',
      () => conditions(set)[0] === 'read-only' && threads.started('volume') === 2,
    )
    await until('it is back', () => set.status()[0]?.reason === 'EIO')
    await expect(storePayload(set, payloadOf(5_000, 9))).rejects.toMatchObject({
      detail: { code: 'STORE_READ_ONLY' },
    })
  })

  test('a disk that goes away with it is waited for, and nothing on it is called damaged', async () => {
    const set = await open({ restartPausesMs: [0, 50] })
    const stored = await storePayload(set, payloadOf(5_000, 10))
    await rename(box.directory, `${box.directory}-unplugged`)
    await mkdir(box.directory)
    threads.killVolume(box.directory)
    await until('it is missed', () => conditions(set)[0] === 'unavailable')
    expect(() => set.find(stored.root)).toThrow(/mounted/)
    await rename(`${box.directory}-unplugged`, box.directory)
    await until('it is back', () => conditions(set)[0] === 'ok')
    expect(await readAll(set, stored)).toHaveLength(5_000)
    expect(await set.verify(stored.root)).toBeUndefined()
  })

  test('a disk that hangs when the next one opens it does not keep the store from closing', async () => {
    const set = await open({ hungAfterMs: 100 })
    threads.stuck = true
    threads.killVolume(box.directory)
    await until('the next one was started', () => threads.started('volume') === 2)
    // So long it is waited for.
    set.list.watch(100)
    await box.close(set)
  })

  test('the other volume goes on', async () => {
    const other = join(box.directory, '..', 'other')
    await createVolume(other, PROVIDER)
    const volumes = [box.directory, other].map((directory) => ({
      ...{ directory, capacity: bytes(2 ** 30) },
    }))
    const set = await open({ volumes, restartPausesMs: [60_000] })
    threads.killVolume(other)
    await until('it is dead', () => conditions(set)[1] === 'restarting')
    const stored: Commitment[] = []
    for (let seed = 11; seed < 15; seed++) {
      stored.push(await storePayload(set, payloadOf(5_000, seed)))
    }
    for (const commitment of stored) {
      expect(set.find(commitment.root)?.payload.path.startsWith(box.directory)).toBe(true)
    }
  })

  test('threads that read are replaced, and their reads are done again', async () => {
    const set = await open()
    const payload = payloadOf(LARGE, 16)
    const stored = await storePayload(set, payload)
    await readAll(set, stored)
    // A thread may be done with all of it before its end comes: then once more.
    while (threads.started('frames') < 3) {
      const reading = Promise.all([1, 2, 3].map(() => readAll(set, stored)))
      threads.killReaders()
      for (const read of await reading) expect(Buffer.from(read).equals(payload)).toBe(true)
    }
  })
})
