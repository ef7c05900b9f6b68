/** Conformance: disputes about committed periods, and where every unit of their money goes. */
import {
  amount,
  type BundleQuestion,
  type Period,
  period,
  periods,
  timestamp,
  usablePeriods,
} from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { indexOf } from '../support/bundle.ts'
import {
  begin,
  type Committed,
  codeOf,
  type OpenedDeal,
  type Scenario,
  STAKE,
} from '../support/scenario.ts'
import type { HarnessSource } from './source.ts'

const LONG = { periods: periods(40), deposit: amount(200_000n) }
export const BOND = amount(1_000_000n)
export const SLASH = amount(100_000n)
export const QUESTION: BundleQuestion = { class: 'global', i: 7 }

export interface Story {
  readonly scenario: Scenario
  readonly deal: OpenedDeal
  readonly committed: Committed
}

/** A provider past its first audit that has committed a bundle with some wrong answers. */
export const story = async (
  source: HarnessSource,
  wrong: readonly BundleQuestion[],
): Promise<Story> => {
  const scenario = await begin(source())
  const deal = await scenario.open(LONG)
  await scenario.open(LONG)
  await scenario.commitNext()
  const spoilt = new Set(wrong.map((question) => indexOf(scenario.tree, question)))
  return { scenario, deal, committed: await scenario.commitNext(spoilt) }
}

export const entryOf = ({ scenario, committed }: Story, question: BundleQuestion) => ({
  provider: scenario.provider,
  period: committed.period,
  question,
})

export const openGlobal = (of: Story, question: BundleQuestion = QUESTION) =>
  of.scenario.publisher.ledger.openDispute({ ...entryOf(of, question), membership: undefined })

/** Goes on until the answer time is over, with a seed in every period. */
export const outwait = async ({ scenario }: Story): Promise<Period> => {
  const usable = await scenario.nextPeriod()
  await scenario.harness.postSeed(usable)
  await scenario.nextPeriod()
  return usable
}

export const money = async (scenario: Scenario) => {
  const { publisher, provider, token } = scenario
  const { ledger } = publisher
  return {
    opener: await ledger.balance(ledger.account, token),
    provider: await ledger.balance(provider, token),
    fees: await ledger.feesCollected(token),
    stake: (await ledger.provider(provider))?.stake ?? 0n,
  }
}

export const disputeSuite = (source: HarnessSource): void => {
  test('a dispute takes a bond, holds finality back, and can be asked once', async () => {
    const of = await story(source, [])
    const { scenario } = of
    const { ledger } = scenario.publisher
    const before = await money(scenario)
    const { events } = await openGlobal(of)
    const opener = ledger.account
    expect(events).toMatchObject([
      {
        kind: 'dispute-opened',
        period: of.committed.period,
        question: QUESTION,
        opener,
        bond: BOND,
      },
    ])
    expect(await money(scenario)).toEqual({ ...before, opener: before.opener - BOND })
    const entry = entryOf(of, QUESTION)
    const openedAt = (await ledger.tip()).timestamp
    const dispute = { ...entry, state: 'open', opener, openedAt, bond: BOND }
    expect(await ledger.disputes(scenario.provider)).toEqual([dispute])
    expect(await ledger.dispute(entry)).toEqual(dispute)
    expect(await ledger.standing(scenario.provider)).toMatchObject({
      ...{ openDisputes: 1, bond: 2n * BOND },
    })
    expect(await codeOf(openGlobal(of))).toBe('DISPUTE_STATE')
    await scenario.finalise()
    expect((await ledger.standing(scenario.provider)).finalBefore).toBe(of.committed.period)
  })

  test('an answer ends it, and the bond is the provider’s', async () => {
    const of = await story(source, [])
    const { scenario, committed } = of
    const before = await money(scenario)
    await openGlobal(of)
    const second: BundleQuestion = { class: 'global', i: 459 }
    await openGlobal(of, second)
    const answer = (question: BundleQuestion, shown = question) =>
      scenario.owner.ledger.answerDispute(entryOf(of, question), committed.bundle.opening(shown))
    expect(await codeOf(answer(QUESTION, second))).toBe('PROOF_INVALID')
    const { events } = await answer(QUESTION)
    expect(events).toMatchObject([{ kind: 'dispute-answered', period: committed.period }])
    await answer(second)
    // The second one cost twice the bond; the provider gets one each, the rest are fees.
    expect(await money(scenario)).toEqual({
      ...{ opener: before.opener - 3n * BOND, provider: before.provider + 2n * BOND },
      ...{ fees: before.fees + BOND, stake: STAKE },
    })
    const { ledger } = scenario.publisher
    expect(await ledger.disputes(scenario.provider)).toEqual([])
    expect((await ledger.dispute(entryOf(of, QUESTION)))?.state).toBe('answered')
    expect(await codeOf(answer(QUESTION))).toBe('DISPUTE_STATE')
    await scenario.finalise()
    expect((await ledger.standing(scenario.provider)).finalBefore > committed.period).toBe(true)
  })

  test('no answer in time costs the stake and the period; half is the opener’s', async () => {
    const of = await story(source, [QUESTION])
    const { scenario, committed, deal } = of
    const { ledger } = scenario.publisher
    const before = await money(scenario)
    await openGlobal(of)
    const entry = entryOf(of, QUESTION)
    const wrong = ledger.answerDispute(entry, committed.bundle.opening(QUESTION))
    expect(await codeOf(wrong)).toBe('PROOF_INVALID')
    const usable = await outwait(of)
    const { events } = await scenario.owner.ledger.slashTimeout(entry, [usable])
    expect(events).toContainEqual(expect.objectContaining({ kind: 'dispute-lost', slashed: SLASH }))
    expect(await money(scenario)).toEqual({
      ...{ opener: before.opener + SLASH / 2n, provider: before.provider },
      ...{ fees: before.fees + SLASH / 2n, stake: STAKE - SLASH },
    })
    const { period: at } = committed
    expect(await ledger.proven(scenario.provider, at, period(at + 1n))).toEqual([])
    expect(await ledger.missed(scenario.provider, at, period(at + 1n))).toEqual([at])
    expect((await ledger.standing(scenario.provider)).auditNext).toBe(true)
    expect((await ledger.dispute(entry))?.state).toBe('lost')
    await scenario.finalise()
    await ledger.settle([deal.id])
    // One period of two is left to be paid.
    expect((await ledger.deal(deal.id))?.paid).toBe(3_500n)
  })
}

