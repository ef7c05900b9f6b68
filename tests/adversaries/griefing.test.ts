/**
 * Who disputes an honest provider, and what it costs whom: on the chain in memory, whose rules are
 * those of the contracts (the ledger's conformance suite). The provider loses nothing and is paid for
 * its trouble; the griefer's bonds grow with every question.
 */
import {
  amount,
  type BundleQuestion,
  costOf,
  type Period,
  period,
  periods,
} from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Arena, enter, nextPeriod, openMemoryArena, type Person } from '../support/arena.ts'
import { ArenaProvider, RATE, STAKE } from '../support/arena-provider.ts'

const BOND = 1_000_000n
const ASKED = 9

let arena: Arena
let griefer: Person
let provider: ArenaProvider
let disputed: Period

const free = async ({ ledger }: Person): Promise<bigint> => {
  const [token] = arena.network.tokens
  if (token === undefined) throw new Error('a network has a token')
  return ledger.balance(ledger.account, token.address)
}

const entryOf = (i: number) => ({
  provider: provider.provider,
  period: disputed,
  question: { class: 'global', i } satisfies BundleQuestion,
})

beforeAll(async () => {
  arena = await openMemoryArena(3)
  griefer = await arena.person(amount(100_000_000n))
  const client = await arena.person(amount(10_000_000n))
  provider = await ArenaProvider.register(arena)
  await provider.open(client)
  await provider.commitAudited(await nextPeriod(arena))
  disputed = await nextPeriod(arena)
  await provider.commit(disputed)
})

afterAll(() => arena.close())

test('every answered dispute pays the provider a bond, and the rest of the growing bonds are fees', async () => {
  const before = { griefer: await free(griefer), provider: await free(provider.owner) }
  const [token] = arena.network.tokens
  const { ledger } = griefer
  for (let i = 0; i < ASKED; i++) await ledger.openDispute({ ...entryOf(i), membership: undefined })
  for (let i = 0; i < ASKED; i++) await provider.answer(entryOf(i))
  const all = (BigInt(ASKED) * BigInt(ASKED + 1)) / 2n
  expect(before.griefer - (await free(griefer))).toBe(all * BOND)
  expect((await free(provider.owner)) - before.provider).toBe(BigInt(ASKED) * BOND)
  const fees = await ledger.feesCollected(token?.address ?? provider.provider)
  expect(fees).toBe((all - BigInt(ASKED)) * BOND)
})

test('the period stays paid, no stake is lost, and it is final when it would have been', async () => {
  await enter(arena, period(disputed + 4n))
  const { ledger } = griefer
  expect((await ledger.standing(provider.provider)).finalBefore).toBeGreaterThan(disputed)
  const [deal] = provider.deals
  if (deal === undefined) throw new Error('it has a deal')
  await ledger.settle([deal])
  const { period: length } = arena.network
  const due = costOf({ rate: RATE, period: length, periods: periods(2n) })
  expect((await ledger.deal(deal))?.paid).toBe(due)
  expect((await ledger.provider(provider.provider))?.stake).toBe(STAKE)
})
