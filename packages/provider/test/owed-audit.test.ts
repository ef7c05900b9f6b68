/**
 * A provider that committed to something it can never show: it ends its audit itself, loses one slash,
 * of which half comes back, and proves the next period.
 */
import type { Ledger } from '@holdfast/chain'
import { hash32, type Period, period, seconds } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type RunningProvider, TestNetwork, until } from './support/network.ts'
import { payloadOf } from './support/payloads.ts'

let network: TestNetwork
let running: RunningProvider
let ledger: Ledger

beforeEach(async () => {
  network = await TestNetwork.create()
  running = await network.start()
  ledger = network.ledger(network.publisher)
  await running.client.deal(payloadOf(50_000))
})
afterEach(() => network.close())

const untilProven = (of: Period): Promise<void> =>
  until(`period ${of} is proven`, () => running.provider.parts.follower.state.isProven(of))

const untilShown = (): Promise<void> =>
  until('no audit is owed', async () => {
    const { audit } = await ledger.standing(network.owner.address)
    return audit === undefined
  })

/** Commits with the operator's key while the node is away, as a former home of it may have done. */
const commitToNothing = async (): Promise<Period> => {
  await running.stop()
  network.nextPeriod()
  const of = network.nextPeriod()
  const root = hash32(`0x${'c0'.repeat(32)}`)
  await network
    .ledger(network.operator)
    .commitPeriod({ provider: network.owner.address, period: of, root })
  running = await network.start()
  return of
}

/** Every block is a reason to try again. */
const untilTried = (times: number): Promise<void> =>
  until(`the audit was tried ${times} times`, () => {
    network.chain.advance(seconds(0n))
    const { failed } = running.provider.parts.performer.counts
    return failed['answer-audit'] >= times
  })

test('an audit that cannot be shown is ended by the provider itself, which then goes on', async () => {
  const provider = network.owner.address
  await untilProven(network.nextPeriod())
  await untilShown()
  const before = (await ledger.provider(provider))?.stake ?? 0n
  const lost = await commitToNothing()
  await untilTried(3)
  // It has until the end of the period after.
  const next = network.nextPeriod()
  expect((await ledger.standing(provider)).audit).toMatchObject({ period: lost })
  expect((await ledger.provider(provider))?.stake).toBe(before)
  const after = network.nextPeriod()
  await untilProven(after)
  const { disputeSlash, tokens } = network.chain.network
  const [token] = tokens
  expect((await ledger.provider(provider))?.stake).toBe(before - disputeSlash)
  const operator = network.ledger(network.operator)
  const half = await operator.balance(network.operator.address, token?.address ?? provider)
  expect(half).toBe(disputeSlash / 2n)
  expect(await ledger.missed(provider, lost, period(after + 1n))).toEqual([lost])
  expect(await ledger.proven(provider, lost, period(after + 1n))).toEqual([after])
  expect(next).toBe(period(after - 1n))
  expect(running.provider.parts.performer.counts.performed['end-audit']).toBe(1)
  // The commitment after a lost audit is shown at once, and the one after that owes nothing.
  await until(
    'its audit is shown',
    async () => (await ledger.standing(provider)).audit === undefined,
  )
  await untilProven(network.nextPeriod())
})

test('a node that comes back too late for its audit tries to show it before it ends it', async () => {
  const provider = network.owner.address
  await untilProven(network.nextPeriod())
  await untilShown()
  const lost = await commitToNothing()
  await running.stop()
  for (let i = 0; i < 12; i++) network.nextPeriod()
  running = await network.start()
  await untilTried(3)
  await untilShown()
  expect(await ledger.proven(provider, lost, period(lost + 1n))).toEqual([])
  await untilProven(network.now)
})