export const disputeLimitSuite = (source: HarnessSource): void => {
  test('the provider has its time, and void periods are not part of it', async () => {
    const of = await story(source, [QUESTION])
    const { scenario, committed } = of
    const { ledger } = scenario.publisher
    await scenario.enter(committed.period, 500n)
    await openGlobal(of)
    const entry = entryOf(of, QUESTION)
    const { openedAt = timestamp(0n) } = (await ledger.dispute(entry)) ?? {}
    const early = await scenario.nextPeriod()
    await scenario.harness.postSeed(early)
    expect(await codeOf(ledger.slashTimeout(entry, [committed.period]))).toBe('DISPUTE_STATE')
    await scenario.enter(period(committed.period + 3n))
    const unseeded = period(committed.period + 2n)
    expect(await codeOf(ledger.slashTimeout(entry, [unseeded]))).toBe('PROOF_INVALID')
    expect(await codeOf(ledger.slashTimeout(entry, [early, unseeded]))).toBe('PROOF_INVALID')
    expect(await codeOf(ledger.slashTimeout(entry, []))).toBe('DISPUTE_STATE')
    const { network } = scenario.harness
    const seeded = new Set([committed.period, early])
    const hasSeed = (p: Period): boolean => seeded.has(p)
    const now = (await ledger.tip()).timestamp
    const usable = usablePeriods(network, { openedAt, now, hasSeed })
    expect(usable).toEqual([committed.period])
    await ledger.slashTimeout(entry, usable ?? [])
    expect(await codeOf(ledger.slashTimeout(entry, usable ?? []))).toBe('DISPUTE_STATE')
  })

  test('a dispute on a chain that was not usable expires: bond back, period unpaid, no slash', async () => {
    const of = await story(source, [QUESTION])
    const { scenario, committed } = of
    const { ledger } = scenario.publisher
    const before = await money(scenario)
    await scenario.nextPeriod()
    await openGlobal(of)
    await scenario.enter(period(committed.period + 32n))
    const { events } = await ledger.slashTimeout(entryOf(of, QUESTION), [])
    expect(events).toContainEqual(expect.objectContaining({ kind: 'dispute-expired' }))
    expect(await money(scenario)).toEqual(before)
    expect(await ledger.missed(scenario.provider, period(0n), committed.period)).toEqual([])
  })

  test('only committed periods are disputed, only while they are not nearly final', async () => {
    const of = await story(source, [])
    const { scenario, committed } = of
    const { ledger } = scenario.publisher
    const direct = await scenario.proveNext()
    const ask = (at: Period, i = 0) =>
      ledger.openDispute({
        ...{ provider: scenario.provider, period: at },
        ...{ question: { class: 'global', i }, membership: undefined },
      })
    expect(await codeOf(ask(direct))).toBe('PROVIDER_STATE')
    expect(await codeOf(ask(period(direct + 1n)))).toBe('PROVIDER_STATE')
    expect(await codeOf(ask(committed.period, 460))).toBe('PROOF_INVALID')
    // start + W + D - T is the last moment.
    await scenario.enter(period(committed.period + 1n), 751n + 1000n)
    expect(await codeOf(ask(committed.period))).toBe('WINDOW_CLOSED')
  })

  test('what an open dispute is judged by stays: nothing is proven eight periods later', async () => {
    const of = await story(source, [])
    const { scenario, committed } = of
    await openGlobal(of)
    const late = period(committed.period + 8n)
    await scenario.enter(period(late - 1n))
    await scenario.harness.postSeed(period(late - 1n))
    await scenario.proveSeeded(period(late - 1n))
    await scenario.enter(late)
    await scenario.harness.postSeed(late)
    expect(await codeOf(scenario.proveSeeded(late))).toBe('PROVIDER_STATE')
    const opening = committed.bundle.opening(QUESTION)
    await scenario.owner.ledger.answerDispute(entryOf(of, QUESTION), opening)
    await scenario.proveSeeded(late)
  })
}

