/** Conformance: money for proven time, to the unit, and the ways a deal ends. */

import {
  type Amount,
  amount,
  costOf,
  type DealId,
  feeOf,
  type Period,
  period,
  periods,
} from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { begin, codeOf, PLENTY, RATE, type Scenario } from '../support/scenario.ts'
import type { HarnessSource } from './source.ts'

const costFor = (scenario: Scenario, proven: bigint): Amount =>
  costOf({ rate: RATE, period: scenario.harness.network.period, periods: periods(proven) })

const spanOf = async (scenario: Scenario, id: DealId): Promise<{ start: Period; end: Period }> => {
  const deal = await scenario.publisher.ledger.deal(id)
  if (deal === undefined) throw new Error('the deal is open')
  return deal
}

/** A deal of six periods. */
const SIX = { periods: periods(6), deposit: amount(40_000n) }

/** Proves, misses and leaves void the periods of a deal, one letter each. */
const live = async (scenario: Scenario, fate: string): Promise<void> => {
  for (const what of fate) {
    const now = await scenario.nextPeriod()
    if (what === 'p') await scenario.prove(now)
    if (what === 'm') await scenario.harness.postSeed(now)
  }
}

export const paymentSuite = (source: HarnessSource): void => {
  test('pays proven periods to the unit, not the missed nor the void ones', async () => {
    const scenario = await begin(source())
    const { publisher, provider, token } = scenario
    const { ledger } = publisher
    const { id, terms } = await scenario.open(SIX)
    const [before, fees] = [
      await ledger.balance(provider, token),
      await ledger.feesCollected(token),
    ]
    await live(scenario, 'ppmpvp')
    await scenario.finalise()
    const { end } = await spanOf(scenario, id)
    const { events } = await ledger.settle([id])
    const paid = costFor(scenario, 4n)
    const fee = feeOf(paid, 500)
    expect(events).toEqual([{ kind: 'deal-settled', deal: id, through: end, paid, fee }])
    expect(await ledger.balance(provider, token)).toBe(before + paid - fee)
    expect(await ledger.feesCollected(token)).toBe(fees + fee)
    const deal = await ledger.deal(id)
    expect(deal).toMatchObject({ paid, escrow: terms.deposit - paid, settledThrough: end })
  })

  test('pays the same however often it is settled', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const often = await scenario.open(SIX)
    const once = await scenario.open(SIX)
    let [paid, fees] = [0n, 0n]
    const settleOften = async (): Promise<void> => {
      for (const event of (await ledger.settle([often.id])).events) {
        if (event.kind !== 'deal-settled') continue
        paid += event.paid
        fees += event.fee
      }
    }
    for (let i = 0; i < 6; i++) {
      await live(scenario, i === 2 ? 'm' : 'p')
      await settleOften()
    }
    await scenario.finalise()
    await settleOften()
    const { events } = await ledger.settle([often.id, once.id])
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ deal: once.id, paid, fee: fees })
    expect(paid).toBe(costFor(scenario, 5n))
    expect(fees).toBe(feeOf(amount(paid), 500))
  })

  test('pays nothing, and says so, when nothing is final', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const { id } = await scenario.open(SIX)
    expect((await ledger.settle([id])).events).toEqual([])
    const now = await scenario.nextPeriod()
    expect((await ledger.settle([id])).events).toEqual([])
    await scenario.prove(now)
    await scenario.finalise()
    expect((await ledger.settle([id])).events).toHaveLength(1)
    expect((await ledger.settle([id, id])).events).toEqual([])
    expect((await ledger.settle([])).events).toEqual([])
  })
}

