/**
 * What a watch itself promises, on the chain in memory with the same seeds in every run: a loss of one
 * leaf in a hundred is found, nothing is disputed twice whatever is restarted, no budget is passed, and
 * what the chain forgets is done again.
 */
import { amount, HoldfastError, type Period, period } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type Arena, enter, nextPeriod, openMemoryArena, type Person } from '../support/arena.ts'
import { ArenaProvider, spoil, unreachable } from '../support/arena-provider.ts'
import { BUDGET, Watch } from '../support/watching.ts'

let arena: Arena
let person: Person
let provider: ArenaProvider
let watch: Watch
let now: Period

beforeEach(async () => {
  arena = await openMemoryArena(7)
  person = await arena.person(amount(100_000_000n))
  provider = await ArenaProvider.register(arena)
  await provider.open(person, 100)
  await provider.open(person, 100)
  watch = await Watch.of(arena, person, [provider])
  await provider.commitAudited(await nextPeriod(arena))
  now = await nextPeriod(arena)
})

afterEach(async () => {
  await watch.close()
  await arena.close()
})

const spoilAll = () =>
  provider.commit(now, (entries) =>
    entries.map((entry) => ({ ...entry, answer: spoil(entry.answer) })),
  )

const open = async () => (await person.ledger.disputes(provider.provider)).length

test('a provider that lost one leaf in a hundred is found, disputed and slashed', async () => {
  await provider.commit(now, (entries) =>
    entries.map((entry) => (entry.leaf === 42n ? { ...entry, answer: new Uint8Array(0) } : entry)),
  )
  await watch.look({ globals: true })
  await watch.look({ globals: true })
  expect(watch.about(provider)).toContain('disputed')
  await enter(arena, period(now + 1n))
  await enter(arena, period(now + 2n))
  await watch.look()
  expect(watch.about(provider)).toContain('lost')
  expect((await person.ledger.provider(provider.provider))?.stake).toBeLessThan(10_000_000n)
})

test('one wrong look is no reason yet, two are; every look is a restart, and one dispute is enough', async () => {
  await spoilAll()
  await watch.look()
  expect(await open()).toBe(0)
  for (let i = 0; i < 5; i++) await watch.look()
  expect(await open()).toBe(1)
  expect(watch.about(provider).filter((what) => what === 'disputed')).toHaveLength(1)
})

test('what somebody else has disputed already is not disputed again', async () => {
  const [spoilt] = provider.deals
  await provider.commit(now, (entries) =>
    entries.map((entry) =>
      entry.question.class === 'deal' && entry.question.deal === spoilt && entry.question.i > 2
        ? { ...entry, answer: spoil(entry.answer) }
        : entry,
    ),
  )
  const other = await arena.person(amount(10_000_000n))
  await watch.look()
  const first = watch.events.find((event) => event.event === 'checked' && event.state === 'wrong')
  if (first?.event !== 'checked' || first.deal === null) throw new Error('nothing was wrong')
  const membership = provider.membership(first.deal)
  const question = { class: 'deal' as const, deal: first.deal, i: 3 }
  const entry = { provider: provider.provider, period: now, question }
  await other.ledger.openDispute({ ...entry, membership })
  await watch.look()
  await watch.look()
  expect(await open()).toBe(1)
  expect(watch.about(provider)).not.toContain('disputed')
})

test('a question that the provider answers on chain does not keep others from being asked', async () => {
  const [deal] = provider.deals
  if (deal === undefined) throw new Error('it has a deal')
  await provider.commit(now, (entries) =>
    entries.map((entry) =>
      entry.question.class === 'deal' && entry.question.deal === deal && entry.question.i > 0
        ? { ...entry, answer: spoil(entry.answer) }
        : entry,
    ),
  )
  // It shows the right entries wrong, and has a friend ask for the one that it can answer.
  provider.serve = async (request) => ({
    entries: provider
      .show(request)
      .entries.map((opening) => ({ ...opening, answer: spoil(opening.answer) })),
  })
  const friend = await arena.person(amount(10_000_000n))
  const question = { class: 'deal' as const, deal, i: 0 }
  const entry = { provider: provider.provider, period: now, question }
  await friend.ledger.openDispute({ ...entry, membership: provider.membership(deal) })
  await provider.answer(entry)
  await watch.look()
  await watch.look()
  const disputes = await person.ledger.disputes(provider.provider)
  const asked = disputes.filter(({ period: of }) => of === now)
  expect(asked.map(({ question: of }) => of)).toEqual([{ ...question, i: 1 }])
})

test('an empty gas budget holds a dispute back, says so once, and spends nothing', async () => {
  await spoilAll()
  const budget = { ...BUDGET, gas: 0n }
  for (let i = 0; i < 4; i++) await watch.look({ budget })
  expect(await open()).toBe(0)
  expect(watch.about(provider)).toContain('held-back')
})

test('a bond above the budget holds a dispute back', async () => {
  await spoilAll()
  const budget = { ...BUDGET, bonds: amount(999_999n) }
  for (let i = 0; i < 3; i++) await watch.look({ budget })
  expect(await open()).toBe(0)
  await watch.look({ budget: { ...BUDGET, bonds: amount(1_000_000n) } })
  expect(await open()).toBe(1)
})

test.each(['INVARIANT', 'LEDGER_UNREACHABLE', 'ABORTED'] as const)(
  'whatever a provider says instead of entries (%s) does not end the watch',
  async (code) => {
    await provider.commit(now)
    const detail = { sentence: 'a lie', endpoint: 'a lie', reason: 'a lie' }
    provider.serve = async () => {
      throw new HoldfastError({ code, ...detail })
    }
    await watch.look()
    expect(new Set(watch.about(provider))).toEqual(new Set(['silent']))
  },
)

test('a provider that is back in time is not disputed', async () => {
  await provider.commit(now)
  const serve = provider.serve
  provider.serve = unreachable
  await watch.look()
  await watch.look()
  provider.serve = serve
  await enter(arena, period(now + 1n), 300n)
  await watch.look()
  expect(await open()).toBe(0)
  expect(watch.about(provider).slice(-2)).toEqual(['shown', 'shown'])
  expect(watch.about(provider)).not.toContain('disputed')
})
