/**
 * Several volumes: placement, draining, a disk that hangs, fails, fills up or goes away, while the
 * others go on. The faults happen on the volume's own threads (`steered-disk.ts`).
 */
import { access, mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@holdfast/chain'
import { bytes, type Commitment, milliseconds } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { drainVolume } from '../../src/store/drain.ts'
import { createVolume } from '../../src/store/volume-files.ts'
import type { VolumeSet, VolumeSetOptions } from '../../src/store/volume-set.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { DiskSwitches, steeredBy } from '../support/steered-disk.ts'
import { PROVIDER, readAll, StoreBox, storePayload } from '../support/store.ts'

const LARGE = 500_000

describe('several volumes', () => {
  let box: StoreBox
  let other: string
  let switches: DiskSwitches
  beforeEach(async () => {
    box = await StoreBox.create()
    other = join(box.directory, '..', 'other')
    await createVolume(other, PROVIDER)
    switches = new DiskSwitches()
  })
  afterEach(async () => {
    switches.set('hang', false)
    await box.remove()
  })

  /** Both volumes; the second one's disk obeys the switches. */
  const openBoth = (change: Partial<VolumeSetOptions> = {}): Promise<VolumeSet> =>
    box.open({
      volumes: [box.directory, other].map((directory) => ({ directory, capacity: bytes(2 ** 30) })),
      disk: (directory) => (directory === other ? steeredBy(switches) : undefined),
      ...change,
    })

  /** Stores a payload on one of them. */
  const storeOn = async (
    set: VolumeSet,
    directory: string,
    seed: number,
    length = 5_000,
  ): Promise<Commitment> => {
    const payload = payloadOf(length, seed)
    const commitment = commitmentOf(payload)
    const volume = set.volumes.find((candidate) => candidate.directory === directory)
    await set.reserve(`on${seed}`, commitment, volume)
    await set.write(`on${seed}`, bytes(0), [payload])
    await set.sync(`on${seed}`)
    await set.seal(`on${seed}`, 1n as never)
    return commitment
  }

  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await systemClock.sleep(milliseconds(20))
  }

  test('a hung disk is left alone, the other one goes on, and it is never called missing', async () => {
    const set = await openBoth({ hungAfterMs: 2_500, watchEveryMs: 100 })
    const here = await storeOn(set, box.directory, 1)
    const there = await storeOn(set, other, 2)
    // Threads are up before the disk hangs: starting one takes long on a busy machine.
    for (const commitment of [here, there]) await readAll(set, commitment)
    switches.set('hang', true)
    const stuck = set.read(there.root, { start: bytes(0), end: there.length })
    await expect(stuck[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      detail: { code: 'VOLUME_UNAVAILABLE' },
    })
    expect(() => set.find(there.root)).toThrow(/does not answer/)
    expect(await readAll(set, here)).toHaveLength(5_000)
    const during = await storePayload(set, payloadOf(LARGE, 3))
    expect(set.find(during.root)?.payload.path.startsWith(box.directory)).toBe(true)
    expect(set.status().map(({ condition }) => condition)).toEqual(['ok', 'unavailable'])
    switches.set('hang', false)
    await until(() => set.status().every(({ condition }) => condition === 'ok'))
    expect(await readAll(set, there)).toHaveLength(5_000)
  })

  test('a failed sync acknowledges nothing and closes that volume for writing', async () => {
    let set = await openBoth()
    const there = await storeOn(set, other, 1)
    switches.set('sync', true)
    await expect(storeOn(set, other, 2)).rejects.toMatchObject({
      detail: { code: 'STORE_READ_ONLY' },
    })
    switches.set('sync', false)
    await expect(storeOn(set, other, 3)).rejects.toMatchObject({
      detail: { code: 'STORE_READ_ONLY' },
    })
    expect(await readAll(set, there)).toHaveLength(5_000)
    await storePayload(set, payloadOf(LARGE, 4))
    expect(set.status().map(({ condition }) => condition)).toEqual(['ok', 'read-only'])
    await box.close(set)
    set = await openBoth()
    expect(set.find(commitmentOf(payloadOf(5_000, 2)).root)).toBeUndefined()
    await storeOn(set, other, 5)
  })

  test('no room and no file descriptors pass: the volume works again afterwards', async () => {
    const set = await openBoth()
    const there = await storeOn(set, other, 1)
    switches.set('room', true)
    await expect(storeOn(set, other, 2)).rejects.toMatchObject({ detail: { code: 'DISK_FULL' } })
    expect(await readAll(set, there)).toHaveLength(5_000)
    switches.set('room', false)
    switches.set('files', true)
    await expect(readAll(set, there)).rejects.toMatchObject({
      detail: { code: 'VOLUME_UNAVAILABLE' },
    })
    switches.set('files', false)
    expect(await readAll(set, there)).toHaveLength(5_000)
    await storeOn(set, other, 3)
    expect(set.status().map(({ condition }) => condition)).toEqual(['ok', 'ok'])
  })

  test('on a full disk a payload in a file of its own is removed, and one in a shared file waits', async () => {
    let set = await openBoth()
    const shared = await storeOn(set, other, 1)
    const own = await storeOn(set, other, 2, LARGE)
    const path = set.find(own.root)?.payload.path ?? ''
    const volume = set.volumes.find(({ directory }) => directory === other)
    switches.set('room', true)
    await expect(volume?.ask({ kind: 'remove', root: shared.root })).rejects.toMatchObject({
      detail: { code: 'DISK_FULL' },
    })
    await volume?.ask({ kind: 'remove', root: own.root })
    expect(set.find(own.root)).toBeUndefined()
    await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await readAll(set, shared)).toHaveLength(5_000)
    switches.set('room', false)
    await volume?.ask({ kind: 'remove', root: shared.root })
    await storeOn(set, other, 3)
    await box.close(set)
    set = await openBoth()
    expect([shared, own].map(({ root }) => set.find(root))).toEqual([undefined, undefined])
    expect(await readAll(set, commitmentOf(payloadOf(5_000, 3)))).toHaveLength(5_000)
  })

  test('a place that cannot be read spoils its own payload, and nothing else', async () => {
    const set = await openBoth()
    const [sick, well] = [await storeOn(set, other, 1), await storeOn(set, other, 2)]
    const { path, offset } = set.find(sick.root)?.payload ?? { path: '', offset: 0n }
    expect(set.find(well.root)?.payload.path).toBe(path)
    switches.failReadsAt(Number(offset) + 2_000)
    await expect(readAll(set, sick)).rejects.toMatchObject({
      detail: { code: 'PAYLOAD_CORRUPT', root: sick.root, what: expect.stringContaining('EIO') },
    })
    expect(await set.verify(sick.root)).toMatchObject({ what: expect.stringContaining('EIO') })
    expect(await readAll(set, well)).toHaveLength(5_000)
    expect(await set.verify(well.root)).toBeUndefined()
    const fresh = await storeOn(set, other, 3)
    expect(await readAll(set, fresh)).toHaveLength(5_000)
    expect(set.status().map(({ condition }) => condition)).toEqual(['ok', 'ok'])
  })

  test('what cannot be read back is not sealed, and costs only its own upload', async () => {
    const set = await openBoth()
    const payload = payloadOf(5_000, 1)
    const commitment = commitmentOf(payload)
    const volume = set.volumes.find(({ directory }) => directory === other)
    await set.reserve('sick', commitment, volume)
    // Written out of order: its frame is read back when it is sealed.
    await set.write('sick', bytes(2_000), [payload.subarray(2_000)])
    await set.write('sick', bytes(0), [payload.subarray(0, 2_000)])
    await set.sync('sick')
    switches.set('read', true)
    await expect(set.seal('sick', 1n as never)).rejects.toMatchObject({
      detail: { code: 'STORE_CORRUPT' },
    })
    switches.set('read', false)
    await storeOn(set, other, 2)
    expect(set.find(commitment.root)).toBeUndefined()
    expect(set.status().map(({ condition }) => condition)).toEqual(['ok', 'ok'])
  })

  test('a volume that goes away is noticed, its payloads are not called missing, and it comes back', async () => {
    const set = await openBoth()
    const there = await storeOn(set, other, 1)
    await rename(other, `${other}-unplugged`)
    await mkdir(other)
    await set.list.check()
    expect(() => set.find(there.root)).toThrow(/mounted/)
    await expect(storeOn(set, other, 2)).rejects.toMatchObject({
      detail: { code: 'VOLUME_UNAVAILABLE' },
    })
    await storePayload(set, payloadOf(5_000, 3))
    await rename(`${other}-unplugged`, other)
    await set.list.check()
    expect(await readAll(set, there)).toHaveLength(5_000)
  })

  test('a volume that is not there at the start leaves the others working', async () => {
    let set = await openBoth()
    const there = await storeOn(set, other, 1)
    await box.close(set)
    await rename(other, `${other}-unplugged`)
    set = await openBoth()
    expect(set.status().map(({ condition }) => condition)).toEqual(['ok', 'missing'])
    expect(() => set.find(there.root)).toThrow(/volume/)
    await storePayload(set, payloadOf(5_000, 2))
    await rename(`${other}-unplugged`, other)
    await set.list.check()
    expect(await readAll(set, there)).toHaveLength(5_000)
  })

  test('drains a volume, also after being stopped half way, and then lets it go', async () => {
    const set = await openBoth()
    const moved: Commitment[] = []
    for (let seed = 1; seed <= 6; seed++) moved.push(await storeOn(set, other, seed))
    const holdings = { damageOf: () => undefined, noteDamage: async () => undefined }
    const dependencies = { set, holdings, logger: box.logger }
    const controller = new AbortController()
    const stopping = { ...dependencies, holdings: { ...holdings, damageOf: () => stopAfter(3) } }
    let seen = 0
    const stopAfter = (count: number): undefined => {
      seen++
      if (seen > count) controller.abort()
      return undefined
    }
    const { signal } = controller
    await expect(drainVolume(stopping, other, { signal })).rejects.toMatchObject({
      detail: { code: 'ABORTED' },
    })
    await expect(set.list.remove(other)).rejects.toThrow(/drain it first/)
    await drainVolume(dependencies, other)
    await set.list.remove(other)
    for (const commitment of moved) expect(await readAll(set, commitment)).toHaveLength(5_000)
    expect(set.status()).toHaveLength(1)
  })
})
