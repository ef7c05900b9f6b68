/** Conformance: commitments to bundles, and the audits that some of them owe. */
import { amount, type Period, period, periods, ZERO_HASH } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import type { ProviderStanding } from '../../src/settlement-port.ts'
import { begin, codeOf, randomHash, type Scenario, STAKE } from '../support/scenario.ts'
import type { HarnessSource } from './source.ts'

const TEN = { periods: periods(10), deposit: amount(60_000n) }

/** Of the scenario's provider, as its publisher reads it. */
export const standing = ({ publisher, provider }: Scenario): Promise<ProviderStanding> =>
  publisher.ledger.standing(provider)

export const committingSuite = (source: HarnessSource): void => {
  test('a commitment marks its period, once, and its root can be read', async () => {
    const scenario = await begin(source())
    const { provider, operator } = scenario
    await scenario.open(TEN)
    const of = await scenario.nextPeriod()
    await scenario.harness.postSeed(of)
    const root = randomHash()
    const { events } = await operator.ledger.commitPeriod({ provider, period: of, root })
    expect(events).toEqual([{ kind: 'period-committed', provider, period: of, root }])
    expect(await operator.ledger.proven(provider, of, period(of + 1n))).toEqual([of])
    expect(await operator.ledger.committed(provider, of)).toBe(root)
    expect(await operator.ledger.committed(provider, period(of - 1n))).toBeUndefined()
    const again = operator.ledger.commitPeriod({ provider, period: of, root: randomHash() })
    expect(await codeOf(again)).toBe('NOTHING_TO_DO')
  })

  test('only the operator commits, only in the window, only after the seed', async () => {
    const scenario = await begin(source())
    const { provider, operator, publisher } = scenario
    await scenario.open(TEN)
    const of = await scenario.nextPeriod()
    const commit = { provider, period: of, root: randomHash() }
    expect(await codeOf(operator.ledger.commitPeriod(commit))).toBe('SEED_MISSING')
    const ahead = { ...commit, period: period(of + 1n) }
    expect(await codeOf(operator.ledger.commitPeriod(ahead))).toBe('SEED_MISSING')
    await scenario.harness.postSeed(of)
    expect(await codeOf(publisher.ledger.commitPeriod(commit))).toBe('UNAUTHORIZED')
    const nothing = { ...commit, root: ZERO_HASH }
    expect(await codeOf(operator.ledger.commitPeriod(nothing))).toBe('PROOF_INVALID')
    await scenario.pass(of)
    expect(await codeOf(operator.ledger.commitPeriod(commit))).toBe('WINDOW_CLOSED')
  })

  test('an operator commits for its own provider only, and then under its name', async () => {
    const scenario = await begin(source())
    const { harness, provider, operator, token } = scenario
    await scenario.open(TEN)
    const owner = await harness.account(STAKE)
    const stranger = await harness.account()
    await owner.ledger.deposit(token, STAKE)
    const settings = scenario.settings({ operator: stranger.signer.address })
    await owner.ledger.registerProvider(settings, STAKE)
    const of = await scenario.nextPeriod()
    await harness.postSeed(of)
    const other = owner.signer.address
    const root = randomHash()
    const wrong = [
      operator.ledger.commitPeriod({ provider: other, period: of, root }),
      stranger.ledger.commitPeriod({ provider, period: of, root }),
      owner.ledger.commitPeriod({ provider: other, period: of, root }),
    ]
    for (const refused of wrong) expect(await codeOf(refused)).toBe('UNAUTHORIZED')
    for (const one of [provider, other]) {
      expect(await operator.ledger.proven(one, of, period(of + 1n))).toEqual([])
    }
    const { events } = await operator.ledger.commitPeriod({ provider, period: of, root })
    expect(events).toMatchObject([{ kind: 'period-committed', provider }])
  })

  test('a commitment is not paid before the dispute time is over', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const { id } = await scenario.open(TEN)
    const { period: of } = await scenario.commitNext()
    await scenario.nextPeriod()
    expect((await standing(scenario)).finalBefore <= of).toBe(true)
    expect((await ledger.settle([id])).events).toEqual([])
    await scenario.finalise()
    expect((await standing(scenario)).finalBefore > of).toBe(true)
    expect((await ledger.settle([id])).events).toMatchObject([{ kind: 'deal-settled', deal: id }])
    expect((await ledger.deal(id))?.paid).toBe(3_500n)
  })
}

