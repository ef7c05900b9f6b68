/** A node that comes back long after its audit was due: it tries to show it before it ends it. */
import { period } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { OwingProvider } from './support/owed-audit.ts'

test('an audit that was due while the node was away is tried, then ended, and the node goes on', async () => {
  const owing = await OwingProvider.begin()
  const { network, ledger } = owing
  const provider = network.owner.address
  const lost = await owing.commitToNonsense()
  for (let i = 0; i < 12; i++) network.nextPeriod()
  await owing.start()
  await owing.untilTried(3)
  await owing.untilShown()
  expect(await ledger.proven(provider, lost, period(lost + 1n))).toEqual([])
  await owing.untilProven(network.now)
  await network.close()
})
