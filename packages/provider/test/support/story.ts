/** A provider's chain told in hand-made blocks, for tests of what is due at each moment. */
import type { AppliedBlock, LedgerEvent } from '@holdfast/chain'
import {
  address,
  amount,
  bytes,
  type DealId,
  type DealTerms,
  dealId,
  disputeIdOf,
  hash32,
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
import { type Duty, type DutyPolicy, dutiesAt } from '../../src/duties/duties.ts'
import { ChainState } from '../../src/follow/chain-state.ts'
import { Promises } from '../../src/journal/promises.ts'

export const PROVIDER = address(`0x${'ab'.repeat(20)}`)
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
export const POLICY: DutyPolicy = {
  schedule: SCHEDULE,
  mode: 'commit',
  gasBudgets: { proofs: 2n, ledger: 1n },
  settleEvery: 2,
  settleBatchMax: 2,
}

export const idOf = (n: number): DealId => dealId(`0x${n.toString(16).padStart(64, '0')}`)
export const rootOf = (n: number): ReturnType<typeof root> =>
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
export class Story {
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

  committed(time: number, of: number): void {
    const root = hash32(`0x${'c0'.repeat(32)}`)
    this.block(time, { kind: 'period-committed', provider: PROVIDER, period: period(of), root })
  }

  /** A dispute about a global entry. */
  disputed(time: number, of: number, i: number): void {
    const entry = {
      provider: PROVIDER,
      period: period(of),
      question: { class: 'global', i },
    } as const
    const dispute = disputeIdOf(entry)
    this.block(time, {
      kind: 'dispute-opened',
      dispute,
      ...entry,
      opener: PROVIDER,
      bond: amount(1),
    })
  }

  duties(
    promises = new Promises(),
    policy = POLICY,
    givenUp: ReadonlySet<string> = new Set(),
  ): readonly Duty[] {
    const { cursor } = this.state
    if (cursor === undefined) throw new Error('no block yet')
    return dutiesAt({ state: this.state, promises, tip: cursor, givenUp }, policy)
  }

  kinds(promises?: Promises): readonly string[] {
    return this.duties(promises).map(({ kind }) => kind)
  }
}