export const auditSuite = (source: HarnessSource): void => {
  test('the first commitment owes an audit; until it is shown nothing else is proven', async () => {
    const scenario = await begin(source())
    const { provider, operator } = scenario
    await scenario.open(TEN)
    const of = await scenario.nextPeriod()
    const bundle = await scenario.commit(of)
    expect(await standing(scenario)).toMatchObject({ newest: of, audit: { period: of } })
    const next = await scenario.nextPeriod()
    await scenario.harness.postSeed(next)
    const commit = { provider, period: next, root: randomHash() }
    expect(await codeOf(operator.ledger.commitPeriod(commit))).toBe('PROVIDER_STATE')
    expect(await codeOf(scenario.proveSeeded(next))).toBe('PROVIDER_STATE')
    const { events } = await scenario.showAudit(of, bundle)
    expect(events).toEqual([{ kind: 'audit-answered', provider, period: of }])
    expect((await standing(scenario)).audit).toBeUndefined()
    expect(await codeOf(scenario.showAudit(of, bundle))).toBe('NOTHING_TO_DO')
    await operator.ledger.commitPeriod(commit)
    // One that follows a marked period owes none.
    expect((await standing(scenario)).audit).toBeUndefined()
  })

  test('an audit takes the committed answers and no others', async () => {
    const scenario = await begin(source())
    const { provider, operator } = scenario
    await scenario.open(TEN)
    const of = await scenario.nextPeriod()
    const bundle = await scenario.commit(of, new Set([2n]))
    const good = bundle.audit(5)
    const answer = (openings: typeof good): Promise<string> =>
      codeOf(operator.ledger.answerAudit({ provider, period: of, openings }))
    expect(await answer(good)).toBe('PROOF_INVALID')
    expect(await answer(good.slice(0, 4))).toBe('PROOF_INVALID')
    expect(await answer([...good.slice(1), ...good.slice(0, 1)])).toBe('PROOF_INVALID')
  })

  test('direct mode shows at once and owes nothing', async () => {
    const scenario = await begin(source())
    await scenario.open(TEN)
    const of = await scenario.proveNext()
    expect(await standing(scenario)).toMatchObject({ newest: of, audit: undefined })
    expect(await scenario.publisher.ledger.committed(scenario.provider, of)).toBeUndefined()
    await scenario.commitNext()
    expect((await standing(scenario)).audit).toBeUndefined()
  })

  test('a fault makes the next commitment owe one, and so does a miss', async () => {
    const scenario = await begin(source())
    const { operator } = scenario
    const lost = await scenario.open(TEN)
    await scenario.open(TEN)
    await scenario.commitNext()
    await operator.ledger.declareFault(lost.id, scenario.tree.path(lost.path.slot))
    scenario.freeSlot(lost.path.slot)
    expect((await standing(scenario)).auditNext).toBe(true)
    let of = await scenario.nextPeriod()
    await scenario.showAudit(of, await scenario.commit(of))
    of = period((await scenario.nextPeriod()) + 1n)
    await scenario.enter(of)
    await scenario.commit(of)
    expect((await standing(scenario)).audit).toMatchObject({ period: of })
  })
}

const owing = async (scenario: Scenario): Promise<Period> => {
  await scenario.open(TEN)
  const of = await scenario.nextPeriod()
  await scenario.commit(of, new Set([0n]))
  return of
}

export const lateAuditSuite = (source: HarnessSource): void => {
  test('an audit that is not shown costs stake, mark and period; half goes to who said so', async () => {
    const scenario = await begin(source())
    const { provider, publisher, token } = scenario
    const { ledger } = publisher
    const of = await owing(scenario)
    const next = await scenario.nextPeriod()
    await scenario.harness.postSeed(next)
    expect(await codeOf(ledger.slashAudit(provider, next))).toBe('PROVIDER_STATE')
    await scenario.nextPeriod()
    expect(await codeOf(ledger.slashAudit(provider, period(next + 1n)))).toBe('PROVIDER_STATE')
    const [money, fees] = [
      await ledger.balance(ledger.account, token),
      await ledger.feesCollected(token),
    ]
    const { events } = await ledger.slashAudit(provider, next)
    const slashed = amount(100_000n)
    expect(events).toContainEqual({
      ...{ kind: 'audit-lost', provider, period: of, reporter: ledger.account, slashed },
    })
    expect(events).toContainEqual({ kind: 'period-unmarked', provider, period: of })
    expect(events).toContainEqual({ kind: 'period-missed', provider, period: of })
    expect(await ledger.balance(ledger.account, token)).toBe(money + 50_000n)
    expect(await ledger.feesCollected(token)).toBe(fees + 50_000n)
    expect((await ledger.provider(provider))?.stake).toBe(STAKE - slashed)
    expect(await ledger.proven(provider, of, period(of + 1n))).toEqual([])
    expect(await ledger.missed(provider, of, period(of + 1n))).toEqual([of])
    expect(await ledger.committed(provider, of)).toBeUndefined()
    expect(await standing(scenario)).toMatchObject({ audit: undefined, auditNext: true })
    expect(await codeOf(ledger.slashAudit(provider, next))).toBe('NOTHING_TO_DO')
  })

  test('an owed audit holds finality back; shown late, the period is paid all the same', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const { id } = await scenario.open(TEN)
    const of = await scenario.nextPeriod()
    const bundle = await scenario.commit(of)
    await scenario.finalise()
    expect((await standing(scenario)).finalBefore).toBe(of)
    expect((await ledger.settle([id])).events).toEqual([])
    await scenario.showAudit(of, bundle)
    await ledger.settle([id])
    expect((await ledger.deal(id))?.paid).toBe(3_500n)
  })

  test('an audit that could be slashed does not expire', async () => {
    const scenario = await begin(source())
    const { provider, publisher } = scenario
    const of = await owing(scenario)
    const usable = await scenario.nextPeriod()
    await scenario.harness.postSeed(usable)
    await scenario.enter(period(of + 30n))
    expect(await codeOf(publisher.ledger.slashAudit(provider, of))).toBe('PROVIDER_STATE')
    // The provider itself has this way on, too.
    await scenario.operator.ledger.slashAudit(provider, usable)
    expect((await standing(scenario)).audit).toBeUndefined()
  })

  test('while the next periods are void nobody is late, and in the end the audit expires', async () => {
    const scenario = await begin(source())
    const { provider, publisher } = scenario
    const of = await owing(scenario)
    await scenario.enter(period(of + 29n))
    expect(await codeOf(publisher.ledger.slashAudit(provider, of))).toBe('PROVIDER_STATE')
    await scenario.enter(period(of + 30n))
    const { events } = await publisher.ledger.slashAudit(provider, of)
    const reporter = publisher.ledger.account
    expect(events).toContainEqual({
      ...{ kind: 'audit-lost', provider, period: of, reporter, slashed: 0n },
    })
    expect((await publisher.ledger.provider(provider))?.stake).toBe(STAKE)
  })
}
