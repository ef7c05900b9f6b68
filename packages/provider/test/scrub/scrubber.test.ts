/** Scrubbing: oldest first, remembered over a restart, yielding; and repair of what it finds. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@holdfast/chain'
import {
  bytes,
  type Clock,
  HoldfastError,
  leafIndex,
  milliseconds,
  type Root,
  seconds,
  timestamp,
} from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Holdings } from '../../src/holdings.ts'
import { PromiseBook } from '../../src/journal/promise-book.ts'
import { Scrubber } from '../../src/scrub/scrubber.ts'
import { loadVerified } from '../../src/store/verified-times.ts'
import type { VolumeSet } from '../../src/store/volume-set.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { flipByte, NOW, readAll, StoreBox, storePayload } from '../support/store.ts'

const DAY = 86_400

describe('scrubbing', () => {
  let box: StoreBox
  let journal: string
  let book: PromiseBook
  beforeEach(async () => {
    today = 5
    box = await StoreBox.create()
    journal = await mkdtemp(join(tmpdir(), 'holdfast-scrub-'))
    book = await PromiseBook.open(journal, timestamp(1), box.logger)
  })
  afterEach(async () => {
    await book.close()
    await box.remove()
    await rm(journal, { recursive: true, force: true })
  })

  const holdingsOn = (store: VolumeSet): Holdings =>
    new Holdings({ store, book, logger: box.logger, dealsOf: () => [], onDamage: () => undefined })

  /** A clock some days after everything was stored, which does not really sleep but for the watch. */
  let today = 5
  const clockWith = (slept: number[] = []): Clock => ({
    now: () => milliseconds((Number(NOW) + today * DAY) * 1000),
    sleep: async (ms, options) => {
      slept.push(Number(ms))
      await systemClock.sleep(milliseconds(ms === 1_000 ? 1_000 : 0), options)
    },
  })

  /** Runs until nothing is left to verify. */
  const scrubAll = async (
    store: VolumeSet,
    clock: Clock,
    isProving = () => false,
  ): Promise<Root[]> => {
    const order: Root[] = []
    const controller = new AbortController()
    const holdings = holdingsOn(store)
    const watched = {
      damageOf: (root: Root) => holdings.damageOf(root),
      verify: async (root: Root) => {
        order.push(root)
        return holdings.verify(root)
      },
    }
    const idle: Clock = {
      ...clock,
      sleep: async (ms, options) => {
        await clock.sleep(ms, options)
        if (ms === 60_000) controller.abort()
      },
    }
    const scrubber = new Scrubber(
      { store, holdings: watched, clock: idle, logger: box.logger, isProving },
      { passTime: seconds(14 * DAY) },
    )
    await scrubber.run(controller.signal)
    return order
  }

  test('verifies everything once a pass, oldest first, and remembers it over a restart', async () => {
    let store = await box.open({ clock: clockWith() })
    const roots: Root[] = []
    for (let seed = 1; seed <= 5; seed++)
      roots.push((await storePayload(store, payloadOf(3_000, seed))).root)
    await store.verify(roots[0] as Root)
    today = 6
    const order = await scrubAll(store, clockWith())
    expect([...order].sort()).toEqual(roots.slice(1).sort())
    await box.close(store)
    store = await box.open({ clock: clockWith() })
    await Promise.all(store.volumes.map((volume) => loadVerified(volume)))
    expect(await scrubAll(store, clockWith())).toEqual([])
    today = 10
    expect(await scrubAll(store, clockWith())).toHaveLength(5)
    const status = new Scrubber(
      {
        store,
        holdings: holdingsOn(store),
        clock: clockWith(),
        logger: box.logger,
        isProving: () => false,
      },
      { passTime: seconds(14 * DAY) },
    ).status(14)
    expect(status).toMatchObject({ payloads: 5, verifiedBytes: 15_000n })
  })

  test('waits while there is something to prove', async () => {
    const slept: number[] = []
    const store = await box.open({ clock: clockWith() })
    await storePayload(store, payloadOf(3_000, 1))
    let proving = 3
    const order = await scrubAll(store, clockWith(slept), () => proving-- > 0)
    expect(order).toHaveLength(1)
    expect(slept.slice(0, 3)).toEqual([500, 500, 500])
  })

  test('damage is seldom alone: what lies in the same file is verified first', async () => {
    const store = await box.open({ clock: clockWith() })
    const roots: Root[] = []
    for (let seed = 1; seed <= 4; seed++)
      roots.push((await storePayload(store, payloadOf(3_000, seed))).root)
    const apart = await storePayload(store, payloadOf(500_000, 9))
    const holdings = holdingsOn(store)
    const order: Root[] = []
    const controller = new AbortController()
    const watched = {
      damageOf: () => undefined,
      verify: async (root: Root) => {
        order.push(root)
        if (order.length === roots.length - 1) controller.abort()
        return holdings.verify(root)
      },
    }
    const clock = clockWith()
    const parts = { store, holdings: watched, clock, logger: box.logger, isProving: () => true }
    const scrubber = new Scrubber(parts, { passTime: seconds(14 * DAY) })
    scrubber.suspectNeighbours(roots[0] as Root)
    await scrubber.run(controller.signal).catch(() => undefined)
    expect(order.sort()).toEqual(roots.slice(1).sort())
    expect(order).not.toContain(apart.root)
  })

  test('what is said to be damaged is looked at where it is now', async () => {
    const payload = payloadOf(300_000, 1)
    const store = await box.open({ clock: clockWith() })
    const { root } = await storePayload(store, payload)
    const holdings = holdingsOn(store)
    const said = { leaf: leafIndex(3), what: 'no such file' }
    expect(await holdings.suspect(root, said)).toBe(false)
    expect(holdings.damageOf(root)).toBeUndefined()
    const stored = store.find(root)
    await flipByte(stored?.payload.path ?? '', Number(stored?.payload.offset) + 10)
    expect(await holdings.suspect(root, said)).toBe(true)
    expect(holdings.damageOf(root)).toMatchObject(said)
  })

  test('damage is written down, and mended from another replica, checked', async () => {
    const payload = payloadOf(300_000, 1)
    const store = await box.open({ clock: clockWith() })
    const { root } = await storePayload(store, payload)
    const stored = store.find(root)
    await flipByte(stored?.payload.path ?? '', Number(stored?.payload.offset) + 150_000)
    await scrubAll(store, clockWith())
    const holdings = holdingsOn(store)
    expect(holdings.damageOf(root)).toMatchObject({ leaf: 128n })
    const commitment = commitmentOf(payload)
    const sourceOf = (data: Uint8Array): { read(): AsyncIterable<Uint8Array> } => ({
      async *read() {
        for (let at = 0; at < data.length; at += 100_000) yield data.subarray(at, at + 100_000)
      },
    })
    const wrong = payloadOf(300_000, 2)
    const again = { commitment, storedAt: NOW }
    await expect(holdings.repair(again, sourceOf(wrong))).rejects.toMatchObject({
      detail: { code: 'ROOT_MISMATCH' },
    })
    expect(holdings.damageOf(root)).toBeDefined()
    await holdings.repair(again, sourceOf(payload))
    expect(holdings.damageOf(root)).toBeUndefined()
    expect(Buffer.from(await readAll(store, commitment)).equals(payload)).toBe(true)
    expect(store.staged().size).toBe(0)
  })

  test('a reader is told of damage, and nobody is served it, also while the journal is full', async () => {
    const payload = payloadOf(300_000, 1)
    const store = await box.open({ clock: clockWith() })
    const { root, length } = await storePayload(store, payload)
    const stored = store.find(root)
    await flipByte(stored?.payload.path ?? '', Number(stored?.payload.offset) + 150_000)
    const full = new HoldfastError({ code: 'DISK_FULL', needed: 1n, available: 0n })
    const record = book.record.bind(book)
    book.record = () => Promise.reject(full)
    const holdings = holdingsOn(store)
    const readIt = async (): Promise<void> => {
      for await (const _ of holdings.read(root, { start: bytes(0), end: length }));
    }
    const corrupt = { detail: { code: 'PAYLOAD_CORRUPT', leaf: 128n } }
    await expect(readIt()).rejects.toMatchObject(corrupt)
    expect(book.promises.damages.size).toBe(0)
    expect(holdings.find(root)).toBeUndefined()
    await expect(readIt()).rejects.toMatchObject(corrupt)
    await expect(holdings.writeDown()).rejects.toBe(full)
    book.record = record
    // Mended before there was room to write it down: whole again, and nothing left to write.
    const mended = holdingsOn(store)
    book.record = () => Promise.reject(full)
    await mended.suspect(root, { leaf: leafIndex(128n), what: 'a bit' })
    expect(mended.find(root)).toBeUndefined()
    await mended.noteMended(root)
    await mended.writeDown()
    expect(mended.find(root)).toBeDefined()
    book.record = record
    await holdings.writeDown()
    expect(book.promises.damages.get(root)).toMatchObject({ leaf: 128n })
    expect(holdings.damageOf(root)).toMatchObject({ leaf: 128n })
  })
})