export const endingSuite = (source: HarnessSource): void => {
  test('closes an ended deal to the last unit and frees its slot', async () => {
    const scenario = await begin(source())
    const { publisher, operator, provider, token } = scenario
    const { ledger } = publisher
    const held = await ledger.balance(provider, token)
    const { id, terms, path } = await scenario.open(SIX)
    await live(scenario, 'ppm')
    expect(await codeOf(ledger.closeDeal(id))).toBe('DEAL_STATE')
    expect(await codeOf(operator.ledger.releaseSlot(id, path))).toBe('DEAL_STATE')
    await live(scenario, 'pppv')
    await scenario.finalise()
    expect((await ledger.deal(id))?.state).toBe('ended')
    const paid = costFor(scenario, 5n)
    const fee = feeOf(paid, 500)
    const refunded = amount(terms.deposit - paid)
    const { events } = await ledger.closeDeal(id)
    expect(events.at(-1)).toEqual({
      ...{ kind: 'deal-closed', deal: id, refunded, returned: terms.collateral },
      ...{ compensation: 0n, forfeited: 0n },
    })
    expect(await ledger.balance(ledger.account, token)).toBe(PLENTY / 2n - paid)
    expect(await ledger.balance(provider, token)).toBe(held + paid - fee)
    expect(await ledger.deal(id)).toMatchObject({ state: 'closed', escrow: 0n, paid })
    expect(await codeOf(ledger.closeDeal(id))).toBe('DEAL_STATE')
    expect(await codeOf(ledger.releaseSlot(id, path))).toBe('UNAUTHORIZED')
    await operator.ledger.releaseSlot(id, path)
    expect(await codeOf(operator.ledger.releaseSlot(id, path))).toBe('DEAL_STATE')
    scenario.freeSlot(path.slot)
    expect((await scenario.open()).path.slot).toBe(path.slot)
  })

  test('ends a deal after its notice when the client says so', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const { id } = await scenario.open({ periods: periods(30), deposit: amount(200_000n) })
    expect(await codeOf(scenario.owner.ledger.terminateDeal(id))).toBe('UNAUTHORIZED')
    const now = await scenario.now()
    const { events } = await ledger.terminateDeal(id)
    const end = period(now + 3n)
    expect(events).toEqual([{ kind: 'deal-terminated', deal: id, end }])
    await live(scenario, 'ppp')
    expect((await ledger.deal(id))?.state).toBe('ended')
    expect(await codeOf(ledger.terminateDeal(id))).toBe('DEAL_STATE')
    await scenario.finalise()
    await ledger.settle([id])
    expect((await ledger.deal(id))?.paid).toBe(costFor(scenario, 2n))
  })

  test('never lets a notice lengthen a term', async () => {
    const scenario = await begin(source())
    const { id } = await scenario.open({ ...SIX, notice: periods(500), periods: periods(2) })
    const { end } = await spanOf(scenario, id)
    await scenario.publisher.ledger.terminateDeal(id)
    expect((await spanOf(scenario, id)).end).toBe(end)
  })
}

export const faultSuite = (source: HarnessSource): void => {
  test('takes a lost deal out of tree and pay, and goes on with the others', async () => {
    const scenario = await begin(source())
    const { operator, publisher, provider } = scenario
    const lost = await scenario.open(SIX)
    const kept = await scenario.open(SIX)
    await live(scenario, 'p')
    const now = await scenario.nextPeriod()
    const path = scenario.tree.path(lost.path.slot)
    expect(await codeOf(publisher.ledger.declareFault(lost.id, path))).toBe('UNAUTHORIZED')
    const { events } = await operator.ledger.declareFault(lost.id, path)
    scenario.payloads.delete(lost.id)
    scenario.freeSlot(lost.path.slot)
    expect(events).toEqual([
      { kind: 'deal-faulted', deal: lost.id, period: now },
      {
        ...{ kind: 'slot-changed', provider, slot: lost.path.slot, deal: undefined },
        ...{ root: scenario.tree.root, weight: scenario.tree.weight },
      },
    ])
    expect(await codeOf(operator.ledger.declareFault(lost.id, path))).toBe('DEAL_STATE')
    expect(await publisher.ledger.deal(lost.id)).toMatchObject({
      ...{ state: 'faulty', faultedFrom: now },
    })
    await live(scenario, 'pp')
    await scenario.finalise()
    await publisher.ledger.settle([lost.id, kept.id])
    expect((await publisher.ledger.deal(lost.id))?.paid).toBe(costFor(scenario, 1n))
    expect((await publisher.ledger.deal(kept.id))?.paid).toBe(costFor(scenario, 3n))
  })

  test('pays the period that was proven before the fault', async () => {
    const scenario = await begin(source())
    const { id, path } = await scenario.open(SIX)
    const now = await scenario.proveNext()
    await scenario.operator.ledger.declareFault(id, path)
    const { ledger } = scenario.publisher
    expect((await ledger.deal(id))?.faultedFrom).toBe(now + 1n)
    await ledger.terminateDeal(id)
    await scenario.finalise()
    await ledger.closeDeal(id)
    expect((await ledger.deal(id))?.paid).toBe(costFor(scenario, 1n))
  })
}
