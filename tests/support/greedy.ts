/**
 * A client that would rather be paid than served, with a provider of its own that is honest, and what
 * both have before and after. All money is in the vault, so balances are the whole of it.
 */
import type { Deal, LedgerEvent } from '@holdfast/chain'
import {
  type Address,
  type Amount,
  amount,
  type BundleQuestion,
  costOf,
  type DealId,
  type DealTerms,
  type DisputedEntry,
  feeOf,
  type Period,
  periods,
} from '@holdfast/protocol'
import type { Arena, Person } from './arena.ts'
import { ArenaProvider, RATE } from './arena-provider.ts'

type Closed = Extract<LedgerEvent, { readonly kind: 'deal-closed' }>

export interface Outcome {
  /** What the client has more than before anything was signed. */
  readonly client: bigint
  /** What the provider has more: owner, operator and stake, with what its deals earned. */
  readonly provider: bigint
  readonly deal: Deal
  readonly closed: Closed
}

export class Greedy {
  readonly arena: Arena
  readonly client: Person
  readonly provider: ArenaProvider
  readonly #before: { readonly client: bigint; readonly provider: bigint }

  private constructor(
    of: Pick<Greedy, 'arena' | 'client' | 'provider'>,
    before: { readonly client: bigint; readonly provider: bigint },
  ) {
    this.arena = of.arena
    this.client = of.client
    this.provider = of.provider
    this.#before = before
  }

  /** With this much free; nothing is signed yet. */
  static async meet(arena: Arena, free: Amount): Promise<Greedy> {
    const of = {
      arena,
      client: await arena.person(free),
      provider: await ArenaProvider.register(arena),
    }
    return new Greedy(of, await holdings(of))
  }

  /** The same, with a deal on these terms. */
  static async served(
    arena: Arena,
    free: Amount,
    changes: Partial<DealTerms> = {},
  ): Promise<Greedy> {
    const self = await Greedy.meet(arena, free)
    await self.provider.open(self.client, 8, changes)
    return self
  }

  get deal(): DealId {
    const [deal] = this.provider.deals
    if (deal === undefined) throw new Error('it has a deal')
    return deal
  }

  entry(of: Period, question: BundleQuestion): DisputedEntry {
    return { provider: this.provider.provider, period: of, question }
  }

  /** The client disputes one entry. */
  async ask(of: Period, question: BundleQuestion): Promise<void> {
    const membership =
      question.class === 'deal' ? this.provider.membership(question.deal) : undefined
    await this.client.ledger.openDispute({ ...this.entry(of, question), membership })
  }

  /** The provider shows it, from its bundle. */
  async show(of: Period, question: BundleQuestion): Promise<void> {
    await this.provider.answer(this.entry(of, question))
  }

  /** Closes the deal and counts. */
  async end(): Promise<Outcome> {
    const { ledger } = this.client
    const { events } = await ledger.closeDeal(this.deal)
    const closed = events.find((event): event is Closed => event.kind === 'deal-closed')
    const deal = await ledger.deal(this.deal)
    if (closed === undefined || deal === undefined) throw new Error('it is closed')
    await ledger.claim(tokenOf(this.arena), this.provider.provider)
    const after = await holdings(this)
    const before = this.#before
    const gained = {
      client: after.client - before.client,
      provider: after.provider - before.provider,
    }
    return { ...gained, deal, closed }
  }
}

export const tokenOf = ({ network }: Arena): Address => {
  const [token] = network.tokens
  if (token === undefined) throw new Error('a network has a token')
  return token.address
}

/** What a deal of these arenas costs for so many periods. */
export const costFor = ({ network }: Arena, count: number): Amount =>
  costOf({ rate: RATE, period: network.period, periods: periods(count) })

/** The same without the network's fee, as its provider gets it. */
export const payFor = (arena: Arena, count: number): Amount => {
  const cost = costFor(arena, count)
  return amount(cost - feeOf(cost, arena.network.feeBps))
}

/** Bonds of so many disputes that were open at once. */
export const bondsOf = ({ network }: Arena, count: number): bigint =>
  network.disputeBond * ((BigInt(count) * BigInt(count + 1)) / 2n)

const holdings = async ({
  arena,
  client,
  provider,
}: Pick<Greedy, 'arena' | 'client' | 'provider'>) => {
  const { ledger } = client
  const token = tokenOf(arena)
  const free = ({ ledger: { account } }: Person): Promise<bigint> => ledger.balance(account, token)
  const stake = (await ledger.provider(provider.provider))?.stake ?? 0n
  const own = (await free(provider.owner)) + (await free(provider.operator)) + stake
  return { client: await free(client), provider: own }
}
