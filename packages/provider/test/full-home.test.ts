/**
 * F7, the short form: a provider in this process whose journal finds its disk full, down to a write that
 * stops half way. `full-home.fault.test.ts` fills a real file system under the real program.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type JournalFiles, realFiles } from '../src/journal/journal-files.ts'
import { systemPlatform } from '../src/platform.ts'
import { type RunningProvider, TestNetwork, until } from './support/network.ts'
import { commitmentOf, payloadOf } from './support/payloads.ts'

let isFull = false

/** The real file system; while it is full no file grows by more than half of what is asked. */
const fillable: JournalFiles = {
  ...realFiles,
  open: async (path, options) => {
    const file = await realFiles.open(path, options)
    return {
      ...file,
      write: async (data, position) => {
        if (!isFull || position + data.length <= (await file.size())) {
          return file.write(data, position)
        }
        await file.write(data.subarray(0, data.length >> 1), position)
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      },
    }
  },
}

const TUNING = { platform: { ...systemPlatform, journalFiles: fillable } }

describe('a provider whose journal has no room', () => {
  let network: TestNetwork
  let running: RunningProvider
  beforeAll(async () => {
    network = await TestNetwork.create()
    running = await network.start(TUNING)
  })
  afterAll(async () => {
    await network.close()
  })

  const provesNext = async (): Promise<void> => {
    const period = network.nextPeriod()
    const { follower } = running.provider.parts
    await until('the period is proven', () => follower.state.isProven(period))
  }
  const state = async (): Promise<string> =>
    (await running.provider.desk.status()).journalRoom.state
  const full = { detail: { code: 'DISK_FULL' } }

  test('goes on proving, refuses what is new, starts there, and takes it again with room', async () => {
    await running.client.deal(payloadOf(50_000, 1))
    const begun = payloadOf(200_000, 2)
    const session = await running.client.open(running.client.voucher(commitmentOf(begun)))
    await running.client.put(session, begun, { start: 0, end: 65_536 })
    isFull = true
    await provesNext()
    await provesNext()
    expect(await state()).toBe('reserve')
    const fresh = commitmentOf(payloadOf(60_000, 3))
    await expect(running.client.open(running.client.voucher(fresh))).rejects.toMatchObject(full)
    await expect(running.client.proposal(fresh)).rejects.toMatchObject(full)
    const refused = await running.client.put(session, begun, { start: 65_536, end: 200_000 })
    expect(refused.status).toBe(507)
    expect(await running.client.metric('holdfast_journal_full')).toBe(1)

    await running.stop()
    running = await network.start(TUNING)
    await provesNext()
    expect(await state()).toBe('reserve')

    isFull = false
    expect(await running.provider.parts.book.makeRoom()).toBe(true)
    const taken = await running.client.put(session, begun, { start: 65_536, end: 200_000 })
    expect(taken.status).toBe(200)
    await running.client.commit(session)
    await running.client.deal(payloadOf(60_000, 3))
    await provesNext()
    expect(await running.client.metric('holdfast_journal_full')).toBe(0)
  })
})
