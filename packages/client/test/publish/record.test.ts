/** The record of a publish run: durable steps, damaged files, and stale locks. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { address, bytes, HoldfastError, root } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { PublishRecord } from '../../src/publish/record.ts'
import { missingSpans, splitSpans } from '../../src/publish/upload.ts'
import { temporary } from '../support.ts'
import { FakeNetwork } from './fake-network.ts'

const PROVIDER = address(`0x${'33'.repeat(20)}`)

const keyIn = async (home: string) => ({
  home,
  network: (await FakeNetwork.create(0)).chain.network,
  account: address(`0x${'44'.repeat(20)}`),
  dataset: 'dataset',
  commitment: { scheme: 1 as const, root: root(`0x${'55'.repeat(32)}`), length: bytes(5) },
})

test('what was saved is there for the next run, what was forgotten is not', async () => {
  const key = await keyIn(await temporary())
  const first = await PublishRecord.open(key)
  await Promise.all([first.save({ provider: PROVIDER }), first.save({ provider: key.account })])
  await first.forget(key.account)
  await first.close()
  const second = await PublishRecord.open(key)
  expect(second.replicas).toEqual([{ provider: PROVIDER }])
  await second.close()
})

test('a record that is damaged is named, not silently begun anew', async () => {
  const home = await temporary()
  const key = await keyIn(home)
  const record = await PublishRecord.open(key)
  await record.save({ provider: PROVIDER })
  await record.close()
  const [name] = await readdir(join(home, 'publish'))
  const path = join(home, 'publish', `${name}`)
  await writeFile(path, (await readFile(path, 'utf8')).slice(0, -10))
  const failure = await PublishRecord.open(key).catch((error: unknown) => error)
  expect(HoldfastError.is(failure, 'CONFIG_INVALID') && failure.message).toContain(path)
})

test('a lock of a dead process is taken over, of a living one respected', async () => {
  const home = await temporary()
  const key = await keyIn(home)
  const held = await PublishRecord.open(key)
  const refused = await PublishRecord.open(key).catch((error: unknown) => error)
  expect(HoldfastError.is(refused, 'HOME_IN_USE')).toBe(true)
  const [name] = await readdir(join(home, 'publish'))
  await held.close()
  // No process has this number: the largest that Linux gives out is 2^22.
  await writeFile(join(home, 'publish', `${name}`), String(2 ** 22 + 1))
  await (await PublishRecord.open(key)).close()
})

test('missing spans are what lies between durable ones', () => {
  const span = (start: number, end: number) => ({ start: bytes(start), end: bytes(end) })
  const length = bytes(100)
  expect(missingSpans([], length)).toEqual([span(0, 100)])
  expect(missingSpans([span(0, 100)], length)).toEqual([])
  expect(missingSpans([span(10, 20), span(50, 60)], length)).toEqual([
    span(0, 10),
    span(20, 50),
    span(60, 100),
  ])
  expect([...splitSpans([span(0, 10), span(20, 21)], bytes(4))]).toEqual([
    span(0, 4),
    span(4, 8),
    span(8, 10),
    span(20, 21),
  ])
})
