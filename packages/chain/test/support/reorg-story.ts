/**
 * What a reorganisation takes back of a settlement, told on a chain: a commitment, a dispute, its
 * answer and a payment, each made, buried, taken back and made again by the same call. A follower
 * goes along and must end where one that starts afresh does.
 */
import { amount, type BundleQuestion, periods } from '@holdfast/protocol'
import { expect } from '@jest/globals'
import type { BlockRef, Ledger, LedgerEvent, LedgerUpdate } from '../../src/ledger.ts'
import { Bundle } from './bundle.ts'
import type { Harness } from './harness.ts'
import { begin, type OpenedDeal, type Scenario } from './scenario.ts'

const LONG = { periods: periods(40), deposit: amount(200_000n) }
const QUESTION: BundleQuestion = { class: 'global', i: 11 }

/** Keeps the events of the blocks that stand. */
class Follower {
  readonly #blocks = new Map<
    bigint,
    { readonly ref: BlockRef; readonly events: readonly LedgerEvent[] }
  >()
  reverted = 0

  get trail(): readonly BlockRef[] {
    return [...this.#blocks.values()]
      .map(({ ref }) => ref)
      .sort((a, b) => Number(a.number - b.number))
  }

  get events(): readonly LedgerEvent[] {
    return this.trail.flatMap(({ number }) => this.#blocks.get(number)?.events ?? [])
  }

  async catchUp(ledger: Ledger): Promise<void> {
    const { hash } = await ledger.tip()
    if (this.trail.at(-1)?.hash === hash) return
    const from = this.trail.length === 0 ? undefined : this.trail
    for await (const update of ledger.follow(from)) {
      this.#take(update)
      if (this.trail.at(-1)?.hash === hash) return
    }
  }

  #take({ reverted, applied }: LedgerUpdate): void {
    this.reverted += reverted.length
    for (const { number } of reverted) this.#blocks.delete(number)
    for (const block of applied) this.#blocks.set(block.ref.number, block)
  }
}

class Story {
  readonly #scenario: Scenario
  readonly #deal: OpenedDeal
  readonly #depth: number
  readonly #follower = new Follower()

  constructor(scenario: Scenario, deal: OpenedDeal, depth: number) {
    this.#scenario = scenario
    this.#deal = deal
    this.#depth = depth
  }

  /**
   * Makes something happen, buries it, takes it back, sees that it is gone, makes it happen again.
   * @param look what of the state it changes.
   */
  async #twice<T>(make: () => Promise<unknown>, look: () => Promise<T>): Promise<void> {
    const { harness, publisher } = this.#scenario
    await this.#follower.catchUp(publisher.ledger)
    const before = await look()
    await make()
    const after = await look()
    expect(after).not.toEqual(before)
    for (let i = 1; i < this.#depth; i++) await harness.mine()
    await this.#follower.catchUp(publisher.ledger)
    await harness.reorg(this.#depth)
    expect(await look()).toEqual(before)
    await make()
    expect(await look()).toEqual(after)
    await this.#follower.catchUp(publisher.ledger)
  }

  async tell(): Promise<void> {
    const { committed, entry } = await this.#commit()
    await this.#dispute(entry, committed)
    await this.#settle()
    expect(this.#follower.reverted).toBeGreaterThanOrEqual(4 * this.#depth)
    const fresh = new Follower()
    await fresh.catchUp(this.#scenario.publisher.ledger)
    expect(this.#follower.events).toEqual(fresh.events)
  }

  async #commit() {
    const scenario = this.#scenario
    await scenario.commitNext()
    const of = await scenario.nextPeriod()
    await scenario.harness.postSeed(of)
    const { tree, payloads } = scenario
    const committed = new Bundle(await scenario.contextOf(of), tree, payloads)
    const { provider } = scenario
    const { ledger } = scenario.operator
    const root = committed.root
    await this.#twice(
      () => ledger.commitPeriod({ provider, period: of, root }),
      async () => ({
        proven: await ledger.proven(provider, of, (of + 1n) as typeof of),
        root: await ledger.committed(provider, of),
        newest: (await ledger.standing(provider)).newest,
      }),
    )
    return { committed, entry: { provider, period: of, question: QUESTION } }
  }

  async #dispute(entry: Parameters<Ledger['dispute']>[0], committed: Bundle): Promise<void> {
    const { publisher, owner, provider, token } = this.#scenario
    const { ledger } = publisher
    const look = async () => ({
      state: (await ledger.dispute(entry))?.state,
      open: (await ledger.disputes(provider)).length,
      opener: await ledger.balance(ledger.account, token),
      provider: await ledger.balance(provider, token),
      final: (await ledger.standing(provider)).finalBefore,
    })
    await this.#twice(() => ledger.openDispute({ ...entry, membership: undefined }), look)
    await this.#twice(() => owner.ledger.answerDispute(entry, committed.opening(QUESTION)), look)
    expect(await look()).toMatchObject({ state: 'answered', open: 0 })
  }

  async #settle(): Promise<void> {
    const { publisher, provider, token } = this.#scenario
    const { ledger } = publisher
    await this.#scenario.finalise()
    const look = async () => ({
      provider: await ledger.balance(provider, token),
      fees: await ledger.feesCollected(token),
      deal: await ledger.deal(this.#deal.id),
    })
    await this.#twice(() => ledger.settle([this.#deal.id]), look)
    const paid = await look()
    // Once more pays nothing: all that is final is settled.
    await ledger.settle([this.#deal.id])
    expect(await look()).toEqual(paid)
    expect(paid.deal?.paid).toBeGreaterThan(0n)
  }
}

/** Tells it with reorganisations of this depth. */
export const tellReorgs = async (harness: Harness, depth: number): Promise<void> => {
  const scenario = await begin(harness)
  const deal = await scenario.open(LONG)
  await new Story(scenario, deal, depth).tell()
}
