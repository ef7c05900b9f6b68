/** The sector store on real files: every size, restarts, torn writes, damage, full disks. */
import { appendFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytes, HoldfastError, root, timestamp } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Level } from 'level'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { slowProver } from '../support/slow-prover.ts'
import { flipByte, NOW, readAll, StoreBox, storePayload } from '../support/store.ts'

/** Above what shares a sector. */
const LARGE = 500_000

describe('the sector store', () => {
  let box: StoreBox
  beforeEach(async () => {
    box = await StoreBox.create()
  })
  afterEach(async () => {
    await box.remove()
  })

  const sectors = (): Promise<string[]> => readdir(join(box.directory, 'sectors'))
  const incoming = (): Promise<string[]> => readdir(join(box.directory, 'incoming'))

  test.each([1, 1023, 65_536, 65_537, 300_000, LARGE])('keeps a payload of %i bytes', async (n) => {
    const payload = payloadOf(n)
    let store = await box.open()
    const commitment = await storePayload(store, payload)
    expect(Buffer.from(await readAll(store, commitment)).equals(payload)).toBe(true)
    await box.close(store)
    store = await box.open()
    expect(store.find(commitment.root)?.storedAt).toBe(NOW)
    expect(Buffer.from(await readAll(store, commitment)).equals(payload)).toBe(true)
    expect(await incoming()).toEqual([])
  })

  test('reads any range', async () => {
    const payload = payloadOf(300_000)
    const store = await box.open()
    const { root: name } = await storePayload(store, payload)
    for (const [start, end] of [
      [0, 1],
      [65_535, 65_537],
      [131_072, 131_073],
      [299_999, 300_000],
      [70_000, 200_001],
    ] as const) {
      const parts: Uint8Array[] = []
      const range = { start: bytes(start), end: bytes(end) }
      for await (const part of store.read(name, range)) parts.push(part)
      expect(Buffer.concat(parts).equals(payload.subarray(start, end))).toBe(true)
    }
    expect(() => store.read(name, { start: bytes(0), end: bytes(300_001) })).toThrow(HoldfastError)
  })

  test('puts small payloads into one sector and a large one into its own', async () => {
    const store = await box.open()
    for (let i = 0; i < 5; i++) await storePayload(store, payloadOf(1000 + i, i))
    expect(await sectors()).toHaveLength(1)
    await storePayload(store, payloadOf(LARGE, 9))
    expect(await sectors()).toHaveLength(2)
  })

  test('refuses bytes that are not the commitment, and gives the space back', async () => {
    const store = await box.open()
    const before = await store.usage()
    const wanted = commitmentOf(payloadOf(5000, 1))
    await store.reserve('s', wanted)
    expect((await store.usage()).free).toBeLessThan(before.free)
    await store.write('s', bytes(0), [payloadOf(5000, 2)])
    await expect(store.seal('s', NOW)).rejects.toMatchObject({ detail: { code: 'ROOT_MISMATCH' } })
    await store.discard('s')
    expect((await store.usage()).reserved).toBe(0n)
    expect(await incoming()).toEqual([])
    expect(store.find(wanted.root)).toBeUndefined()
  })

  test('refuses bytes past the reservation', async () => {
    const store = await box.open()
    await store.reserve('s', commitmentOf(payloadOf(1000)))
    await expect(store.write('s', bytes(999), [new Uint8Array(2)])).rejects.toMatchObject({
      detail: { code: 'RANGE_INVALID' },
    })
  })

  test('honours its capacity, counting what is only reserved', async () => {
    const store = await box.open({ capacity: bytes(1_300_000) })
    await store.reserve('a', commitmentOf(payloadOf(LARGE, 1)))
    await store.reserve('b', commitmentOf(payloadOf(LARGE, 2)))
    await expect(store.reserve('c', commitmentOf(payloadOf(LARGE, 3)))).rejects.toMatchObject({
      detail: { code: 'DISK_FULL' },
    })
    await store.discard('a')
    await store.reserve('c', commitmentOf(payloadOf(LARGE, 3)))
  })

  test('keeps reservations over a restart, with what was written', async () => {
    const payload = payloadOf(100_000)
    let store = await box.open()
    await store.reserve('s', commitmentOf(payload))
    await store.write('s', bytes(0), [payload.subarray(0, 50_000)])
    await store.sync('s')
    await box.close(store)
    store = await box.open()
    expect(store.staged().get('s')).toEqual(commitmentOf(payload))
    await store.write('s', bytes(50_000), [payload.subarray(50_000)])
    await store.seal('s', NOW)
    expect(Buffer.from(await readAll(store, commitmentOf(payload))).equals(payload)).toBe(true)
  })

  test('drops a file that never became a reservation', async () => {
    await writeFile(join(box.directory, 'incoming', 'half.sector'), new Uint8Array(5000))
    await writeFile(join(box.directory, 'incoming', 'noise'), 'x')
    await box.open()
    expect(await incoming()).toEqual([])
  })

  test('cuts an unfinished record off the shared sector and keeps the cut bytes', async () => {
    let store = await box.open()
    const commitment = await storePayload(store, payloadOf(3000))
    await box.close(store)
    const path = join(box.directory, 'sectors', (await sectors())[0] ?? '')
    const { size } = await stat(path)
    await appendFile(path, payloadOf(7000, 5))
    store = await box.open()
    expect((await stat(path)).size).toBe(size)
    expect(await readdir(join(box.directory, 'quarantine'))).toHaveLength(1)
    expect(await readAll(store, commitment)).toHaveLength(3000)
    await storePayload(store, payloadOf(4000, 6))
    await box.close(store)
    expect([...(await box.open()).stored()]).toHaveLength(2)
  })

  test('does not know a record whose trailer is missing', async () => {
    let store = await box.open()
    const first = await storePayload(store, payloadOf(3000, 1))
    const second = await storePayload(store, payloadOf(3000, 2))
    await box.close(store)
    await rm(box.indexes, { recursive: true })
    const path = join(box.directory, 'sectors', (await sectors())[0] ?? '')
    await truncate(path, (await stat(path)).size - 4096)
    store = await box.open()
    expect(store.find(first.root)).toBeDefined()
    expect(store.find(second.root)).toBeUndefined()
  })

  test('rebuilds a missing index from the sectors', async () => {
    let store = await box.open()
    const kept = await storePayload(store, payloadOf(3000, 1))
    const large = await storePayload(store, payloadOf(LARGE, 2))
    const gone = await storePayload(store, payloadOf(3000, 3))
    await store.remove(gone.root)
    await box.close(store)
    await rm(box.indexes, { recursive: true })
    store = await box.open()
    expect(store.find(kept.root)).toBeDefined()
    expect(store.find(large.root)).toBeDefined()
    expect(store.find(gone.root)).toBeUndefined()
  })

  test.each(['altered', 'lost'])(
    'reads again what an index with a value %s does not know',
    async (what) => {
      let store = await box.open()
      const { id = '' } = store.status()[0] ?? {}
      const commitment = await storePayload(store, payloadOf(LARGE, 1))
      await storePayload(store, payloadOf(LARGE, 2))
      await box.close(store)
      const level = new Level<string, Uint8Array>(join(box.indexes, id), { valueEncoding: 'view' })
      const [[key, value] = ['', new Uint8Array(0)]] = await level.iterator().all()
      expect(value.length).toBe(100)
      value[56] = (value[56] ?? 0) ^ 1
      if (what === 'lost') await level.del(key)
      else await level.put(key, value)
      await level.close()
      store = await box.open()
      expect(await readAll(store, commitment)).toHaveLength(LARGE)
    },
  )

  test('steps over damage in the middle of a sector and reports it', async () => {
    let store = await box.open()
    const first = await storePayload(store, payloadOf(3000, 1))
    const second = await storePayload(store, payloadOf(3000, 2))
    const place = store.find(first.root)?.payload
    await box.close(store)
    await rm(box.indexes, { recursive: true })
    await flipByte(place?.path ?? '', Number(place?.offset ?? 0n) - 100)
    store = await box.open()
    expect(store.find(first.root)).toBeUndefined()
    expect(await readAll(store, second)).toHaveLength(3000)
    expect(box.log.map(({ event }) => event)).toContain(
      'no record can be read here, later ones can',
    )
  })

  test('names the leaf of a damaged frame and never yields its bytes', async () => {
    const payload = payloadOf(300_000)
    const store = await box.open()
    const commitment = await storePayload(store, payload)
    const place = store.find(commitment.root)?.payload
    await flipByte(place?.path ?? '', Number(place?.offset ?? 0n) + 140_000)
    await expect(readAll(store, commitment)).rejects.toMatchObject({
      detail: { code: 'PAYLOAD_CORRUPT', leaf: 128n },
    })
    expect(await store.verify(commitment.root)).toMatchObject({ leaf: 128n })
    const range = { start: bytes(0), end: bytes(65_536) }
    for await (const part of store.read(commitment.root, range)) {
      expect(Buffer.from(part).equals(payload.subarray(0, 65_536))).toBe(true)
    }
  })

  test('gives the space of a removed large payload back', async () => {
    const store = await box.open()
    const before = (await store.usage()).used
    const { root: name } = await storePayload(store, payloadOf(LARGE))
    await store.remove(name)
    // A tombstone stays, in a shared sector made for it.
    expect((await store.usage()).used - before).toBe(2n * 4096n + 4096n)
    expect(store.find(name)).toBeUndefined()
  })

  test('replaces a damaged payload by a whole one', async () => {
    const payload = payloadOf(100_000)
    let store = await box.open()
    const commitment = await storePayload(store, payload)
    const place = store.find(commitment.root)?.payload
    await flipByte(place?.path ?? '', Number(place?.offset ?? 0n))
    await storePayload(store, payload)
    expect(await store.verify(commitment.root)).toBeUndefined()
    await box.close(store)
    await rm(box.indexes, { recursive: true })
    store = await box.open()
    expect(await store.verify(commitment.root)).toBeUndefined()
  })

  test('refuses a directory that is not its volume', async () => {
    await rm(join(box.directory, 'volume.json'))
    await expect(box.open()).rejects.toMatchObject({ detail: { code: 'CONFIG_INVALID' } })
  })

  test('refuses a sector of a format it does not know', async () => {
    const store = await box.open()
    await storePayload(store, payloadOf(3000))
    await box.close(store)
    const { crc32c } = await import('../../src/store/crc32c.ts')
    const block = Buffer.alloc(4096)
    block.write('HFSECTOR')
    block.writeUInt32LE(3, 8)
    block.writeUInt32LE(crc32c(block.subarray(0, 4092)), 4092)
    await writeFile(
      join(box.directory, 'sectors', '00000099.sector'),
      Buffer.concat([block, block, block]),
    )
    await expect(box.open()).rejects.toMatchObject({ detail: { code: 'STORE_CORRUPT' } })
  })

  test('a failing prover leaves the reservation as it was', async () => {
    let failing = true
    const prover: typeof slowProver = {
      commitFile: (range, options) =>
        failing
          ? Promise.reject(new HoldfastError({ code: 'QUEUE_FULL', limit: 1 }))
          : slowProver.commitFile(range, options),
    }
    const store = await box.open({ prover })
    const payload = payloadOf(5000)
    await store.reserve('s', commitmentOf(payload))
    await store.write('s', bytes(0), [payload])
    await expect(store.seal('s', NOW)).rejects.toMatchObject({ detail: { code: 'QUEUE_FULL' } })
    failing = false
    await store.seal('s', timestamp(5))
    expect(store.find(commitmentOf(payload).root)?.storedAt).toBe(5n)
  })

  test('finds nothing under an unknown root', async () => {
    const store = await box.open()
    const unknown = root(`0x${'00'.repeat(32)}`)
    expect(store.find(unknown)).toBeUndefined()
    await store.remove(unknown)
    expect(() => store.read(unknown, { start: bytes(0), end: bytes(1) })).toThrow(HoldfastError)
  })
})
