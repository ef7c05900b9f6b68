/** Conformance: proving periods with real answers. */

import { period, periodDeadline, periodStart, periods, timestamp } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { begin, codeOf } from '../support/scenario.ts'
import type { HarnessSource } from './source.ts'

export const provingSuite = (source: HarnessSource): void => {
  test('proves a period over several deals', async () => {
    const scenario = await begin(source())
    for (const size of [5_000, 700, 40_000]) await scenario.open({}, scenario.payload(size))
    const now = await scenario.nextPeriod()
    const { events } = await scenario.prove(now)
    const { provider } = scenario
    expect(events).toEqual([{ kind: 'period-proven', provider, period: now }])
    const to = period(now + 1n)
    expect(await scenario.publisher.ledger.proven(provider, period(0n), to)).toEqual([now])
  })

  test('challenges the tree at the start of the period, not what was added since', async () => {
    const scenario = await begin(source())
    await scenario.open()
    const now = await scenario.nextPeriod()
    const atStart = scenario.tree.clone()
    await scenario.open({}, scenario.payload(9_000))
    await source().postSeed(now)
    const { provider } = scenario
    const { ledger } = scenario.operator
    const late = await scenario.answers(now)
    expect(await codeOf(ledger.provePeriod({ provider, period: now, answers: late }))).toBe(
      'PROOF_INVALID',
    )
    const answers = await scenario.answers(now, atStart)
    await ledger.provePeriod({ provider, period: now, answers })
  })

  test('has nothing to prove in the period of the first opening', async () => {
    const scenario = await begin(source())
    const now = await scenario.nextPeriod()
    await scenario.open()
    await source().postSeed(now)
    const refused = scenario.proveSeeded(now)
    expect(await codeOf(refused)).toBe('PROVIDER_STATE')
  })

  test('refuses a second proof of a period', async () => {
    const scenario = await begin(source())
    await scenario.open()
    const now = await scenario.proveNext()
    expect(await codeOf(scenario.proveSeeded(now))).toBe('NOTHING_TO_DO')
  })
}

export const timingSuite = (source: HarnessSource): void => {
  test('refuses proofs before the seed and of periods to come', async () => {
    const scenario = await begin(source())
    await scenario.open()
    const now = await scenario.nextPeriod()
    const { provider } = scenario
    const { ledger } = scenario.operator
    for (const of of [now, period(now + 1n)]) {
      const early = ledger.provePeriod({ provider, period: of, answers: [] })
      expect(await codeOf(early)).toBe('SEED_MISSING')
    }
    expect(await ledger.seed(now)).toBeUndefined()
  })

  test('takes a proof in the last second of the window and not after', async () => {
    const scenario = await begin(source())
    await scenario.open()
    const { network } = source()
    const first = await scenario.nextPeriod()
    await source().postSeed(first)
    await source().setTime(timestamp(periodDeadline(network, first) - 1n))
    await scenario.proveSeeded(first)
    const second = await scenario.nextPeriod()
    await source().postSeed(second)
    await source().setTime(periodDeadline(network, second))
    expect(await codeOf(scenario.proveSeeded(second))).toBe('WINDOW_CLOSED')
  })

  test('takes seeds within the window only, and once', async () => {
    const scenario = await begin(source())
    const harness = source()
    const now = await scenario.nextPeriod()
    expect(await codeOf(harness.postSeed(period(now + 1n)))).toBe('SEED_MISSING')
    await harness.postSeed(now)
    expect(await codeOf(harness.postSeed(now))).toBe('NOTHING_TO_DO')
    const next = await scenario.nextPeriod()
    await scenario.pass(next)
    expect(await codeOf(harness.postSeed(next))).toBe('WINDOW_CLOSED')
  })

  test('counts proven periods with their gaps', async () => {
    const scenario = await begin(source())
    await scenario.open({ periods: periods(40) })
    const first = await scenario.proveNext()
    await scenario.proveNext()
    await scenario.nextPeriod()
    const fourth = await scenario.proveNext()
    const { ledger } = scenario.publisher
    const of = (from: bigint, to: bigint) =>
      ledger.proven(scenario.provider, period(from), period(to))
    expect(await of(first, fourth + 1n)).toEqual([first, first + 1n, fourth])
    expect(await of(first + 1n, fourth)).toEqual([first + 1n])
    expect(await of(fourth, fourth)).toEqual([])
  })
}

export const wrongAnswerSuite = (source: HarnessSource): void => {
  test('refuses answers with any wrong byte, in the wrong order, too few, too many', async () => {
    const scenario = await begin(source())
    await scenario.open({}, scenario.payload(100_000))
    await scenario.open({}, scenario.payload(3_000))
    const now = await scenario.nextPeriod()
    await source().postSeed(now)
    const answers = await scenario.answers(now)
    const [head, ...rest] = answers
    if (head === undefined) throw new Error('there are answers')
    const { provider } = scenario
    const { ledger } = scenario.operator
    const flipped = (at: number) => {
      const copy = head.slice()
      copy[at] = (copy[at] ?? 0) ^ 1
      return [copy, ...rest]
    }
    const wrong = [
      ...[0, 32, 40, 72, 76, 80, 117, 200, head.length - 1].map(flipped),
      [head.subarray(0, head.length - 1), ...rest],
      [new Uint8Array([...head, 0]), ...rest],
      answers.toReversed(),
      rest,
      [head, ...answers],
    ]
    for (const list of wrong) {
      const refused = ledger.provePeriod({ provider, period: now, answers: list })
      expect(await codeOf(refused)).toBe('PROOF_INVALID')
    }
    await ledger.provePeriod({ provider, period: now, answers })
  })

  test('lets only the operator prove', async () => {
    const scenario = await begin(source())
    await scenario.open()
    const now = await scenario.nextPeriod()
    await source().postSeed(now)
    const answers = await scenario.answers(now)
    const { provider } = scenario
    for (const { ledger } of [scenario.owner, scenario.publisher]) {
      const refused = ledger.provePeriod({ provider, period: now, answers })
      expect(await codeOf(refused)).toBe('UNAUTHORIZED')
    }
    const stranger = scenario.publisher.ledger
    const nobody = stranger.provePeriod({ provider: stranger.account, period: now, answers })
    expect(['PROVIDER_NOT_FOUND', 'UNAUTHORIZED']).toContain(await codeOf(nobody))
  })

  test('keeps the trees of the last periods and says when one is gone', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const first = await scenario.nextPeriod()
    for (let i = 0; i < 10; i++) {
      await scenario.open()
      await scenario.nextPeriod()
    }
    const now = await scenario.now()
    const { provider } = scenario
    expect((await ledger.snapshot(provider, period(now - 1n))).weight).toBe(
      scenario.tree.weight - 3n,
    )
    expect(await codeOf(ledger.snapshot(provider, first))).toBe('PROVIDER_STATE')
    expect(await codeOf(ledger.snapshot(provider, period(now + 1n)))).toBe('SEED_MISSING')
    expect(periodStart(source().network, now)).toBeLessThanOrEqual((await ledger.tip()).timestamp)
  })
}
