/** The node's books on real files: booked once, there after a restart, altered values never believed. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  bytes,
  type DealId,
  dealId,
  hash32,
  leaves,
  period,
  root,
  silentLogger,
  timestamp,
} from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Level } from 'level'
import { splitEvenly } from '../../src/earnings/account-store.ts'
import type { GasEntry } from '../../src/earnings/account-types.ts'
import { Accounts } from '../../src/earnings/accounts.ts'
import { type LogLine, recordingLogger } from '../support/network.ts'

const hex = (n: number): `0x${string}` => `0x${n.toString(16).padStart(64, '0')}`
const deal = (n: number): DealId => dealId(hex(n))
const ROOT = root(hex(77))

const entry = (n: number, change: Partial<GasEntry>): GasEntry => ({
  transaction: hash32(hex(n)),
  kind: 'open',
  at: timestamp(1000 + n),
  period: period(5),
  wei: 100n,
  deals: [deal(1)],
  ...change,
})

describe('the books', () => {
  let directory: string
  let accounts: Accounts
  const reopen = async (log: LogLine[] = []): Promise<void> => {
    await accounts.close()
    accounts = await Accounts.open(directory, timestamp(9999), recordingLogger(log))
  }
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-books-'))
    accounts = await Accounts.open(directory, timestamp(500), silentLogger)
  })
  afterEach(async () => {
    await accounts.close()
    await rm(directory, { recursive: true, force: true })
  })

  test('book a transaction once, and know it after a restart', async () => {
    await accounts.bookGas(entry(1, {}))
    await accounts.bookGas(entry(1, {}))
    await accounts.bookGas(
      entry(2, { kind: 'settle', wei: 101n, deals: [deal(1), deal(2)], period: period(6) }),
    )
    await accounts.bookGas(entry(3, { kind: 'release', wei: 7n, deals: [deal(2)] }))
    await reopen()
    await accounts.bookGas(entry(2, { kind: 'settle', wei: 101n }))
    expect(await accounts.gasOfDeals([deal(1), deal(2), deal(3)])).toEqual([
      { wei: 151n, left: undefined },
      { wei: 57n, left: 6n },
      { wei: 0n, left: undefined },
    ])
    expect(accounts.totals).toMatchObject({
      since: 500n,
      gas: {
        open: { wei: 100n, count: 1 },
        settle: { wei: 101n, count: 1 },
        release: { wei: 7n, count: 1 },
      },
    })
    expect(accounts.entries.map(({ transaction }) => Number(transaction))).toEqual([1, 2, 3])
    const periods = await accounts.periods(period(0), period(10))
    expect(periods.map(({ period: of, gas }) => [of, gas])).toEqual([
      [5n, 107n],
      [6n, 101n],
    ])
  })

  test('share a proof by weight, also after a restart', async () => {
    const proof = { period: period(5), weight: leaves(10) }
    await accounts.bookGas(entry(1, { kind: 'prove', wei: 1000n, deals: [], proof }))
    await reopen()
    const { proofCosts } = accounts
    expect(proofCosts.share(leaves(5), period(5), period(6))).toBe(500n)
    expect(proofCosts.share(leaves(5), period(6), period(9))).toBe(0n)
  })

  test('count what was read of each payload, and keep what was flushed', async () => {
    accounts.countEgress(ROOT, 1000, period(3))
    accounts.countEgress(ROOT, 24, period(3))
    expect(await accounts.egressOf([ROOT])).toEqual([bytes(1024)])
    await accounts.flush()
    accounts.countEgress(ROOT, 6, period(4))
    expect(accounts.totals.egress).toBe(1030n)
    await reopen()
    expect(await accounts.egressOf([ROOT, root(hex(1))])).toEqual([bytes(1030), bytes(0)])
    expect(accounts.totals.egress).toBe(1030n)
  })

  test('remember how periods ended, each once', async () => {
    await accounts.judge(
      new Map([
        [period(3), 'proven'],
        [period(4), 'missed'],
        [period(5), 'void'],
        [period(6), 'idle'],
      ]),
      period(7),
    )
    await reopen()
    expect(accounts.totals).toMatchObject({
      outcomes: { proven: 1, missed: 1, void: 1, idle: 1 },
      judgedTo: 7n,
    })
  })

  test('never believe a value that was altered, and say so', async () => {
    await accounts.bookGas(entry(1, {}))
    await accounts.close()
    const level = new Level<string, string>(directory)
    const key = `deal/${deal(1)}`
    const text = (await level.get(key)) ?? ''
    await level.put(key, text.replace('n:100', 'n:900'))
    await level.put('totals', ((await level.get('totals')) ?? '').replace('n:500', 'n:501'))
    await level.close()
    const log: LogLine[] = []
    accounts = await Accounts.open(directory, timestamp(9999), recordingLogger(log))
    expect(log.map(({ event }) => event)).toEqual(['books damaged: these values are left out'])
    expect(accounts.totals.since).toBe(9999n)
    expect(await accounts.gasOfDeals([deal(1)])).toEqual([{ wei: 0n, left: undefined }])
    expect(accounts.damaged).toBe(2)
  })

  test('split a cost into whole parts that add up', () => {
    expect(splitEvenly(10n, 4)).toEqual([3n, 3n, 2n, 2n])
    expect(splitEvenly(0n, 2)).toEqual([0n, 0n])
    expect(splitEvenly(5n, 0)).toEqual([])
  })
})
