/**
 * Clients whose terms would make every fault of the provider pay, on whatever chain the arena is: any
 * replacement cost, any collateral, and a provider that does fault, once, again and again, for good, or by
 * staying away. None gets more than the replacement cost that the provider signed, nor more than was
 * seized; a question about what was committed before the fault brings nothing on top.
 */
import {
  type Amount,
  amount,
  type BundleQuestion,
  type DealTerms,
  type Period,
  period,
  periods,
  smaller,
  timestamp,
} from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Arena, enter, nextPeriod } from '../support/arena.ts'
import { bondsOf, costFor, Greedy, payFor } from '../support/greedy.ts'

const FREE = amount(10_000_000n)
const COLLATERAL = amount(5_000n)
/** More than there is. */
const ALL_THERE_IS = amount(10n ** 18n)
const LOST_AFTER = 14

/** What happens to the deal. */
type Fate = 'fault once' | 'fault twice' | 'lost' | 'away'

interface Case {
  readonly name: string
  readonly fate: Fate
  readonly replacementCost: Amount
  readonly collateral: Amount
  /** Periods that are paid, units that are charged, and whether the collateral is forfeit. */
  readonly served: number
  readonly units: number
  readonly lost: boolean
}

const once = { fate: 'fault once', served: 5, units: 1, lost: false } as const
/** A second fault before the first is settled is one with it, from the first on. */
const twice = { fate: 'fault twice', served: 2, units: 4, lost: false } as const
const forGood = { fate: 'lost', served: 2, units: LOST_AFTER, lost: true } as const
/** Four misses of which two are free, three periods' pay for each other one. */
const away = { fate: 'away', served: 2, units: 6, lost: false } as const

const CASES: readonly Case[] = [
  { name: 'a small price', ...once, replacementCost: amount(1n), collateral: COLLATERAL },
  { name: 'a huge price', ...once, replacementCost: ALL_THERE_IS, collateral: COLLATERAL },
  { name: 'no collateral', ...once, replacementCost: ALL_THERE_IS, collateral: amount(0n) },
  { name: 'no price', ...once, replacementCost: amount(0n), collateral: COLLATERAL },
  { name: 'two faults', ...twice, replacementCost: ALL_THERE_IS, collateral: amount(50_000n) },
  { name: 'two cheap faults', ...twice, replacementCost: amount(100n), collateral: COLLATERAL },
  { name: 'lost cheaply', ...forGood, replacementCost: amount(1_000n), collateral: COLLATERAL },
  { name: 'lost dearly', ...forGood, replacementCost: ALL_THERE_IS, collateral: COLLATERAL },
  { name: 'away cheaply', ...away, replacementCost: amount(1_000n), collateral: amount(50_000n) },
  { name: 'away dearly', ...away, replacementCost: ALL_THERE_IS, collateral: COLLATERAL },
]

let arena: Arena
/** The second period of every deal, the last before the faults; the only one that is committed to. */
let sound: Period
const greedy = new Map<string, Greedy>()

const the = (name: string): Greedy => {
  const found = greedy.get(name)
  if (found === undefined) throw new Error(`no client ${name}`)
  return found
}

const termsOf = ({ fate, replacementCost, collateral }: Case): Partial<DealTerms> => ({
  ...{ replacementCost, collateral, deposit: amount(100_000n) },
  periods: periods(fate === 'lost' ? 20 : 6),
})

const asked = (of: Greedy): BundleQuestion => ({ class: 'deal', deal: of.deal, i: 2 })

const those = (...fates: readonly Fate[]): readonly Greedy[] =>
  CASES.flatMap(({ name, fate }) => (fates.includes(fate) ? [the(name)] : []))

const prove = async (of: Period, whose: readonly Greedy[]): Promise<void> => {
  await Promise.all(whose.map(({ provider }) => provider.prove(of)))
}

/** They are unpaid from the next period on: this one is committed to. */
const lose = async (whose: readonly Greedy[]): Promise<void> => {
  await Promise.all(whose.map(({ provider, deal }) => provider.lose(deal)))
}

