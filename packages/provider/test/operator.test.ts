/**
 * What an operator sees of a node that really stores, proves and serves: earnings that agree with what
 * the ledger pays, gas and egress booked, periods judged, metrics that a strict reader takes, settings
 * that change while it runs or stay as they were.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { amount, type DealId, type Period, seconds } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { askAdmin } from '../src/admin/client.ts'
import { writeConfig } from '../src/config.ts'
import { PERIOD_SECONDS, type RunningProvider, TestNetwork, until } from './support/network.ts'
import { commitmentOf, payloadOf } from './support/payloads.ts'
import { parsePrometheus } from './support/prometheus.ts'

describe('what an operator sees', () => {
  let network: TestNetwork
  let running: RunningProvider

  beforeEach(async () => {
    network = await TestNetwork.create({ settleEvery: 1000 })
    running = await network.start()
  })
  afterEach(async () => {
    await network.close()
  })

  const desk = (): RunningProvider['provider']['desk'] => running.provider.desk
  const prove = async (): Promise<Period> => {
    const now = network.nextPeriod()
    await until('the period is proven', () => running.provider.parts.follower.state.isProven(now))
    return now
  }
  const lineOf = async (deal: DealId) => {
    const line = (await desk().earnings()).deals.find((one) => one.deal === deal)
    if (line === undefined) throw new Error(`no line for ${deal}`)
    return line
  }

  test('pending is to the unit what a settlement then pays, and settled what was paid', async () => {
    const { deal } = await running.client.deal(payloadOf(100_001))
    await prove()
    await prove()
    const before = await lineOf(deal)
    expect(before).toMatchObject({ provenPeriods: 2n, unprovenPeriods: 0n })
    expect(before.pending.toProvider).toBeGreaterThan(0n)
    // Both periods become final; those that pass meanwhile have no seed and count for nothing.
    network.chain.advance(seconds(6n * PERIOD_SECONDS))
    const receipt = await network.ledger(network.stranger).settle([deal])
    const [paid] = receipt.events.filter(({ kind }) => kind === 'deal-settled')
    expect(paid).toMatchObject({ paid: before.pending.paid, fee: before.pending.fee })
    await until('it is folded', async () => (await lineOf(deal)).pending.paid === 0n)
    await prove()
    const after = await lineOf(deal)
    expect(after.settled).toEqual(before.pending)
    expect(after.pending.toProvider).toBeGreaterThan(0n)
    const { series, totals } = await desk().earnings('period')
    const earned = series.stretches.reduce((sum, stretch) => sum + stretch.earned, 0n)
    expect(earned).toBe(totals.settled.toProvider + totals.pending.toProvider)
  })

  test('gas of every transaction is booked, proofs shared by weight, and kept over a restart', async () => {
    const big = await running.client.deal(payloadOf(300_000))
    const small = await running.client.deal(payloadOf(100_000, 5))
    await prove()
    await prove()
    await until('all is booked', async () => {
      const { books } = await desk().status()
      return books.gas.prove?.count === 2 && books.gas.open?.count === 2
    })
    const check = async (): Promise<void> => {
      const { totals, gasByKind } = await desk().earnings()
      const [a, b] = [await lineOf(big.deal), await lineOf(small.deal)]
      const proofs = gasByKind.prove?.wei ?? 0n
      expect(a.gas.own + b.gas.own).toBe(gasByKind.open?.wei)
      expect(proofs - a.gas.proofs - b.gas.proofs).toBeLessThanOrEqual(2n)
      expect(a.gas.proofs / b.gas.proofs).toBe(2n)
      const all = Object.values(gasByKind).reduce((sum, spent) => sum + (spent?.wei ?? 0n), 0n)
      expect(totals.gas.total).toBe(all)
    }
    await check()
    await running.stop()
    running = await network.start()
    await until('the chain is known', async () => (await desk().status()).chain !== undefined)
    await check()
  })

  test('bytes that were read are counted for their payload', async () => {
    const payload = payloadOf(200_000)
    const { deal } = await running.client.deal(payload)
    const { root } = commitmentOf(payload)
    await running.client.get(root)
    await running.client.get(root, { range: 'bytes=0-99' })
    await until('both are counted', async () => (await lineOf(deal)).egress === 200_100n)
    expect((await desk().status()).books.egress).toBe(200_100n)
  })

  test('a period without a proof is missed, one without a seed is void, and alarms say so', async () => {
    await running.client.deal(payloadOf(50_000))
    const good = await prove()
    await running.stop()
    const missed = network.nextPeriod()
    network.chain.advance(seconds(2n * PERIOD_SECONDS))
    const proven = network.nextPeriod()
    running = await network.start()
    await until('it proves again', () => running.provider.parts.follower.state.isProven(proven))
    await until('the periods are judged', async () => {
      const { books } = await desk().status()
      return (books.judgedTo ?? 0n) > proven
    })
    const { calendar, books } = await desk().status()
    const states = calendar.filter(({ period: of }) => of >= good).map(({ state }) => state)
    expect(states).toEqual(['proven', 'missed', 'void', 'void', 'proven'])
    expect(calendar.find(({ period: of }) => of === missed)?.state).toBe('missed')
    expect(books.outcomes).toMatchObject({ proven: 2, missed: 1, void: 2 })
    const lasting = (): boolean => desk().board.alarms.some(({ kind }) => kind === 'period-missed')
    await until('no alarm of it stands', () => !lasting())
  })

  test('safe to stop follows the proof, over the admin socket too', async () => {
    await running.client.deal(payloadOf(50_000))
    await prove()
    const { admin } = network.paths
    await until('it is safe', async () => (await desk().status()).safeToStop.safe)
    const said = await askAdmin(admin, 'status')
    expect(said['safeToStop']).toMatchObject({ safe: true, until: expect.any(String) })
    expect(said['chain']).toMatchObject({ proven: true })
    const { deals } = await askAdmin(admin, 'deals')
    expect(deals).toMatchObject([{ state: 'active', provenPeriods: '1', length: '50000' }])
    const { series } = await askAdmin(admin, 'earnings', { by: 'day' })
    expect(series).toMatchObject({ by: 'day' })
    await expect(askAdmin(admin, 'earnings', { by: 'year' })).rejects.toMatchObject({
      detail: { code: 'MESSAGE_INVALID' },
    })
  })

  test('metrics are taken by a strict reader and hold what happened', async () => {
    const payload = payloadOf(70_000)
    await running.client.deal(payload)
    await prove()
    await running.client.get(commitmentOf(payload).root)
    await until('the period is judged', async () => {
      const { books } = await desk().status()
      return books.outcomes.proven === 1 && books.gas.prove !== undefined
    })
    const { body } = await running.client.http({ method: 'GET', path: '/metrics' })
    const metrics = parsePrometheus(Buffer.from(body).toString())
    const value = (name: string, labels = ''): number | undefined =>
      metrics.get(name)?.samples.get(labels)
    expect(value('holdfast_store_payloads')).toBe(1)
    expect(value('holdfast_deals', 'state="active"')).toBe(1)
    expect(value('holdfast_periods_total', 'outcome="proven"')).toBe(1)
    expect(value('holdfast_egress_bytes_total')).toBe(70_000)
    expect(value('holdfast_gas_spent_wei_total', 'duty="prove"')).toBe(1e14)
    expect(value('holdfast_safe_to_stop')).toBe(1)
    expect(value('holdfast_volume_state', 'volume="volume-0",state="ok"')).toBe(1)
    expect(value('holdfast_wallet_balance_wei')).toBeGreaterThan(0)
    for (const { name } of metrics.values()) expect(name).toMatch(/^holdfast_/)
  })

  test('F34: a config that is wrong after an edit changes nothing and is said; a good one takes effect', async () => {
    const { paths, config } = network
    await writeConfig(paths.config, { ...config, pricePerTibMonth: amount(999) })
    await writeFile(paths.config, (await readFile(paths.config, 'utf8')).replace('"999"', '"dear"'))
    const rate = async (): Promise<bigint> => {
      const { quote } = await running.client.proposal(commitmentOf(payloadOf(1_000_000)))
      return quote.rate
    }
    const former = await rate()
    await expect(askAdmin(paths.admin, 'reload')).rejects.toMatchObject({
      detail: { code: 'CONFIG_INVALID', reason: expect.stringContaining('pricePerTibMonth') },
    })
    expect(await rate()).toBe(former)
    await until('an alarm says so', () =>
      desk().board.alarms.some(({ kind }) => kind === 'config-invalid'),
    )
    const double = amount(config.pricePerTibMonth * 2n)
    await writeConfig(paths.config, {
      ...config,
      grpcPort: 4,
      httpPort: 5,
      pricePerTibMonth: double,
    })
    expect(await askAdmin(paths.admin, 'reload')).toMatchObject({
      changed: ['pricePerTibMonth'],
      needRestart: ['grpcPort', 'httpPort'],
    })
    expect(await rate()).toBeGreaterThan(former)
    await until('the alarm is cleared', () =>
      desk().board.alarms.every(({ kind }) => kind !== 'config-invalid'),
    )
  })
})
