/** Conformance: what is slashed once, and what is not let off by waiting. */
import { type BundleQuestion, period } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { codeOf, STAKE } from '../support/scenario.ts'
import { BOND, entryOf, money, openGlobal, outwait, QUESTION, SLASH, story } from './disputes.ts'
import type { HarnessSource } from './source.ts'

export const slashOnceSuite = (source: HarnessSource): void => {
  test('a period is slashed once; what else was asked is answered or returns its bond', async () => {
    const second: BundleQuestion = { class: 'global', i: 8 }
    const third: BundleQuestion = { class: 'global', i: 9 }
    const of = await story(source, [QUESTION, second])
    const { scenario, committed } = of
    const before = await money(scenario)
    for (const question of [QUESTION, second, third]) await openGlobal(of, question)
    const usable = await outwait(of)
    const { ledger } = scenario.owner
    await ledger.slashTimeout(entryOf(of, QUESTION), [usable])
    const { events } = await ledger.slashTimeout(entryOf(of, second), [usable])
    expect(events).toContainEqual(expect.objectContaining({ kind: 'dispute-lost', slashed: 0n }))
    await ledger.answerDispute(entryOf(of, third), committed.bundle.opening(third))
    // The third bond is three: one for the provider, two are fees.
    expect(await money(scenario)).toEqual({
      ...{ opener: before.opener + SLASH / 2n - 3n * BOND, provider: before.provider + BOND },
      ...{ fees: before.fees + SLASH / 2n + 2n * BOND, stake: STAKE - SLASH },
    })
    const again = scenario.publisher.ledger.openDispute({
      ...entryOf(of, { class: 'global', i: 10 }),
      membership: undefined,
    })
    expect(await codeOf(again)).toBe('PROVIDER_STATE')
  })

  test('a dispute on a chain that was usable for long enough does not expire', async () => {
    const of = await story(source, [QUESTION])
    const { scenario, committed } = of
    const { ledger } = scenario.publisher
    await openGlobal(of)
    const usable = await outwait(of)
    await scenario.enter(period(committed.period + 31n))
    expect(await codeOf(ledger.slashTimeout(entryOf(of, QUESTION), []))).toBe('DISPUTE_STATE')
    await ledger.slashTimeout(entryOf(of, QUESTION), [usable])
  })
}
