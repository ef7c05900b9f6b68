/**
 * A provider's tree now and at the start of the last periods: what is challenged in a period is the
 * tree at its start. Fed with slot changes in the order in which they happened.
 *
 * Invariants: the tree of a period is never changed by what happens in that period or later; trees
 * share their nodes, so one more costs a path; a mark is a value and goes back in one step.
 */
import { ProviderTree } from './provider-tree.ts'
import type { SlotLeaf } from './sum-node.ts'
import { type Period, period, type SlotIndex } from './units.ts'

/** In force for periods from `from` on, until a later one. */
interface DatedTree {
  readonly from: Period
  readonly tree: ProviderTree
}

/** Where a history stood. Opaque. */
export type TreeMark = readonly DatedTree[]

export class ProviderTreeHistory {
  readonly #kept: bigint
  #trees: TreeMark

  /**
   * @param kept so many periods before the newest change can be asked for.
   * @param first the tree before the first change; not to be changed any more.
   */
  constructor(kept: bigint, first: ProviderTree = new ProviderTree()) {
    this.#kept = kept
    this.#trees = [{ from: period(0n), tree: first }]
  }

  /**
   * Replaces what a slot holds, by something that happened in period `now`.
   * @throws HoldfastError `INVARIANT` as `ProviderTree.set`.
   */
  change(now: Period, slot: SlotIndex, leaf: SlotLeaf | undefined): void {
    const from = period(now + 1n)
    const tree = this.current().clone()
    tree.set(slot, leaf)
    const before = this.#trees.filter((dated) => dated.from < from)
    const needed = before.findLastIndex((dated) => dated.from + this.#kept <= now)
    this.#trees = [...before.slice(Math.max(0, needed)), { from, tree }]
  }

  /** The tree as it is now: the one that paths for transactions are taken from. Not to be changed. */
  current(): ProviderTree {
    return this.#trees.at(-1)?.tree ?? new ProviderTree()
  }

  /** The tree at the start of a period; the oldest that is kept for one before that. Not to be changed. */
  at(of: Period): ProviderTree {
    const dated = this.#trees.findLast(({ from }) => from <= of) ?? this.#trees[0]
    return dated?.tree ?? new ProviderTree()
  }

  /** Where it stands now, for `restore`. Keeping it costs nothing. */
  mark(): TreeMark {
    return this.#trees
  }

  restore(mark: TreeMark): void {
    this.#trees = mark
  }
}
