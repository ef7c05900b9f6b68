/** What may be collected, when, and that collecting gives room back without losing anything. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@holdfast/chain'
import { bytes, type Commitment, period, type Root, seconds, timestamp } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { claimedRoots } from '../../src/gc/claims.ts'
import { Collector, type CollectorDependencies } from '../../src/gc/collector.ts'
import { Promises } from '../../src/journal/promises.ts'
import { createVolume } from '../../src/store/volume-files.ts'
import type { VolumeSet } from '../../src/store/volume-set.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { DiskSwitches, steeredBy } from '../support/steered-disk.ts'
import { NOW, PROVIDER, readAll, StoreBox, storePayload } from '../support/store.ts'

const DAY = 86_400

/** A deal as far as claims look at it. */
const dealOn = (root: Root, change: { closed?: boolean; end?: number } = {}): never =>
  ({ terms: { root }, closed: change.closed ?? false, end: period(change.end ?? 10) }) as never

describe('collection', () => {
  let box: StoreBox
  let set: VolumeSet
  let deals: never[]
  let now: number
  const removed: Root[] = []
  const told: Root[] = []
  beforeEach(async () => {
    box = await StoreBox.create()
    set = await box.open({ sharedSectorBytes: bytes(40_000) })
    deals = []
    now = 1_800_000_000
    removed.length = 0
    told.length = 0
  })
  afterEach(() => box.remove())

  const collector = (): Collector => {
    const state = {
      cursor: {
        get timestamp() {
          return timestamp(now)
        },
      },
      finalBefore: () => period(100),
      deals: () => deals,
      deal: () => undefined,
    }
    const book = {
      promises: new Promises(),
      record: async (entry: { root: Root }) => {
        removed.push(entry.root)
      },
    }
    const dependencies = {
      ...{ store: set, clock: systemClock, logger: box.logger },
      ...{ follower: { state }, book, holdings: { verify: (root: Root) => set.verify(root) } },
      onRemoved: async (root: Root) => {
        // Whoever is told finds it gone.
        if (set.find(root) === undefined) told.push(root)
      },
    }
    const options = { trashTime: seconds(7 * DAY), graceMs: 0 }
    return new Collector(dependencies as unknown as CollectorDependencies, options)
  }

  test('one deal of two on the same content ends: the content stays until the other ends', async () => {
    const { root } = await storePayload(set, payloadOf(5_000, 1))
    const collecting = collector()
    deals = [dealOn(root, { closed: true }), dealOn(root)]
    for (let day = 0; day < 10; day++, now += DAY) await collecting.pass()
    expect(set.find(root)).toBeDefined()
    deals = [dealOn(root, { closed: true }), dealOn(root, { closed: true })]
    for (let day = 0; day < 7; day++, now += DAY) await collecting.pass()
    expect(set.find(root)).toBeDefined()
    await collecting.pass()
    expect([set.find(root), removed, told]).toEqual([undefined, [root], [root]])
  })

  test('a payload that a drain left on two volumes is gone from both before anybody is told', async () => {
    const other = join(box.directory, '..', 'other')
    await createVolume(other, PROVIDER)
    await box.close(set)
    const volumes = [box.directory, other].map((directory) => ({
      directory,
      capacity: bytes(2 ** 30),
    }))
    set = await box.open({ volumes })
    const payload = payloadOf(5_000, 1)
    const commitment = commitmentOf(payload)
    const name = 'twice'
    for (const volume of set.volumes) {
      await volume.ask({ kind: 'reserve', name, commitment, layersBytes: bytes(0) })
      await volume.ask({ kind: 'write', name, offset: 0, data: payload })
      const { framesCrc = 0 } = (await volume.ask({ kind: 'prepare', name })) ?? {}
      await volume.ask({ kind: 'seal', name, storedAt: NOW, framesCrc })
    }
    expect(set.volumes.map(({ table }) => table.size)).toEqual([1, 1])
    const collecting = collector()
    await collecting.pass()
    now += 8 * DAY
    await collecting.pass()
    expect([removed, told]).toEqual([[commitment.root], [commitment.root]])
    expect(set.volumes.map(({ table }) => table.size)).toEqual([0, 0])
  })

  test('on a full disk what gives room back is removed, and the rest once there is some', async () => {
    await box.close(set)
    const switches = new DiskSwitches()
    set = await box.open({ disk: () => steeredBy(switches) })
    const small: Commitment[] = []
    for (const seed of [1, 2, 3]) small.push(await storePayload(set, payloadOf(5_000, seed)))
    const large = [await storePayload(set, payloadOf(500_000, 4))]
    large.push(await storePayload(set, payloadOf(600_000, 5)))
    const collecting = collector()
    await collecting.pass()
    now += 8 * DAY
    switches.set('room', true)
    expect(await collecting.pass()).toEqual({ removed: 2 })
    expect(new Set(told)).toEqual(new Set(large.map(({ root }) => root)))
    for (const commitment of small) expect(await readAll(set, commitment)).toHaveLength(5_000)
    switches.set('room', false)
    expect(await collecting.pass()).toEqual({ removed: 3 })
    expect(told).toHaveLength(5)
  })

  test('a claim that comes back starts the trash time anew; an end that is not final is none', async () => {
    const { root } = await storePayload(set, payloadOf(5_000, 1))
    const collecting = collector()
    await collecting.pass()
    now += 6 * DAY
    deals = [dealOn(root, { closed: true, end: 100 })]
    await collecting.pass()
    deals = []
    now += 2 * DAY
    await collecting.pass()
    now += 6 * DAY
    await collecting.pass()
    expect(set.find(root)).toBeDefined()
    now += 2 * DAY
    await collecting.pass()
    expect(set.find(root)).toBeUndefined()
  })

  test('sectors that are mostly dead are copied together, and what lives stays readable', async () => {
    const kept: Commitment[] = []
    const gone: Commitment[] = []
    for (let seed = 1; seed <= 24; seed++) {
      const commitment = await storePayload(set, payloadOf(5_000, seed))
      ;(seed % 4 === 0 ? kept : gone).push(commitment)
    }
    const before = (await set.usage()).used
    deals = kept.map(({ root }) => dealOn(root))
    const collecting = collector()
    await collecting.pass()
    now += 8 * DAY
    await collecting.pass()
    await collecting.pass()
    const { used } = await set.usage()
    expect(used).toBeLessThan(before / 2n)
    for (const commitment of kept) expect(await readAll(set, commitment)).toHaveLength(5_000)
    await box.close(set)
    set = await box.open({ sharedSectorBytes: bytes(40_000), rebuild: 'deep' })
    for (const { root } of gone) expect(set.find(root)).toBeUndefined()
    for (const commitment of kept) expect(await readAll(set, commitment)).toHaveLength(5_000)
    expect((await readdir(join(box.directory, 'sectors'))).length).toBeLessThan(6)
  })

  test('with no room to copy to, a round says so and goes on, and later ones do it', async () => {
    await box.close(set)
    const switches = new DiskSwitches()
    const disk = () => steeredBy(switches)
    set = await box.open({ sharedSectorBytes: bytes(40_000), disk })
    for (let seed = 1; seed <= 24; seed++) {
      const commitment = await storePayload(set, payloadOf(5_000, seed))
      if (seed % 4 === 0) deals.push(dealOn(commitment.root))
      else await set.remove(commitment.root)
    }
    const before = (await set.usage()).used
    const collecting = collector()
    switches.set('room', true)
    expect(await collecting.pass()).toEqual({ removed: 0 })
    expect(box.log.map(({ event }) => event)).toContain('no room to copy a sector together')
    switches.set('room', false)
    for (let pass = 0; pass < 2; pass++) await collecting.pass()
    expect((await set.usage()).used).toBeLessThan(before / 2n)
  })

  /** Sectors in which half is alive and the other half are tombstones that are needed. */
  const storeBalanced = async (): Promise<readonly Commitment[]> => {
    await box.close(set)
    set = await box.open({ sharedSectorBytes: bytes(32 * 4096) })
    const kept: Commitment[] = []
    const gone: Commitment[] = []
    // Half of each of these goes later: not enough to copy them.
    for (let sector = 0; sector < 2; sector++) {
      for (let i = 0; i < 14; i++)
        gone.push(await storePayload(set, payloadOf(3_000, 100 * sector + i)))
      kept.push(await storePayload(set, payloadOf(64_000, 100 * sector + 50)))
    }
    for (let sector = 0; sector < 3; sector++) {
      kept.push(await storePayload(set, payloadOf(53_000, 100 * sector + 60)))
      for (const { root } of gone.splice(0, 14)) await set.remove(root)
    }
    return kept
  }

  test('what would give no room back is not copied', async () => {
    const kept = await storeBalanced()
    deals = kept.map(({ root }) => dealOn(root))
    const sectors = (): Promise<string[]> => readdir(join(box.directory, 'sectors'))
    const before = await sectors()
    expect(before).toHaveLength(5)
    const collecting = collector()
    for (let pass = 0; pass < 3; pass++) await collecting.pass()
    expect(await sectors()).toEqual(before)
  })

  test('a receipt without a deal is a claim for its time, an accepted deal until it is refused', () => {
    const root = `0x${'01'.repeat(32)}` as Root
    const facts = {
      state: { deals: () => [], deal: () => undefined },
      finalBefore: period(0),
      receiptTime: seconds(DAY),
    }
    const session = (receipt: object | undefined): never =>
      ({ request: { voucher: { root } }, end: undefined, receipt }) as never
    const at = (given: number, promises: object): boolean =>
      claimedRoots({ ...facts, now: timestamp(given), promises: promises as never }).has(root)
    const receipt = { receipt: { storedAt: timestamp(1_000) } }
    const withReceipt = { sessions: new Map([['s', session(receipt)]]), deals: new Map() }
    expect([at(1_000 + DAY - 1, withReceipt), at(1_000 + DAY, withReceipt)]).toEqual([true, false])
    const open = { sessions: new Map([['s', session(undefined)]]), deals: new Map() }
    expect(at(9_000_000, open)).toBe(true)
    const accepted = (refused: string | undefined): object => ({
      sessions: new Map(),
      deals: new Map([['d', { deal: 'd', proposal: { terms: { root } }, refused }]]),
    })
    expect([at(1, accepted(undefined)), at(1, accepted('late'))]).toEqual([true, false])
  })
})