export const dealDisputeSuite = (source: HarnessSource): void => {
  const question = ({ deal }: Story, i = 3): BundleQuestion => ({ class: 'deal', deal: deal.id, i })

  test('a question about a deal shows that it was in the tree', async () => {
    const of = await story(source, [])
    const { scenario, deal } = of
    const { ledger } = scenario.publisher
    const membership = scenario.membership(deal)
    const ask = (shown: typeof membership | undefined, i = 3) =>
      ledger.openDispute({ ...entryOf(of, question(of, i)), membership: shown })
    expect(await codeOf(ask(undefined))).toBe('PROOF_INVALID')
    const moved = { ...membership, path: { ...membership.path, siblings: [] } }
    expect(await codeOf(ask(moved))).toBe('PROOF_INVALID')
    const heavier = { ...membership, leaf: { ...membership.leaf, leaves: 9n as never } }
    expect(await codeOf(ask(heavier))).toBe('PROOF_INVALID')
    expect(await codeOf(ask(membership, 5))).toBe('PROOF_INVALID')
    await ask(membership)
    // The deal in question is the one in the answer: about another one, nobody asked.
    const [other] = [...scenario.payloads.keys()].filter((id) => id !== deal.id)
    if (other === undefined) throw new Error('there are two deals')
    const aside = of.committed.bundle.opening({ class: 'deal', deal: other, i: 3 })
    const { ledger: owner } = scenario.owner
    expect(await codeOf(owner.answerDispute(entryOf(of, question(of)), aside))).toBe(
      'DISPUTE_STATE',
    )
    await owner.answerDispute(entryOf(of, question(of)), of.committed.bundle.opening(question(of)))
  })

  test('a deal that a lost dispute shows lost can be declared so by anybody', async () => {
    const fresh = await story(source, [])
    const { scenario, deal } = fresh
    const { ledger } = scenario.publisher
    const asked = question(fresh)
    const spoilt = new Set([indexOf(scenario.tree, asked)])
    const of = { ...fresh, committed: await scenario.commitNext(spoilt) }
    const path = scenario.tree.path(deal.path.slot)
    expect(await codeOf(ledger.declareShownLost(deal.id, path))).toBe('UNAUTHORIZED')
    const membership = scenario.membership(deal)
    await ledger.openDispute({ ...entryOf(of, asked), membership })
    const usable = await outwait(of)
    const { events } = await ledger.slashTimeout(entryOf(of, asked), [usable])
    expect(events).toContainEqual({
      ...{ kind: 'deal-shown-lost', deal: deal.id, period: of.committed.period },
    })
    await ledger.declareShownLost(deal.id, path)
    expect(await ledger.deal(deal.id)).toMatchObject({ state: 'faulty' })
    expect(await codeOf(ledger.declareShownLost(deal.id, path))).toBe('DEAL_STATE')
  })
}
