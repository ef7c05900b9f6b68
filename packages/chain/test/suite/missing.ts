/** Conformance: missed periods, what they charge, and the end of a provider that misses too many. */
import { amount, type Period, period, periods } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { begin, codeOf, type Scenario } from '../support/scenario.ts'
import type { HarnessSource } from './source.ts'

/** Pays 3,500 a period; the collateral covers two of them. */
const LONG = { periods: periods(40), deposit: amount(200_000n), collateral: amount(7_001n) }

/** Lets periods pass with a seed and no proof, and reports each. */
const miss = async (scenario: Scenario, count: number): Promise<readonly Period[]> => {
  const missed: Period[] = []
  for (let i = 0; i < count; i++) {
    const of = await scenario.nextPeriod()
    await scenario.harness.postSeed(of)
    await scenario.pass(of)
    await scenario.publisher.ledger.reportMissed(scenario.provider, of)
    missed.push(of)
  }
  return missed
}

/** Skips to the first period of the next block of thirty, so that misses are counted from none. */
const enterBlock = async (scenario: Scenario): Promise<void> => {
  const now = await scenario.now()
  await scenario.enter(period((now / 30n + 1n) * 30n))
}

export const missingSuite = (source: HarnessSource): void => {
  test('a missed period is written down once, by anybody, before it is final', async () => {
    const scenario = await begin(source())
    const { provider } = scenario
    const { ledger } = scenario.publisher
    await scenario.open(LONG)
    const of = await scenario.nextPeriod()
    expect(await codeOf(ledger.reportMissed(provider, of))).toBe('NOTHING_TO_DO')
    await scenario.pass(of)
    expect(await codeOf(ledger.reportMissed(provider, of))).toBe('PROVIDER_STATE')
    const [missed] = await miss(scenario, 1)
    expect(await ledger.missed(provider, of, period(of + 9n))).toEqual([missed])
    const again = ledger.reportMissed(provider, missed ?? of)
    expect(await codeOf(again)).toBe('NOTHING_TO_DO')
    const proven = await scenario.proveNext()
    await scenario.pass(proven)
    expect(await codeOf(ledger.reportMissed(provider, proven))).toBe('PROVIDER_STATE')
    const late = await scenario.nextPeriod()
    await scenario.harness.postSeed(late)
    await scenario.finalise()
    expect(await codeOf(ledger.reportMissed(provider, late))).toBe('PROVIDER_STATE')
  })

  test('two misses are free, the third costs three periods’ pay out of the collateral', async () => {
    const scenario = await begin(source())
    const { publisher, provider, token } = scenario
    const { ledger } = publisher
    await enterBlock(scenario)
    const { id, terms } = await scenario.open({ ...LONG, collateral: amount(50_001n) })
    await miss(scenario, 2)
    const third = await miss(scenario, 1)
    const [at = period(0n)] = third
    expect(await ledger.missUnits(provider, at)).toBe(0n)
    expect(await ledger.missUnits(provider, period(at + 1n))).toBe(3n)
    await ledger.terminateDeal(id)
    await scenario.enter(period((await scenario.now()) + 3n))
    await scenario.finalise()
    const before = await ledger.balance(ledger.account, token)
    const { events } = await ledger.closeDeal(id)
    // 3 x 3,500 = 10,500: half to the client, but no more than the replacement cost of 1,000.
    expect(events.at(-1)).toMatchObject({
      ...{ kind: 'deal-closed', refunded: terms.deposit, returned: 39_501n },
      ...{ compensation: 1_000n, forfeited: 9_500n },
    })
    expect(await ledger.balance(ledger.account, token)).toBe(before + terms.deposit + 1_000n)
  })
}

export const terminationSuite = (source: HarnessSource): void => {
  test('fourteen missed periods end a provider and its deals', async () => {
    const scenario = await begin(source())
    const { publisher, provider, owner, operator } = scenario
    const { ledger } = publisher
    const { id, path, terms } = await scenario.open(LONG)
    const proven = await scenario.proveNext()
    const missed = [...(await miss(scenario, 13))]
    expect(await codeOf(ledger.terminateProvider(provider, missed))).toBe('PROVIDER_STATE')
    const short = [proven, ...missed]
    expect(await codeOf(ledger.terminateProvider(provider, short))).toBe('PROVIDER_STATE')
    const last = await scenario.nextPeriod()
    await scenario.harness.postSeed(last)
    await scenario.pass(last)
    missed.push(last)
    const shuffled = [...missed].reverse()
    expect(await codeOf(ledger.terminateProvider(provider, shuffled))).toBe('PROVIDER_STATE')
    const { events } = await ledger.terminateProvider(provider, missed)
    const at = period(last + 1n)
    expect(events).toEqual([
      { kind: 'provider-terminated', provider, at },
      { kind: 'provider-stopped', provider },
    ])
    expect((await ledger.standing(provider)).terminatedAt).toBe(at)
    expect(await codeOf(ledger.terminateProvider(provider, missed))).toBe('PROVIDER_STATE')
    const accepting = scenario.settings({ accepting: true })
    expect(await codeOf(owner.ledger.updateProvider(provider, accepting))).toBe('PROVIDER_STATE')
    const next = await scenario.nextPeriod()
    await scenario.harness.postSeed(next)
    expect(await codeOf(scenario.proveSeeded(next))).toBe('PROVIDER_STATE')
    expect(await ledger.deal(id)).toMatchObject({ end: at, state: 'ended', lost: true })
    await operator.ledger.releaseSlot(id, path)
    await scenario.finalise()
    const closed = (await ledger.closeDeal(id)).events.at(-1)
    // All collateral is seized: the client gets its replacement cost, the rest is forfeited.
    expect(closed).toMatchObject({
      ...{ kind: 'deal-closed', refunded: terms.deposit - 3_500n, returned: 0n },
      ...{ compensation: 1_000n, forfeited: 6_001n },
    })
  })

  test('a provider that came back cannot be ended for what it missed before', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    await scenario.open(LONG)
    const missed = await miss(scenario, 14)
    await scenario.proveNext()
    await scenario.finalise()
    const late = ledger.terminateProvider(scenario.provider, missed)
    expect(await codeOf(late)).toBe('PROVIDER_STATE')
  })
}
