/** What is due at each moment of a story told in hand-made blocks; no disk, no network, no clock. */
import type { AppliedBlock, LedgerEvent } from '@holdfast/chain'
import {
  address,
  amount,
  bytes,
  type DealId,
  type DealTerms,
  dealId,
  hash32,
  leafIndex,
  period,
  periods,
  rate,
  root,
  type SlotIndex,
  seconds,
  slotIndex,
  timestamp,
  ZERO_HASH,
} from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { type Duty, type DutyPolicy, dutiesAt } from '../../src/duties/duties.ts'
import { ChainState } from '../../src/follow/chain-state.ts'
import { Promises } from '../../src/journal/promises.ts'

const PROVIDER = address(`0x${'ab'.repeat(20)}`)
const SCHEDULE = {
  genesis: timestamp(1000),
  period: seconds(100),
  window: seconds(75),
  seedDelay: seconds(1),
  disputeTime: seconds(125),
  answerTime: seconds(100),
  drand: { genesis: timestamp(0), period: seconds(1) },
  auditChance: 30,
}
const POLICY: DutyPolicy = { schedule: SCHEDULE, settleEvery: 2, settleBatchMax: 2 }

const idOf = (n: number): DealId => dealId(`0x${n.toString(16).padStart(64, '0')}`)
const rootOf = (n: number): ReturnType<typeof root> =>
  root(`0x${(n + 1000).toString(16).padStart(64, '0')}`)

const termsOf = (n: number): DealTerms => ({
  scheme: 1,
  root: rootOf(n),
  length: bytes(10_000),
  client: PROVIDER,
  provider: PROVIDER,
  token: PROVIDER,
  dataset: ZERO_HASH,
  rate: rate(1),
  periods: periods(10),
  deposit: amount(10),
  collateral: amount(1),
  notice: periods(1),
  replacementCost: amount(0),
  egressPrice: amount(0),
  attributes: ZERO_HASH,
  takedown: ZERO_HASH,
  openBefore: timestamp(5000),
  nonce: ZERO_HASH,
})

/** A chain of blocks made by hand; roots of trees are taken from the fold itself. */
class Story {
  readonly state = new ChainState({ provider: PROVIDER, schedule: SCHEDULE })
  #number = 0n

  block(time: number, ...events: LedgerEvent[]): void {
    const ref = {
      number: this.#number,
      hash: hash32(`0x${this.#number.toString(16).padStart(64, '0')}`),
      timestamp: timestamp(time),
    }
    this.#number++
    const block: AppliedBlock = { ref, events }
    this.state.apply(block)
  }

  open(time: number, n: number, slot: number, end = 20n): void {
    const start = period((BigInt(time) - 1000n) / 100n + 1n)
    this.block(
      time,
      {
        kind: 'deal-opened',
        deal: idOf(n),
        terms: termsOf(n),
        slot: slotIndex(slot),
        start,
        end: period(end),
      },
      this.slotChanged(slot, n),
    )
  }

  /** The event with the root that the tree will have. */
  slotChanged(slot: number, n: number | undefined): LedgerEvent {
    const tree = this.state.currentTree().clone()
    const leaf =
      n === undefined
        ? undefined
        : ({ deal: idOf(n), scheme: 1, root: rootOf(n), leaves: 10n as never } as const)
    tree.set(slotIndex(slot) as SlotIndex, leaf)
    const deal = n === undefined ? undefined : idOf(n)
    const { root: treeRoot, weight } = tree
    return {
      kind: 'slot-changed',
      provider: PROVIDER,
      slot: slotIndex(slot),
      deal,
      root: treeRoot,
      weight,
    }
  }

  seed(time: number, of: number): void {
    this.block(time, {
      kind: 'seed-posted',
      period: period(of),
      seed: hash32(`0x${'05'.repeat(32)}`),
    })
  }

  proven(time: number, of: number): void {
    this.block(time, { kind: 'period-proven', provider: PROVIDER, period: period(of) })
  }

  duties(promises = new Promises(), policy = POLICY): readonly Duty[] {
    const { cursor } = this.state
    if (cursor === undefined) throw new Error('no block yet')
    return dutiesAt({ state: this.state, promises, tip: cursor }, policy)
  }

  kinds(promises?: Promises): readonly string[] {
    return this.duties(promises).map(({ kind }) => kind)
  }
}

