/**
 * What stands in a provider's way for good unless it ends it itself: an audit that was due while it was
 * away, a dispute that it cannot answer and whose opener never collects.
 */
import { period } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { until } from './support/network.ts'
import { OwingProvider } from './support/owed-audit.ts'

let owing: OwingProvider

beforeEach(async () => {
  owing = await OwingProvider.begin()
})
afterEach(() => owing.network.close())

test('an audit that was due while the node was away is tried, then ended, and the node goes on', async () => {
  const { network, ledger } = owing
  const provider = network.owner.address
  const lost = await owing.commitToNonsense()
  for (let i = 0; i < 12; i++) network.nextPeriod()
  await owing.start()
  await owing.untilTried(3)
  await owing.untilShown()
  expect(await ledger.proven(provider, lost, period(lost + 1n))).toEqual([])
  await owing.untilProven(network.now)
})

test('a dispute that nobody ends is ended when it would block the next period', async () => {
  const { network, ledger } = owing
  const provider = network.owner.address
  const before = (await ledger.provider(provider))?.stake ?? 0n
  const lost = await owing.commitToNonsense({ afterGap: false })
  const entry = { provider, period: lost, question: { class: 'global', i: 7 } } as const
  await ledger.openDispute({ ...entry, membership: undefined })
  await owing.start()
  await owing.untilTried(3, 'answer-dispute')
  // It goes on proving, and leaves the dispute to who asked, for as long as it can.
  for (let i = 1; i <= 6; i++) await owing.untilProven(network.nextPeriod())
  expect((await ledger.dispute(entry))?.state).toBe('open')
  await owing.untilProven(network.nextPeriod())
  await until('the dispute is lost', async () => (await ledger.dispute(entry))?.state === 'lost')
  expect((await ledger.provider(provider))?.stake).toBe(before - network.chain.network.disputeSlash)
  expect(owing.running.provider.parts.performer.counts.performed['end-dispute']).toBe(1)
  await owing.untilProven(network.nextPeriod())
})
