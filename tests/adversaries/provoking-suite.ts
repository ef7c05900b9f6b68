/**
 * Clients that try to be paid by making an honest provider look faulty, on whatever chain the arena is:
 * questions at the last moment, more than can be asked, about deals that have ended; deals opened at
 * the last moment by the client itself, notice and money at awkward moments, and every function that
 * anybody may call. Each ends with the client poorer by what it was served and by its bonds, and with
 * its provider paid for every period.
 */
import {
  amount,
  type BundleQuestion,
  disputesUntil,
  OPEN_DISPUTES_MAX,
  type Period,
  period,
  periodStart,
  periods,
  timestamp,
} from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Arena, enter, nextPeriod } from '../support/arena.ts'
import type { SignedDeal } from '../support/arena-provider.ts'
import { bondsOf, costFor, Greedy, payFor } from '../support/greedy.ts'
import { pokes } from './pokes.ts'

/** Bonds of as many questions as may be open at once, and some. */
const FREE = amount(3_000_000_000n)
/** Periods of a deal, unless it is about that. */
const TERM = 6
const SIX = { periods: periods(TERM), deposit: amount(40_000n) }

let arena: Arena
/** The period that is attacked: committed to, and not final. */
let attacked: Period
let last: Greedy
let flood: Greedy
let ended: Greedy
let awkward: Greedy
let noticed: Greedy
let poked: Greedy
let late: Greedy
let signedLate: SignedDeal
let signedTooLate: SignedDeal

const all = (): readonly Greedy[] => [last, flood, ended, awkward, noticed, poked]

const globalOf = (i: number): BundleQuestion => ({ class: 'global', i })

const codeOf = async (refused: Promise<unknown>): Promise<unknown> => {
  try {
    await refused
  } catch (refusal) {
    return (refusal as { readonly code?: unknown }).code
  }
  return 'not refused'
}

const at = (of: Period, after: bigint) =>
  arena.moveTo(timestamp(periodStart(arena.network, of) + after))

const prove = async (of: Period, whose: readonly Greedy[]): Promise<void> => {
  await Promise.all(whose.map(({ provider }) => provider.prove(of)))
}

const begin = async (open: () => Promise<Arena>): Promise<void> => {
  arena = await open()
  last = await Greedy.served(arena, FREE, SIX)
  flood = await Greedy.served(arena, FREE, SIX)
  ended = await Greedy.served(arena, FREE, { periods: periods(2) })
  awkward = await Greedy.served(arena, FREE, { ...SIX, deposit: costFor(arena, 3) })
  noticed = await Greedy.served(arena, FREE, SIX)
  poked = await Greedy.served(arena, FREE, SIX)
  late = await Greedy.meet(arena, FREE)
  await prove(await nextPeriod(arena), all())
  attacked = await nextPeriod(arena)
  const openBefore = timestamp(periodStart(arena.network, attacked) + 500n)
  signedLate = await late.provider.sign(late.client, 8, { ...SIX, periods: periods(2), openBefore })
  signedTooLate = await late.provider.sign(late.client, 8, { ...SIX, openBefore })
}

