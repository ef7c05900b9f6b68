/** Places asked for at once: one sync for all, no room promised twice, one place for a name. */
import { bytes, HoldfastError } from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { StoreBox } from '../support/store.ts'

let box: StoreBox
beforeAll(async () => {
  box = await StoreBox.create()
})
afterAll(() => box.remove())

const commitments = Array.from({ length: 40 }, (_, i) => commitmentOf(payloadOf(3_000, i + 1)))

test('forty places asked for at once are given while there is room, and no further', async () => {
  const store = await box.open({ capacity: bytes(100_000) })
  const outcomes = await Promise.allSettled(
    commitments.map((commitment, i) => store.reserve(`r${i}`, commitment)),
  )
  const refused = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason] : []))
  expect(refused.every((error) => HoldfastError.is(error, 'DISK_FULL'))).toBe(true)
  const given = commitments.length - refused.length
  expect(given).toBeGreaterThan(10)
  expect(store.staged().size).toBe(given)
  const { reserved, used } = await store.usage()
  expect(Number(reserved + used)).toBeLessThanOrEqual(100_000)
  for (const name of store.staged().keys()) await store.discard(name)
  // What was given back can be had again: nothing stays counted as asked for.
  await store.reserve('again', commitments[0] ?? commitmentOf(payloadOf(1, 1)))
  await store.discard('again')
  await box.close(store)
})

test('one name asked for twice at once has one place', async () => {
  const store = await box.open()
  const [first, second] = commitments
  if (first === undefined || second === undefined) throw new Error('there are forty')
  await Promise.all([store.reserve('same', first), store.reserve('same', first)])
  expect([...store.staged()]).toEqual([['same', first]])
  await expect(store.reserve('same', second)).rejects.toMatchObject({ code: 'INVARIANT' })
  await store.discard('same')
  await box.close(store)
})