const regain = async (of: Period, whose: readonly Greedy[]): Promise<void> => {
  await Promise.all(whose.map(({ provider, deal }) => provider.regain(deal, of)))
}

const begin = async (open: () => Promise<Arena>): Promise<void> => {
  arena = await open()
  for (const one of CASES) greedy.set(one.name, await Greedy.served(arena, FREE, termsOf(one)))
  await prove(await nextPeriod(arena), [...greedy.values()])
  sound = await nextPeriod(arena)
  // What is committed to can be asked about.
  await Promise.all([...greedy.values()].map(({ provider }) => provider.commit(sound)))
}

/** What a deal ends with, by docs/spec/settlement.md, section 6. */
const split = ({ replacementCost, collateral, units, lost }: Case) => {
  const charge = smaller(collateral, costFor(arena, units))
  const seized = lost ? collateral : charge
  const compensation = smaller(replacementCost, lost ? seized : amount(charge / 2n))
  return { seized, compensation, forfeited: seized - compensation, returned: collateral - seized }
}

/** Everything that is promised about them, on one chain; the tests are one story, in order. */
export const faultTermsSuite = (open: () => Promise<Arena>): void => {
  beforeAll(() => begin(open))

  afterAll(() => arena?.close())

  test('bytes that never arrived: without the signature of the provider there is no deal to claim on', async () => {
    const { client, provider } = the('a huge price')
    const { parameters, deal } = await provider.sign(client, 9)
    const forged = { ...parameters, providerSignature: parameters.clientSignature }
    await expect(client.ledger.openDeal(forged)).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    })
    const changed = { ...parameters, terms: { ...parameters.terms, replacementCost: ALL_THERE_IS } }
    await expect(client.ledger.openDeal(changed)).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    })
    expect(await client.ledger.deal(deal)).toBeUndefined()
  })

  test('a fault that the client asks about: what was committed to before it is shown', async () => {
    await lose(those('fault once', 'fault twice', 'lost'))
    for (const name of ['a huge price', 'lost dearly']) {
      const one = the(name)
      // The slot is empty from the next period on; the question is about the tree of this one.
      await one.client.ledger.openDispute({
        ...one.entry(sound, asked(one)),
        membership: one.provider.formerly(one.deal),
      })
    }
    const faulty = await nextPeriod(arena)
    for (const name of ['a huge price', 'lost dearly'])
      await the(name).show(sound, asked(the(name)))
    await regain(faulty, those('fault once', 'fault twice'))
  })

  test('while one stays away, its client reports every miss', async () => {
    for (let behind = 2n; behind <= 5n; behind++) {
      const of = period(sound + behind)
      await enter(arena, of)
      await prove(of, those('fault once'))
      if (behind === 2n) {
        await prove(of, those('fault twice'))
        await lose(those('fault twice'))
      }
      const before = period(of - 1n)
      for (const { client, provider } of those('away')) {
        await client.ledger.reportMissed(provider.provider, before)
      }
    }
  })

  test.each(CASES)('$name: no more than was signed, and no more than was seized', async (one) => {
    const until = period(sound + (one.lost ? BigInt(LOST_AFTER) + 5n : 9n))
    if ((await arena.now()) < timestamp(arena.network.genesis + until * arena.network.period)) {
      await enter(arena, until)
    }
    const bonds = ['a huge price', 'lost dearly'].includes(one.name) ? bondsOf(arena, 1) : 0n
    const { client, provider, deal, closed } = await the(one.name).end()
    const { seized, ...rest } = split(one)
    expect(deal.paid).toBe(costFor(arena, one.served))
    expect(closed).toMatchObject(rest)
    expect(client).toBe(-costFor(arena, one.served) + rest.compensation - bonds)
    expect(provider).toBe(payFor(arena, one.served) - seized + bonds)
    expect(rest.compensation <= one.replacementCost && rest.compensation <= seized).toBe(true)
  })
}
