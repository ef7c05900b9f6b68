/**
 * A provider's life made by hand, block by block, beside the fold: what the ledger would say, with the
 * slots of its tree as a plain list.
 */
import type { AppliedBlock, BlockRef, LedgerEvent } from '@holdfast/chain'
import {
  address,
  amount,
  bytes,
  type DealId,
  type DealTerms,
  dealId,
  hash32,
  type Period,
  ProviderTree,
  period,
  periodAt,
  periods,
  rate,
  root,
  type SlotLeaf,
  seconds,
  slotIndex,
  timestamp,
  ZERO_HASH,
} from '@holdfast/protocol'
import fc from 'fast-check'
import { type BlockChange, ChainState, type SettlementRules } from '../../src/follow/chain-state.ts'

export const PROVIDER = address(`0x${'ab'.repeat(20)}`)
export const SCHEDULE: SettlementRules = {
  genesis: timestamp(1000),
  period: seconds(100),
  window: seconds(75),
  seedDelay: seconds(1),
  drand: { genesis: timestamp(0), period: seconds(1) },
  disputeTime: seconds(200),
  answerTime: seconds(100),
  auditChance: 3,
}
export const OPTIONS = { provider: PROVIDER, schedule: SCHEDULE }

const hex = (n: number, salt: number): string =>
  `0x${(salt * 1_000_003 + n + 1).toString(16).padStart(64, '0')}`
export const idOf = (n: number): DealId => dealId(hex(n, 1))
export const hashOf = (n: number, salt: number): ReturnType<typeof hash32> => hash32(hex(n, salt))

export const termsOf = (n: number): DealTerms => ({
  scheme: 1,
  root: root(hex(n % 5, 2)),
  length: bytes(10_000),
  ...{ client: PROVIDER, provider: PROVIDER, token: PROVIDER, dataset: ZERO_HASH },
  ...{ rate: rate(1), periods: periods(900), deposit: amount(10), collateral: amount(1) },
  ...{ notice: periods(1), replacementCost: amount(0), egressPrice: amount(0) },
  ...{ attributes: ZERO_HASH, takedown: ZERO_HASH, openBefore: timestamp(5000), nonce: ZERO_HASH },
})

export const leafOf = (n: number): SlotLeaf => ({
  deal: idOf(n),
  scheme: 1,
  root: termsOf(n).root,
  leaves: 10n as SlotLeaf['leaves'],
})

/** What a block does, as numbers that are reduced to what is possible. */
interface Step {
  readonly wait: number
  readonly act: 'open' | 'free' | 'commit' | 'seed' | 'dispute' | 'lose' | 'fault' | 'back'
  readonly pick: number
}

export const step: fc.Arbitrary<Step> = fc.record({
  wait: fc.integer({ min: 1, max: 120 }),
  act: fc.constantFrom(
    'open',
    'open',
    'free',
    'commit',
    'seed',
    'dispute',
    'lose',
    'fault',
    'back',
  ),
  pick: fc.nat(50),
})

interface Folded {
  readonly block: AppliedBlock
  readonly change: BlockChange
  readonly parent: BlockRef | undefined
  readonly slots: readonly (number | undefined)[]
}

/** A chain made by hand beside the fold, with the slots as a plain list. */
export class Life {
  readonly state = new ChainState(OPTIONS)
  readonly folded: Folded[] = []
  /** The slots at the start of each period. */
  slots: readonly (number | undefined)[] = []
  #time = 1000
  #blocks = 0
  #deals = 0

