/** Conformance: faults of deals and recovery, top-ups, notice of either side, consent, beneficiaries. */
import {
  amount,
  consentDigest,
  costOf,
  hash32,
  type Period,
  period,
  periods,
} from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { signingDomain } from '../../src/ledger.ts'
import { begin, codeOf, type OpenedDeal, RATE, type Scenario } from '../support/scenario.ts'
import type { HarnessSource } from './source.ts'

const LONG = { periods: periods(40), deposit: amount(200_000n), collateral: amount(50_000n) }

const costFor = (scenario: Scenario, count: bigint): bigint =>
  costOf({ rate: RATE, period: scenario.harness.network.period, periods: periods(count) })

const fault = async (scenario: Scenario, { id, path }: OpenedDeal): Promise<void> => {
  await scenario.operator.ledger.declareFault(id, scenario.tree.path(path.slot))
  scenario.freeSlot(path.slot)
}

/** Gives the deal its slot back, in the period that is now. */
const recover = async (scenario: Scenario, deal: OpenedDeal): Promise<Period> => {
  const now = await scenario.now()
  const path = scenario.tree.path(deal.path.slot)
  const openings = await scenario.recovery(now, deal)
  const { events } = await scenario.operator.ledger.recoverDeal({ deal: deal.id, path, openings })
  scenario.tree.set(deal.path.slot, deal.payload.slotLeaf(deal.id))
  const { root, weight } = scenario.tree
  expect(events).toEqual([
    { kind: 'deal-recovered', deal: deal.id, slot: deal.path.slot, period: period(now + 1n) },
    {
      ...{ kind: 'slot-changed', provider: scenario.provider, slot: deal.path.slot },
      ...{ deal: deal.id, root, weight },
    },
  ])
  return now
}

export const recoverySuite = (source: HarnessSource): void => {
  test('a recovered deal is paid again, and charged a unit for every faulty period', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const deal = await scenario.open(LONG)
    await scenario.open(LONG)
    const faulted = period((await scenario.proveNext()) + 1n)
    await fault(scenario, deal)
    await scenario.proveNext()
    const back = await scenario.proveNext()
    await recover(scenario, deal)
    await scenario.proveNext()
    expect(await ledger.deal(deal.id)).toMatchObject({
      ...{ state: 'active', faultedFrom: faulted, recoveredAt: back + 1n, lost: false },
    })
    await ledger.terminateDeal(deal.id)
    await scenario.proveNext()
    await scenario.proveNext()
    await scenario.finalise()
    await ledger.settle([deal.id])
    expect(await ledger.deal(deal.id)).toMatchObject({
      ...{ faultedFrom: undefined, paid: costFor(scenario, 4n) },
    })
    const closed = (await ledger.closeDeal(deal.id)).events.at(-1)
    // Two faulty periods: 7,000 of the collateral, of which the client gets at most 1,000.
    expect(closed).toMatchObject({
      ...{ kind: 'deal-closed', refunded: 200_000n - costFor(scenario, 4n) },
      ...{ returned: 43_000n, compensation: 1_000n, forfeited: 6_000n },
    })
  })

  test('a fault that is recovered before it begins never was', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const deal = await scenario.open(LONG)
    await scenario.open(LONG)
    await scenario.proveNext()
    await fault(scenario, deal)
    await recover(scenario, deal)
    const sound = { state: 'active', faultedFrom: undefined, recoveredAt: undefined }
    expect(await ledger.deal(deal.id)).toMatchObject(sound)
    await scenario.proveNext()
    const late = await scenario.proveNext()
    await fault(scenario, deal)
    expect(await ledger.deal(deal.id)).toMatchObject({ faultedFrom: late + 1n })
    await scenario.proveNext()
    await recover(scenario, deal)
    const gap = { state: 'active', faultedFrom: late + 1n, recoveredAt: late + 2n }
    expect(await ledger.deal(deal.id)).toMatchObject(gap)
    await fault(scenario, deal)
    expect(await ledger.deal(deal.id)).toMatchObject({ recoveredAt: undefined })
    await recover(scenario, deal)
    expect(await ledger.deal(deal.id)).toMatchObject(gap)
    await scenario.finalise()
    await ledger.settle([deal.id])
    expect((await ledger.deal(deal.id))?.paid).toBe(costFor(scenario, 3n))
  })

  test('recovery takes the challenged leaves of this period and no others', async () => {
    const scenario = await begin(source())
    const deal = await scenario.open(LONG)
    await scenario.open(LONG)
    const of = await scenario.proveNext()
    const early = await scenario.recovery(of, deal)
    const path = scenario.tree.path(deal.path.slot)
    const { ledger } = scenario.operator
    const attempt = (openings: typeof early) =>
      codeOf(ledger.recoverDeal({ deal: deal.id, path, openings }))
    expect(await attempt(early)).toBe('DEAL_STATE')
    await fault(scenario, deal)
    await scenario.nextPeriod()
    expect(await attempt(early)).toBe('SEED_MISSING')
    await scenario.harness.postSeed(await scenario.now())
    const openings = await scenario.recovery(await scenario.now(), deal)
    expect(await attempt(openings.slice(1))).toBe('PROOF_INVALID')
    const spoilt = openings.map((opening) => ({ ...opening, leaf: new Uint8Array(1024) }))
    expect(await attempt(spoilt)).toBe('PROOF_INVALID')
    const stranger = scenario.publisher.ledger
    const theirs = stranger.recoverDeal({ deal: deal.id, path, openings })
    expect(await codeOf(theirs)).toBe('UNAUTHORIZED')
    await recover(scenario, deal)
  })

  test('a deal faulty for fourteen periods is lost, and its collateral with it', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const deal = await scenario.open({ ...LONG, replacementCost: amount(30_000n) })
    await scenario.open(LONG)
    await scenario.proveNext()
    const from = await scenario.nextPeriod()
    await fault(scenario, deal)
    const end = period(from + 14n)
    expect(await ledger.deal(deal.id)).toMatchObject({ state: 'faulty', end, lost: false })
    await scenario.enter(end)
    expect(await ledger.deal(deal.id)).toMatchObject({ state: 'ended', end, lost: true })
    await scenario.finalise()
    const closed = (await ledger.closeDeal(deal.id)).events.at(-1)
    expect(closed).toMatchObject({
      ...{ refunded: 200_000n - costFor(scenario, 1n), returned: 0n },
      ...{ compensation: 30_000n, forfeited: 20_000n },
    })
  })
}

