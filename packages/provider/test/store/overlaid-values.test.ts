/** Key-values on a disk that fills up: what was written is what is read, and reaches the disk later. */
import { beforeEach, describe, expect, test } from '@jest/globals'
import type { KeyRange, KeyValues } from '../../src/key-values.ts'
import { OverlaidValues } from '../../src/store/overlaid-values.ts'
import { chanceFrom } from '../support/simulated-disk.ts'

/** A disk with one store on it. After a failed write it must be opened again, as LevelDB must. */
class SmallStore {
  readonly values = new Map<string, string>()
  isFull = false
  told = 0
  opened = 0

  readonly place = {
    open: async (): Promise<KeyValues<string>> => {
      this.#needRoom()
      this.opened++
      return this.#store()
    },
    free: async (): Promise<bigint> => (this.isFull ? 0n : 2n ** 30n),
    onFull: (): void => {
      this.told++
    },
  }

  #needRoom(): void {
    if (!this.isFull) return
    const said = 'IO error: state/000003.log: No space left on device'
    throw Object.assign(new Error(said), { code: 'LEVEL_IO_ERROR' })
  }

  #store(): KeyValues<string> {
    const { values } = this
    let state: 'open' | 'failed' | 'closed' = 'open'
    const write = async (change: () => void): Promise<void> => {
      if (state === 'closed') throw new Error('closed')
      if (this.isFull) state = 'failed'
      this.#needRoom()
      if (state === 'failed') throw new Error('a write failed before')
      change()
    }
    const iterator = async function* ({ gte, lt }: KeyRange): AsyncGenerator<[string, string]> {
      if (state === 'closed') throw new Error('closed')
      for (const key of [...values.keys()].sort()) {
        if (key >= gte && key < lt) yield [key, values.get(key) ?? '']
      }
    }
    return {
      get: async (key) => {
        if (state === 'closed') throw new Error('closed')
        return values.get(key)
      },
      put: (key, value) => write(() => values.set(key, value)),
      del: (key) => write(() => values.delete(key)),
      batch: () => {
        const changes: (() => void)[] = []
        return {
          put: (key, value) => changes.push(() => values.set(key, value)),
          del: (key) => changes.push(() => values.delete(key)),
          write: () => write(() => changes.forEach((change) => void change())),
        }
      },
      iterator,
      values: async function* (range) {
        for await (const [, value] of iterator(range)) yield value
      },
      clear: () => write(() => values.clear()),
      close: async () => {
        state = 'closed'
      },
    }
  }
}

const ALL: KeyRange = { gte: 'k', lt: 'l' }
const listed = async (store: KeyValues<string>, range = ALL): Promise<[string, string][]> => {
  const found: [string, string][] = []
  for await (const entry of store.iterator(range)) found.push(entry)
  return found
}

describe('key-values over a full disk', () => {
  let disk: SmallStore
  beforeEach(() => {
    disk = new SmallStore()
  })

  test('are as written through any change of room, and on the disk once there is some', async () => {
    for (let seed = 0; seed < 40; seed++) {
      disk = new SmallStore()
      const chance = chanceFrom(seed)
      const store = await OverlaidValues.open(disk.place)
      const model = new Map<string, string>()
      for (let step = 0; step < 120; step++) {
        const key = `k${chance(20)}`
        const value = `${step}`
        switch (chance(7)) {
          case 0:
            disk.isFull = !disk.isFull
            break
          case 1:
            await store.del(key)
            model.delete(key)
            break
          case 2: {
            const other = `k${chance(20)}`
            const batch = store.batch()
            batch.put(key, value)
            batch.del(other)
            await batch.write()
            model.set(key, value)
            model.delete(other)
            break
          }
          case 3:
            if (chance(8) > 0) break
            await store.clear()
            model.clear()
            break
          default:
            await store.put(key, value)
            model.set(key, value)
        }
        expect(await store.get(key)).toBe(model.get(key))
        const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
        if (chance(5) === 0) expect(await listed(store)).toEqual(sorted)
      }
      disk.isFull = false
      await store.close()
      expect(new Map(disk.values)).toEqual(model)
    }
  })

  test('say once that the disk is full, and again when it is full again', async () => {
    const store = await OverlaidValues.open(disk.place)
    for (const isFull of [true, true, false, true]) {
      disk.isFull = isFull
      await store.put('k', 'v')
    }
    expect([disk.told, disk.opened]).toEqual([2, 2])
  })

  test('without room to be opened are empty, and leave what is on the disk alone', async () => {
    disk.values.set('k1', 'before')
    disk.isFull = true
    const store = await OverlaidValues.open(disk.place)
    expect([disk.told, await listed(store)]).toEqual([1, []])
    await store.put('k1', 'now')
    disk.isFull = false
    await store.put('k2', 'more')
    expect(await listed(store)).toEqual([
      ['k1', 'now'],
      ['k2', 'more'],
    ])
    await store.close()
    expect([...disk.values]).toEqual([['k1', 'before']])
  })

  test('are not opened again under somebody who reads', async () => {
    const store = await OverlaidValues.open(disk.place)
    for (const key of ['k1', 'k2', 'k3']) await store.put(key, key)
    disk.isFull = true
    await store.put('k2', 'changed')
    disk.isFull = false
    const found: string[] = []
    for await (const [key, value] of store.iterator(ALL)) {
      found.push(value)
      await store.put(`k9${key}`, 'meanwhile')
    }
    expect(found).toEqual(['k1', 'changed', 'k3'])
    await store.put('k4', 'afterwards')
    expect(disk.values.size).toBe(7)
  })

  test('throw what is wrong otherwise', async () => {
    const store = await OverlaidValues.open({
      ...disk.place,
      open: async () => ({
        ...(await disk.place.open()),
        put: () => Promise.reject(new Error('corrupt')),
        batch: () => ({
          put: () => undefined,
          del: () => undefined,
          write: () => Promise.reject(new Error('corrupt')),
        }),
      }),
    })
    await expect(store.put('k', 'v')).rejects.toThrow('corrupt')
  })
})