  get now(): Period {
    return periodAt(SCHEDULE, timestamp(this.#time))
  }

  play({ wait, act, pick }: Step): void {
    if (act === 'back') {
      this.#back(1 + (pick % 3))
      return
    }
    this.#time += wait
    const slots = [...this.slots]
    const events = this.#events(act, pick, slots)
    const ref = {
      number: BigInt(this.folded.length),
      hash: hashOf(this.#blocks++, 3),
      timestamp: timestamp(this.#time),
    }
    const parent = this.state.cursor
    const block = { ref, events }
    const change = this.state.apply(block)
    this.folded.push({ block, change, parent, slots: this.slots })
    this.slots = slots
  }

  #back(count: number): void {
    for (let i = 0; i < count; i++) {
      const last = this.folded.pop()
      if (last === undefined) return
      this.state.revert(last.change, last.parent)
      this.slots = last.slots
      this.#time = Number(last.parent?.timestamp ?? 1000n)
    }
  }

  #events(act: Step['act'], pick: number, slots: (number | undefined)[]): readonly LedgerEvent[] {
    const newest = this.state.standing.newest
    switch (act) {
      case 'open': {
        const slot = Number(this.state.currentTree().freeSlot())
        const n = this.#deals++
        slots[slot] = n
        const start = period(this.now + 1n)
        const end = period(this.now + 900n)
        const opened = { kind: 'deal-opened', deal: idOf(n), terms: termsOf(n) } as const
        return [{ ...opened, slot: slotIndex(slot), start, end }, changed(slot, n, slots)]
      }
      case 'free': {
        const slot = pick % Math.max(1, slots.length)
        if (slots[slot] === undefined) return []
        slots[slot] = undefined
        return [changed(slot, undefined, slots)]
      }
      case 'fault': {
        const slot = pick % Math.max(1, slots.length)
        const n = slots[slot]
        if (n === undefined) return []
        slots[slot] = undefined
        return [
          { kind: 'deal-faulted', deal: idOf(n), period: this.now },
          changed(slot, undefined, slots),
        ]
      }
      case 'seed':
        return [{ kind: 'seed-posted', period: this.now, seed: hashOf(pick, 4) }]
      case 'commit': {
        if (newest !== undefined && newest >= this.now) return []
        const committed = { provider: PROVIDER, period: this.now } as const
        return [{ kind: 'period-committed', ...committed, root: hashOf(pick, 5) }]
      }
      case 'dispute':
        return newest === undefined ? [] : [{ ...dispute(newest, pick), bond: amount(1) }]
      case 'lose':
        return newest === undefined ? [] : lost(newest, pick)
      default:
        return []
    }
  }
}

const dispute = (of: Period, i: number): Extract<LedgerEvent, { kind: 'dispute-opened' }> => ({
  kind: 'dispute-opened',
  ...{ dispute: hashOf(Number(of) * 64 + i, 6), provider: PROVIDER, period: of },
  question: { class: 'global', i },
  ...{ opener: PROVIDER, bond: amount(1) },
})

const lost = (of: Period, i: number): readonly LedgerEvent[] => [
  { kind: 'period-unmarked', provider: PROVIDER, period: of },
  { kind: 'period-missed', provider: PROVIDER, period: of },
  {
    kind: 'dispute-lost',
    ...{ dispute: hashOf(Number(of) * 64 + i, 6), provider: PROVIDER, period: of },
    ...{ opener: PROVIDER, slashed: amount(1) },
  },
]

export const treeOf = (slots: readonly (number | undefined)[]): ProviderTree =>
  ProviderTree.of(Array.from(slots, (n) => (n === undefined ? undefined : leafOf(n))))

const changed = (
  slot: number,
  n: number | undefined,
  slots: readonly (number | undefined)[],
): LedgerEvent => {
  const tree = treeOf(slots)
  const deal = n === undefined ? undefined : idOf(n)
  const about = { provider: PROVIDER, slot: slotIndex(slot), deal } as const
  return { kind: 'slot-changed', ...about, root: tree.root, weight: tree.weight }
}

/** Everything that can be asked, as one value. */
export const seen = (state: ChainState): unknown => {
  const now = state.cursor === undefined ? 0n : periodAt(SCHEDULE, state.cursor.timestamp)
  const kept = Array.from({ length: 9 }, (_, back) =>
    period(now > BigInt(back) ? now - BigInt(back) : 0n),
  )
  return {
    facts: new Map([...state.facts].sort(([a], [b]) => (a < b ? -1 : 1))),
    cursor: state.cursor,
    deals: new Set(state.deals()),
    trees: kept.map((of) => [state.treeAt(of).root, state.treeAt(of).slots]),
    current: [state.currentTree().root, state.currentTree().slots],
    audit: state.owedAudit(),
    disputes: new Set(state.openDisputes()),
    final: state.finalBefore(),
    proven: state.provenBetween(period(0), period(now + 1n)),
    missed: state.missedBetween(period(0), period(now + 1n)),
  }
}