export const extensionSuite = (source: HarnessSource): void => {
  test('a top-up makes a deal last longer, up to its term', async () => {
    const scenario = await begin(source())
    const { owner, publisher, token } = scenario
    const { ledger } = publisher
    const { id } = await scenario.open({ periods: periods(10), deposit: amount(10_500n) })
    const { start, end } = (await ledger.deal(id)) ?? {}
    expect(end).toBe((start ?? 0n) + 3n)
    const before = await owner.ledger.balance(owner.ledger.account, token)
    const { events } = await owner.ledger.topUp(id, amount(3_501n))
    const later = (start ?? 0n) + 4n
    expect(events).toEqual([{ kind: 'deal-topped-up', deal: id, amount: 3_501n, end: later }])
    expect(await owner.ledger.balance(owner.ledger.account, token)).toBe(before - 3_501n)
    const held = { deposit: 14_001n, escrow: 14_001n, end: later }
    expect(await ledger.deal(id)).toMatchObject(held)
    expect(await codeOf(ledger.topUp(id, amount(21_000n)))).toBe('TERMS_INVALID')
    await ledger.topUp(id, amount(costFor(scenario, 10n) - 14_001n))
    expect((await ledger.deal(id))?.end).toBe((start ?? 0n) + 10n)
    await ledger.terminateDeal(id)
    expect(await codeOf(ledger.topUp(id, amount(0n)))).toBe('DEAL_STATE')
  })

  test('either side gives notice; both together end a deal at once', async () => {
    const scenario = await begin(source())
    const { operator, publisher } = scenario
    const { ledger } = publisher
    const [a, b] = [await scenario.open(LONG), await scenario.open(LONG)]
    const now = await scenario.nextPeriod()
    expect(await codeOf(ledger.resignDeal(a.id))).toBe('UNAUTHORIZED')
    await operator.ledger.resignDeal(a.id)
    expect((await ledger.deal(a.id))?.end).toBe(now + 3n)
    const digest = consentDigest(b.id, signingDomain(scenario.harness.network))
    const client = await publisher.signer.sign(digest)
    const byOperator = await operator.signer.sign(digest)
    const forged = { client, operator: client }
    expect(await codeOf(ledger.closeByConsent(b.id, forged))).toBe('SIGNATURE_INVALID')
    const other = await publisher.signer.sign(hash32(b.id))
    const wrong = { client: other, operator: byOperator }
    expect(await codeOf(ledger.closeByConsent(b.id, wrong))).toBe('SIGNATURE_INVALID')
    const { events } = await ledger.closeByConsent(b.id, { client, operator: byOperator })
    expect(events).toEqual([{ kind: 'deal-terminated', deal: b.id, end: now + 1n }])
    await scenario.nextPeriod()
    const late = ledger.closeByConsent(b.id, { client, operator: byOperator })
    expect(await codeOf(late)).toBe('DEAL_STATE')
  })

  test('earnings of a provider with a beneficiary wait until they are claimed for it', async () => {
    const scenario = await begin(source())
    const { owner, publisher, provider, token, operator } = scenario
    const beneficiary = operator.signer.address
    const settings = scenario.settings({ beneficiary })
    await owner.ledger.updateProvider(provider, settings)
    expect((await owner.ledger.provider(provider))?.beneficiary).toBe(beneficiary)
    const { id } = await scenario.open(LONG)
    await scenario.proveNext()
    await scenario.finalise()
    const before = await owner.ledger.balance(provider, token)
    await publisher.ledger.settle([id])
    expect(await owner.ledger.balance(provider, token)).toBe(before)
    expect(await owner.ledger.balance(beneficiary, token)).toBe(0n)
    const { events } = await publisher.ledger.claim(token, provider)
    expect(events).toEqual([{ kind: 'claimed', provider, beneficiary, token, amount: 3_325n }])
    expect(await owner.ledger.balance(beneficiary, token)).toBe(3_325n)
    expect(await owner.ledger.balance(provider, token)).toBe(before)
  })

  test('owner, operator and beneficiary: every key does its own, and nothing of the others', async () => {
    const scenario = await begin(source())
    const { owner, operator, publisher, provider, token } = scenario
    const beneficiary = publisher.signer.address
    await owner.ledger.updateProvider(provider, scenario.settings({ beneficiary }))
    const { id, path } = await scenario.open(LONG)
    await scenario.proveNext()
    await scenario.finalise()
    await publisher.ledger.settle([id])
    // The hot key proves; it moves neither stake, nor settings, nor what was earned.
    const hot = operator.ledger
    const settings = scenario.settings({ beneficiary: operator.signer.address })
    expect(await codeOf(hot.updateProvider(provider, settings))).toBe('UNAUTHORIZED')
    expect(await codeOf(hot.addStake(amount(1n)))).toBe('PROVIDER_NOT_FOUND')
    expect(await codeOf(hot.withdrawStake(amount(1n)))).toBe('PROVIDER_NOT_FOUND')
    expect(await codeOf(hot.withdraw(token, amount(1n)))).toBe('FUNDS_INSUFFICIENT')
    // The owner's key neither proves nor gets at what the beneficiary is owed.
    const cold = owner.ledger
    const free = await cold.balance(provider, token)
    expect(await codeOf(cold.withdraw(token, amount(free + 1n)))).toBe('FUNDS_INSUFFICIENT')
    const slotPath = scenario.tree.path(path.slot)
    expect(await codeOf(cold.declareFault(id, slotPath))).toBe('UNAUTHORIZED')
    // The beneficiary is only paid.
    const paid = publisher.ledger
    expect(await codeOf(paid.updateProvider(provider, settings))).toBe('UNAUTHORIZED')
    expect(await codeOf(paid.declareFault(id, slotPath))).toBe('UNAUTHORIZED')
    const before = await paid.balance(beneficiary, token)
    await hot.claim(token, provider)
    expect(await paid.balance(beneficiary, token)).toBe(before + 3_325n)
  })
}
