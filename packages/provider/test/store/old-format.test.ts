/** A volume that release 0.1 wrote opens, keeps what it holds, and goes on in the new format. */
import { cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bytes } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { NOW, readAll, StoreBox, storePayload } from '../support/store.ts'

const FIXTURE = fileURLToPath(new URL('../../../test/fixtures/volume-1', import.meta.url))

/** Length and seed of what it holds; the third was removed. */
const HELD = [
  [1000, 1],
  [2000, 2],
  [5000, 4],
] as const

test('a volume of format 1 opens, is read, continued and read again', async () => {
  const box = await StoreBox.create({ empty: true })
  try {
    await cp(FIXTURE, box.directory, { recursive: true })
    let store = await box.open()
    const check = async (): Promise<void> => {
      for (const [length, seed] of HELD) {
        const payload = payloadOf(length, seed)
        const read = await readAll(store, commitmentOf(payload))
        expect(Buffer.from(read).equals(payload)).toBe(true)
      }
      expect(store.find(commitmentOf(payloadOf(3000, 3)).root)).toBeUndefined()
    }
    await check()
    expect([...store.staged().keys()]).toEqual(['half'])
    const half = payloadOf(6000, 5)
    await store.write('half', bytes(3000), [half.subarray(3000)])
    await store.seal('half', NOW)
    await storePayload(store, payloadOf(7000, 6))
    await box.close(store)
    expect(JSON.parse(await readFile(join(box.directory, 'volume.json'), 'utf8')).version).toBe(2)
    store = await box.open()
    await check()
    for (const payload of [half, payloadOf(7000, 6)]) {
      const read = await readAll(store, commitmentOf(payload))
      expect(Buffer.from(read).equals(payload)).toBe(true)
    }
    await store.remove(commitmentOf(payloadOf(1000, 1)).root)
    await box.close(store)
    store = await box.open({ rebuild: 'deep' })
    expect(store.find(commitmentOf(payloadOf(1000, 1)).root)).toBeUndefined()
    expect([...store.stored()]).toHaveLength(4)
    expect((await readdir(join(box.directory, 'quarantine'))).length).toBe(0)
  } finally {
    await box.remove()
  }
})