describe('duties', () => {
  test('prove: from the seed to the deadline, and not when it is proven', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    expect(story.kinds()).toEqual([])
    story.seed(1015, 0)
    expect(story.kinds()).toEqual([])
    story.block(1100)
    expect(story.kinds()).toEqual([])
    story.seed(1102, 1)
    expect(story.duties()).toMatchObject([{ kind: 'prove', period: 1n, deadline: 1175n }])
    story.block(1174)
    expect(story.kinds()).toEqual(['prove'])
    story.block(1175)
    expect(story.kinds()).toEqual([])
    story.block(1200)
    story.seed(1201, 2)
    expect(story.kinds()).toEqual(['prove'])
    story.proven(1205, 2)
    expect(story.kinds()).toEqual([])
  })

  test('prove: the tree of a period is the one at its start', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    story.block(1100)
    story.open(1110, 2, 1)
    expect(story.state.treeAt(period(1)).weight).toBe(10n)
    expect(story.state.treeAt(period(2)).weight).toBe(20n)
    story.block(1120, story.slotChanged(0, undefined))
    expect(story.state.treeAt(period(1)).weight).toBe(10n)
    expect(story.state.treeAt(period(2)).weight).toBe(10n)
    expect(story.state.treeAt(period(2)).slots).toBe(2)
  })

  test('declare a fault: once, for every deal on a damaged payload, after proofs', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    story.open(1020, 2, 1)
    story.seed(1102, 1)
    const promises = Promises.of([
      { kind: 'damage-found', root: rootOf(2), leaf: leafIndex(3), what: 'rot' },
    ])
    expect(story.duties(promises)).toMatchObject([
      { kind: 'prove' },
      { kind: 'declare-fault', deal: idOf(2) },
    ])
    story.block(1110, { kind: 'deal-faulted', deal: idOf(2), period: period(1) })
    expect(story.kinds(promises)).toEqual(['prove'])
  })

  test('settle: when enough proven periods wait, in batches, and not for what is unpaid', () => {
    const story = new Story()
    for (const n of [1, 2, 3]) story.open(1010 + n, n, n - 1)
    story.proven(1110, 1)
    story.proven(1210, 2)
    story.block(1399)
    expect(story.kinds()).toEqual([])
    story.block(1400)
    expect(story.duties()).toEqual([
      { kind: 'settle', deals: [idOf(1), idOf(2)] },
      { kind: 'settle', deals: [idOf(3)] },
    ])
    const settled = { through: period(3), paid: amount(10), fee: amount(1) }
    story.block(1420, { kind: 'deal-settled', deal: idOf(1), ...settled })
    story.block(1421, { kind: 'deal-faulted', deal: idOf(2), period: period(2) })
    expect(story.duties()).toEqual([{ kind: 'settle', deals: [idOf(3)] }])
    expect(story.state.deal(idOf(1))?.earned).toBe(9n)
  })

  test('release and close: after the end, each once', () => {
    const story = new Story()
    story.open(1010, 1, 0, 3n)
    story.block(1299)
    expect(story.kinds()).toEqual([])
    story.block(1300)
    expect(story.kinds()).toEqual(['release'])
    story.block(1301, story.slotChanged(0, undefined))
    expect(story.kinds()).toEqual([])
    story.block(1400)
    expect(story.kinds()).toEqual(['close'])
    story.block(1402, {
      kind: 'deal-closed',
      deal: idOf(1),
      ...{ refunded: amount(0), returned: amount(1) },
      ...{ compensation: amount(0), forfeited: amount(0) },
    })
    expect(story.kinds()).toEqual([])
  })

  test('are the same before and after a block that was taken back', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    story.seed(1102, 1)
    const facts = new Map(story.state.facts)
    const { cursor } = story.state
    const block = (events: readonly LedgerEvent[]): AppliedBlock => ({
      ref: { number: 99n, hash: hash32(`0x${'99'.repeat(32)}`), timestamp: timestamp(1110) },
      events,
    })
    const change = story.state.apply(
      block([
        { kind: 'period-proven', provider: PROVIDER, period: period(1) },
        { kind: 'deal-faulted', deal: idOf(1), period: period(2) },
        story.slotChanged(0, undefined),
      ]),
    )
    expect(story.kinds()).toEqual([])
    story.state.revert(change, cursor)
    expect(new Map(story.state.facts)).toEqual(facts)
    expect(story.kinds()).toEqual(['prove'])
  })

  test('a root that is not the one on the ledger stops the fold', () => {
    const story = new Story()
    story.open(1010, 1, 0)
    const wrong = { ...story.slotChanged(1, 2), root: ZERO_HASH }
    expect(() => story.block(1020, wrong)).toThrow(/was never opened|the tree is/)
  })
})
