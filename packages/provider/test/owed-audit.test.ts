/**
 * A provider that committed to something it can never show: it says so while there is time, ends its
 * audit itself, loses one slash, of which half comes back, and proves the next period.
 */
import { period } from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { formatMetrics } from '../src/metrics.ts'
import { statusMetrics } from '../src/node-metrics.ts'
import { OwingProvider } from './support/owed-audit.ts'

let owing: OwingProvider

beforeAll(async () => {
  owing = await OwingProvider.begin()
})
afterAll(() => owing.network.close())

test('an audit that cannot be shown is ended by the provider itself, which then goes on', async () => {
  const { network, ledger } = owing
  const provider = network.owner.address
  const before = (await ledger.provider(provider))?.stake ?? 0n
  const lost = await owing.commitToNonsense()
  await owing.start()
  const told = owing.alarmsOf('audit-unanswerable')
  await owing.untilTried(3)
  await owing.untilAlarms(told, [`raised ${lost}`])
  const { desk } = owing.running.provider
  const { alarms, audit } = await desk.status()
  expect(audit).toMatchObject({
    period: lost,
    problem: expect.stringContaining('BUNDLE_NOT_FOUND'),
  })
  expect(alarms).toContainEqual(
    expect.objectContaining({ kind: 'audit-unanswerable', severity: 'critical' }),
  )
  const metrics = formatMetrics(statusMetrics(await desk.status()))
  expect(metrics).toContain('holdfast_alarm{kind="audit-unanswerable"} 1')
  // It has until the end of the period after.
  network.nextPeriod()
  expect((await ledger.standing(provider)).audit).toMatchObject({ period: lost })
  expect((await ledger.provider(provider))?.stake).toBe(before)
  const after = network.nextPeriod()
  await owing.untilProven(after)
  const { disputeSlash, tokens } = network.chain.network
  const [token] = tokens
  expect((await ledger.provider(provider))?.stake).toBe(before - disputeSlash)
  const operator = network.operator.address
  expect(await ledger.balance(operator, token?.address ?? provider)).toBe(disputeSlash / 2n)
  const to = period(after + 1n)
  expect(await ledger.missed(provider, lost, to)).toEqual([lost])
  expect(await ledger.proven(provider, lost, to)).toEqual([after])
  expect(owing.running.provider.parts.performer.counts.performed['end-audit']).toBe(1)
  await owing.untilAlarms(told, [`raised ${lost}`, `cleared ${lost}`])
  expect((await desk.status()).alarms.map(({ kind }) => kind)).not.toContain('audit-unanswerable')
  // The commitment after a lost audit is shown at once.
  await owing.untilShown()
})