/** Everything that is promised about them, on one chain; the tests are one story, in order. */
export const provokingSuite = (open: () => Promise<Arena>): void => {
  beforeAll(() => begin(open))

  afterAll(() => arena?.close())

  test('notice before the provider has committed ends the deal after the notice, not before', async () => {
    const { ledger } = noticed.client
    await ledger.terminateDeal(noticed.deal)
    expect((await ledger.deal(noticed.deal))?.end).toBe(attacked + 3n)
    expect(await codeOf(ledger.topUp(noticed.deal, amount(1n)))).toBe('DEAL_STATE')
    // What is committed to can be asked about.
    await Promise.all(all().map(({ provider }) => provider.commit(attacked)))
  })

  test('a deal that the client opens at the last moment is served like any other; later is refused', async () => {
    await at(attacked, 300n)
    await late.client.ledger.openDeal(signedLate.parameters)
    late.provider.took(signedLate)
    await at(attacked, 501n)
    expect(await codeOf(late.client.ledger.openDeal(signedTooLate.parameters))).toBe(
      'TERMS_INVALID',
    )
    expect(await codeOf(late.client.ledger.openDeal(signedLate.parameters))).toBe('DEAL_EXISTS')
  })

  test('as many questions as there may be: the next is refused, all are answered', async () => {
    for (let i = 0; i < OPEN_DISPUTES_MAX; i++) await flood.ask(attacked, globalOf(i))
    expect(await codeOf(flood.ask(attacked, globalOf(64)))).toBe('PROVIDER_STATE')
    expect(await codeOf(flood.ask(attacked, globalOf(0)))).toMatch(/_STATE$/)
    const next = await nextPeriod(arena)
    const slash = flood.client.ledger.slashTimeout(flood.entry(attacked, globalOf(3)), [attacked])
    expect(await codeOf(slash)).toBe('DISPUTE_STATE')
    for (let i = 0; i < OPEN_DISPUTES_MAX; i++) await flood.show(attacked, globalOf(i))
    expect(await codeOf(flood.ask(attacked, globalOf(0)))).toBe('DISPUTE_STATE')
    // Notice given in the present period is too late to hurt this one.
    await prove(next, [...all(), late])
  })

  test('money and notice in one period: up to the cost of the term, and never after notice', async () => {
    const { ledger } = awkward.client
    const rest = amount(costFor(arena, TERM) - costFor(arena, 3))
    expect(await codeOf(ledger.topUp(awkward.deal, amount(rest + 1n)))).toBe('TERMS_INVALID')
    await ledger.topUp(awkward.deal, rest)
    await ledger.terminateDeal(awkward.deal)
    expect(await codeOf(ledger.topUp(awkward.deal, amount(1n)))).not.toBe('not refused')
    expect((await ledger.deal(awkward.deal))?.end).toBe(attacked + 4n)
  })

  test('what anybody may call changes nothing about a sound deal', async () => {
    const { ledger } = poked.client
    const seen = async () => [
      await ledger.deal(poked.deal),
      await ledger.provider(poked.provider.provider),
      await ledger.standing(poked.provider.provider),
    ]
    const before = await seen()
    const told: [string, unknown][] = []
    for (const [name, call] of pokes(poked, flood, attacked))
      told.push([name, await codeOf(call())])
    for (const [name, code] of told) {
      expect([name, code]).toEqual([name, expect.stringMatching(/^[A-Z_]+$/)])
      expect([name, code]).not.toEqual([name, 'TX_REVERTED'])
    }
    expect(await seen()).toEqual(before)
  })

  describe('at the last moment', () => {
    const own = (of: Greedy): BundleQuestion => ({ class: 'deal', deal: of.deal, i: 4 })

    beforeAll(async () => {
      const until = disputesUntil(arena.network, attacked)
      await arena.moveTo(timestamp(until - 100n))
      for (const one of [last, ended]) {
        await one.ask(attacked, own(one))
        await one.ask(attacked, globalOf(7))
      }
      await arena.moveTo(timestamp(until + 1n))
    })

    test('another question is one too late', async () => {
      expect(await codeOf(last.ask(attacked, globalOf(8)))).toBe('WINDOW_CLOSED')
    })

    test('a deal that has ended is not closed over an open question', async () => {
      expect(await codeOf(ended.client.ledger.closeDeal(ended.deal))).toBe('DEAL_STATE')
    })

    test('the questions are answered in time, and the client slashes nothing', async () => {
      const next = await nextPeriod(arena)
      for (const one of [last, ended]) {
        await one.show(attacked, globalOf(7))
        await one.show(attacked, own(one))
        const late = one.client.ledger.slashTimeout(one.entry(attacked, own(one)), [next])
        expect(await codeOf(late)).toBe('DISPUTE_STATE')
        const path = one.provider.membership(one.deal).path
        const declared = one.client.ledger.declareShownLost(one.deal, path)
        expect(await codeOf(declared)).not.toBe('not refused')
      }
      await prove(next, [...all(), late])
    })
  })

  describe('in the end', () => {
    beforeAll(async () => {
      for (let of = attacked + 3n; of < attacked + 5n; of++) {
        await enter(arena, period(of))
        await prove(period(of), all())
      }
      // Their trees still have weight: these are missed, after the end of every deal.
      for (const behind of [5n, 6n, 7n]) await enter(arena, period(attacked + behind))
      const over = period(attacked + 6n)
      await poked.client.ledger.reportMissed(poked.provider.provider, over)
      await enter(arena, period(attacked + 9n))
    })

    test('a question about what is final is refused', async () => {
      expect(await codeOf(ended.ask(attacked, globalOf(9)))).toBe('WINDOW_CLOSED')
    })

    const stories = [
      ['last moment', () => last, TERM, 2, 2],
      ['as many as there may be', () => flood, TERM, OPEN_DISPUTES_MAX, OPEN_DISPUTES_MAX],
      ['after the end', () => ended, 2, 2, 2],
      ['awkward money', () => awkward, 5, 0, 0],
      ['awkward notice', () => noticed, 4, 0, 0],
      ['poking', () => poked, TERM, 0, 0],
      ['opened late', () => late, 2, 0, 0],
    ] as const

    test.each(stories)(
      '%s: the client has paid for what it was served, and its bonds; the provider has all of it',
      async (_name, of, served, asked, answered) => {
        const one = of()
        const { client, provider, deal, closed } = await one.end()
        const { disputeBond } = arena.network
        expect(deal.paid).toBe(costFor(arena, served))
        expect(client).toBe(-costFor(arena, served) - bondsOf(arena, asked))
        expect(provider).toBe(payFor(arena, served) + BigInt(answered) * disputeBond)
        const { collateral } = deal.terms
        expect(closed).toMatchObject({ returned: collateral, compensation: 0n, forfeited: 0n })
      },
    )
  })
}
