/**
 * The trees of the last periods beside the facts: changed slot by slot, taken back block by block, and
 * rebuilt from the slots' histories where nobody remembers how they stood (after a restart).
 *
 * Invariants: the tree of a period is never changed by what happens in that period or later; a change
 * costs one path, taking it back nothing.
 */
import {
  type DealId,
  type Hash32,
  type Period,
  ProviderTree,
  ProviderTreeHistory,
  period,
  RING_PERIODS,
  type SlotIndex,
  type SlotLeaf,
  type TreeMark,
} from '@holdfast/protocol'
import type { Fact, SlotChange } from './facts.ts'

/** Blocks that can be taken back. Deeper reorganisations are folded anew from the deployment. */
export const UNDO_BLOCKS = 256n
/** Trees and seeds of this many past periods are kept: as long as anything can be asked about them. */
export const PERIODS_KEPT: bigint = BigInt(RING_PERIODS)

/** What a slot holds, by the deal's id. */
export type LeafOf = (deal: DealId | undefined) => SlotLeaf | undefined

/** The first period whose tree can be asked for in period `now`. */
const oldestNeeded = (now: bigint): bigint => (now > PERIODS_KEPT ? now - PERIODS_KEPT : 0n)

export class StateTrees {
  #history = new ProviderTreeHistory(PERIODS_KEPT)
  /** Trees of earlier periods were not rebuilt. */
  #from = 0n
  /** Where the trees stood before each of the last blocks that changed them, by block hash. */
  readonly #marks = new Map<Hash32, TreeMark>()

  at(of: Period): ProviderTree {
    return this.#history.at(of)
  }

  current(): ProviderTree {
    return this.#history.current()
  }

  change(now: Period, slot: SlotIndex, leaf: SlotLeaf | undefined): void {
    this.#history.change(now, slot, leaf)
  }

  /** Remembers for this block how the trees stand, before they change. */
  mark(block: Hash32): void {
    if (this.#marks.has(block)) return
    this.#marks.set(block, this.#history.mark())
    const [oldest] = this.#marks.keys()
    if (this.#marks.size > UNDO_BLOCKS && oldest !== undefined) this.#marks.delete(oldest)
  }

  /**
   * Takes a block's changes back. False when that is not known, or when periods can be asked for that
   * were not rebuilt: then `rebuild` from the facts.
   */
  revert(block: Hash32, changed: boolean, now: Period): boolean {
    const mark = this.#marks.get(block)
    this.#marks.delete(block)
    if (oldestNeeded(now) < this.#from || (changed && mark === undefined)) return false
    if (changed && mark !== undefined) this.#history.restore(mark)
    return true
  }

  /** From the slots' histories. */
  rebuild(facts: Iterable<Fact>, leafOf: LeafOf, now: Period): void {
    this.#from = oldestNeeded(now)
    const slots: (SlotLeaf | undefined)[] = []
    const later: (SlotChange & { readonly slot: SlotIndex })[] = []
    for (const fact of facts) {
      if (fact.kind !== 'slot') continue
      const { slot, history } = fact
      const before = history.findLast(({ from }) => from <= this.#from)
      if (before !== undefined) slots[Number(slot)] = leafOf(before.deal)
      for (const change of history) if (change.from > this.#from) later.push({ slot, ...change })
    }
    this.#history = new ProviderTreeHistory(PERIODS_KEPT, ProviderTree.of(Array.from(slots)))
    later.sort((a, b) => Number(a.from - b.from) || Number(a.slot - b.slot))
    for (const { from, slot, deal } of later) this.change(period(from - 1n), slot, leafOf(deal))
  }
}
