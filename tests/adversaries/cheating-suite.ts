/**
 * Providers that cheat, on whatever chain the arena is: each commits to something it should not, shows something
 * else, or shows nothing, in the same period of one chain, and one publisher's watch looks at all of
 * them. What the protocol promises must come true for each: found, disputed, slashed, unpaid; and who
 * can answer on chain loses nothing.
 */
import {
  amount,
  costOf,
  type Period,
  period,
  periodStart,
  periods,
  timestamp,
} from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Arena, currentPeriod, enter, nextPeriod } from '../support/arena.ts'
import {
  ArenaProvider,
  RATE,
  STAKE,
  spoil,
  type Twist,
  unreachable,
} from '../support/arena-provider.ts'
import { Watch } from '../support/watching.ts'
import {
  absent,
  answersOf,
  commitToOthers,
  dealsMoved,
  madeUp,
  otherDeal,
  permuted,
  someLost,
} from './twists.ts'

const BOND = amount(1_000_000n)

let arena: Arena
let watch: Watch
/** Of another publisher, with deals at `some-lost` alone: it also looks at all that is held there. */
let thorough: Watch
/** The period in which everybody cheats. */
let cheated: Period
const names = [
  'honest',
  'made-up',
  'some-lost',
  'all-lost',
  'shows-wrong',
  'refuses',
  'late',
  'other-deal',
  'permuted',
  'deals-moved',
  'replayed',
  'others-root',
  'others-answers',
  'twice',
] as const
type Name = (typeof names)[number]
const providers = new Map<Name, ArenaProvider>()

const the = (name: Name): ArenaProvider => {
  const found = providers.get(name)
  if (found === undefined) throw new Error(`no provider ${name}`)
  return found
}

const watchOf = (name: Name): Watch => (name === 'some-lost' ? thorough : watch)

const about = (name: Name): readonly string[] => watchOf(name).about(the(name))

const codeOf = async (refused: Promise<unknown>): Promise<unknown> => {
  try {
    await refused
  } catch (refusal) {
    return (refusal as { readonly code?: unknown }).code
  }
  return 'not refused'
}

const TWISTS: Partial<Record<Name, Twist>> = {
  'made-up': madeUp,
  'some-lost': someLost,
  'all-lost': absent,
  'other-deal': otherDeal,
  permuted,
  'deals-moved': dealsMoved,
  late: absent,
}

const cheat = async (name: Name): Promise<void> => {
  const provider = the(name)
  if (name === 'replayed') {
    const former = provider.bundles.get(period(cheated - 1n))
    if (former === undefined) throw new Error('it committed to nothing before')
    const parameters = { provider: provider.provider, period: cheated, root: former.root }
    await provider.operator.ledger.commitPeriod(parameters)
    provider.bundles.set(cheated, former)
    return
  }
  if (name === 'others-root') return commitToOthers(provider, the('honest'), cheated)
  const twist = name === 'others-answers' ? await answersOf(the('honest'), cheated) : TWISTS[name]
  await provider.commit(cheated, twist)
  if (name === 'all-lost' || name === 'refuses') provider.serve = unreachable
  if (name === 'shows-wrong') {
    provider.serve = async (request) => ({
      entries: provider
        .show(request)
        .entries.map((opening) => ({ ...opening, answer: spoil(opening.answer) })),
    })
  }
}

const begin = async (open: () => Promise<Arena>): Promise<void> => {
  arena = await open()
  const person = await arena.person(amount(500_000_000n))
  const other = await arena.person(amount(500_000_000n))
  await Promise.all(
    names.map(async (name) => {
      const provider = await ArenaProvider.register(arena)
      providers.set(name, provider)
      const client = name === 'some-lost' ? other : person
      await provider.open(client)
      await provider.open(client)
    }),
  )
  watch = await Watch.of(arena, person, [...providers.values()])
  thorough = await Watch.of(arena, other, [...providers.values()])
  const first = await nextPeriod(arena)
  await Promise.all([...providers.values()].map((provider) => provider.commitAudited(first)))
  await watch.look()
  cheated = await nextPeriod(arena)
  await Promise.all(names.map(cheat))
  // What does not check out is fetched a second time before money is staked on it.
  for (const one of [watch, thorough]) {
    await one.look({ globals: one === thorough })
    await one.look({ globals: one === thorough })
  }
}

const disputeOf = async (name: Name) => {
  const event = watchOf(name).events.find(
    (one) => one.event === 'disputed' && one.provider === the(name).provider,
  )
  if (event?.event !== 'disputed') throw new Error(`no dispute with ${name}`)
  const { provider, deal, challenge } = event
  const question =
    deal === null
      ? { class: 'global' as const, i: challenge }
      : { class: 'deal' as const, deal, i: challenge }
  return { provider, period: event.period, question }
}

/** Everything that is promised about them, on one chain. */
export const cheatingSuite = (open: () => Promise<Arena>): void => {
  beforeAll(() => begin(open))

  afterAll(async () => {
    await watch?.close()
    await thorough?.close()
    await arena?.close()
  })

  test('honest periods are shown by everybody, and nothing is disputed', () => {
    const first = watch.events.filter((event) => 'period' in event && event.period === cheated - 1n)
    const states = first.flatMap((event) => (event.event === 'checked' ? [event.state] : []))
    expect(states).toEqual(Array.from({ length: 2 * (names.length - 1) }, () => 'shown'))
  })

  describe('what a watch finds at once', () => {
    test.each([
      ...(['made-up', 'other-deal', 'permuted', 'replayed', 'others-root'] as const),
      ...(['others-answers', 'shows-wrong', 'late'] as const),
    ])('%s: wrong, and disputed once', (name) => {
      expect(about(name)).toContain('wrong')
      expect(about(name).filter((what) => what === 'disputed')).toHaveLength(1)
    })

    test('lost leaves are found by the entries over all that a provider holds', () => {
      expect(about('some-lost').filter((what) => what === 'disputed')).toHaveLength(1)
    })

    test.each(['honest', 'deals-moved', 'twice'] as const)('%s: shown, and left alone', (name) => {
      expect(new Set(about(name))).toEqual(new Set(['shown']))
    })

    test.each(['all-lost', 'refuses'] as const)(
      '%s: silent, which is borne for a while',
      (name) => {
        expect(new Set(about(name).slice(2))).toEqual(new Set(['silent']))
      },
    )
  })

  test('a second commitment is refused, with the same root and with another', async () => {
    const { operator, provider, bundles } = the('twice')
    for (const root of [bundles.get(cheated)?.root, bundles.get(period(cheated - 1n))?.root]) {
      if (root === undefined) throw new Error('it committed twice')
      const again = operator.ledger.commitPeriod({ provider, period: cheated, root })
      expect(await codeOf(again)).toBe('NOTHING_TO_DO')
    }
  })

  test('made-up, misplaced and replayed entries are no answer on chain either', async () => {
    for (const name of ['made-up', 'permuted', 'replayed', 'some-lost'] as const) {
      const refused = await codeOf(the(name).answer(await disputeOf(name)))
      expect([name, refused]).toEqual([name, 'PROOF_INVALID'])
    }
    // An answer names its own deal: about that one nobody asked.
    for (const name of ['other-deal', 'others-root', 'others-answers'] as const) {
      const other = the(name).answer(await disputeOf(name))
      expect(['DISPUTE_STATE', 'PROOF_INVALID']).toContain(await codeOf(other))
    }
  })

  describe('when the time for answers is over', () => {
    beforeAll(async () => {
      // It can answer on chain what it refused to show: it gets the bond, and keeps the period.
      await the('shows-wrong').answer(await disputeOf('shows-wrong'))
      // Half of the time for disputes is over: who was silent is asked on chain now.
      const next = period(cheated + 1n)
      await enter(arena, next, 300n)
      await watch.look()
      await the('refuses').answer(await disputeOf('refuses'))
      const last = period(cheated + 2n)
      await enter(arena, last)
      await arena.moveTo(timestamp(periodStart(arena.network, last) + 900n))
      for (const one of [watch, watch, thorough]) await one.look()
    })

    test('silence became a dispute; who then answered on chain keeps everything', async () => {
      expect(about('refuses')).toContain('answered')
      const { ledger } = watch.person
      for (const name of ['refuses', 'shows-wrong'] as const) {
        const { provider } = the(name)
        expect((await ledger.provider(provider))?.stake).toBe(STAKE)
        expect(await ledger.proven(provider, cheated, period(cheated + 1n))).toEqual([cheated])
      }
    })

    const caught = [
      ...['made-up', 'some-lost', 'all-lost', 'late', 'other-deal', 'permuted', 'replayed'],
      ...['others-root', 'others-answers'],
    ] as readonly Name[]

    test.each(caught)('%s: slashed once, the period is missed', async (name) => {
      const { provider } = the(name)
      const { ledger } = watch.person
      expect(about(name).filter((what) => what === 'lost')).toHaveLength(1)
      const slash = arena.network.disputeSlash
      expect((await ledger.provider(provider))?.stake).toBe(STAKE - slash)
      expect(await ledger.proven(provider, cheated, period(cheated + 1n))).toEqual([])
      expect(await ledger.missed(provider, cheated, period(cheated + 1n))).toEqual([cheated])
    })

    test('an answer after the slash is too late', async () => {
      const provider = the('late')
      const entry = await disputeOf('late')
      await provider.build(cheated)
      expect(await codeOf(provider.answer(entry))).toBe('DISPUTE_STATE')
    })

    test('a deal that a dispute has shown lost is unpaid from then on', async () => {
      const entry = await disputeOf('other-deal')
      if (entry.question.class !== 'deal') throw new Error('it was asked about a deal')
      expect(about('other-deal')).toContain('declared-lost')
      expect((await watch.person.ledger.deal(entry.question.deal))?.state).toBe('faulty')
    })

    test('only periods that were shown are paid', async () => {
      await enter(arena, period((await currentPeriod(arena)) + 3n))
      const { ledger } = watch.person
      for (const name of names) {
        const [deal] = the(name).deals
        if (deal === undefined) throw new Error('it has deals')
        await ledger.settle([deal])
        const paid = (await ledger.deal(deal))?.paid
        const count = caught.includes(name) ? 1n : 2n
        const { period: length } = arena.network
        const due = costOf({ rate: RATE, period: length, periods: periods(count) })
        expect([name, paid]).toEqual([name, due])
      }
    })

    test('bonds are back, but for the two that were answered; half of each slash is ours', async () => {
      const { ledger } = watch.person
      const own = names.filter((name) => watchOf(name) === watch)
      const [token] = arena.network.tokens
      if (token === undefined) throw new Error('a network has a token')
      const free = await ledger.balance(ledger.account, token.address)
      const escrow = BigInt(2 * own.length) * 200_000n
      const won = own.filter((name) => caught.includes(name))
      const rewards = BigInt(won.length) * (arena.network.disputeSlash / 2n)
      expect(free).toBe(500_000_000n - escrow + rewards - 2n * BOND)
    })
  })
}
