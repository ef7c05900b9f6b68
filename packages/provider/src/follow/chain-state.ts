/**
 * The fold: ledger events in, facts out, with what is needed to take blocks back. Pure memory; the
 * state store keeps it on disk together with the cursor.
 *
 * Invariants: the facts are a function of the applied blocks; reverting a block restores exactly the
 * facts before it; the tree of a period is never changed by blocks of that period or later ones.
 */

import type { AppliedBlock, BlockRef, LedgerEvent } from '@holdfast/chain'
import {
  amount,
  type DealId,
  HoldfastError,
  invariant,
  leavesFor,
  minus,
  type Period,
  type ProviderId,
  ProviderTree,
  period,
  periodAt,
  plus,
  type Root,
  type ScheduleParams,
  type SlotLeaf,
} from '@holdfast/protocol'
import {
  type DealFact,
  dealKey,
  type Fact,
  provenKey,
  type SeedFact,
  type SlotFact,
  seedKey,
  slotKey,
} from './facts.ts'

/** Blocks that can be taken back. Deeper reorganisations are folded anew from the deployment. */
export const UNDO_BLOCKS = 256n
/** Trees and seeds of this many past periods are kept. */
const PERIODS_KEPT = 8n
/** Proven periods are remembered for this long: what no settlement can still ask for is dropped. */
const PROVEN_KEPT = 4096n

/** What one block changed: each key with its fact before and after. */
export interface BlockChange {
  readonly ref: BlockRef
  readonly changes: ReadonlyMap<string, FactChange>
}

export interface FactChange {
  readonly before: Fact | undefined
  readonly after: Fact | undefined
}

export interface ChainStateOptions {
  readonly provider: ProviderId
  readonly schedule: ScheduleParams
}

export class ChainState {
  readonly #options: ChainStateOptions
  readonly #facts: Map<string, Fact>
  #cursor: BlockRef | undefined

  constructor(
    options: ChainStateOptions,
    facts: ReadonlyMap<string, Fact> = new Map(),
    cursor?: BlockRef,
  ) {
    this.#options = options
    this.#facts = new Map(facts)
    this.#cursor = cursor
  }

  /** The last block folded; undefined before the first. */
  get cursor(): BlockRef | undefined {
    return this.#cursor
  }

  get facts(): ReadonlyMap<string, Fact> {
    return this.#facts
  }

  /** Folds one block and returns what it changed. */
  apply(block: AppliedBlock): BlockChange {
    const draft = new Map<string, FactChange>()
    const now = periodAt(this.#options.schedule, block.ref.timestamp)
    for (const event of block.events) this.#fold(event, now, (fact) => this.#set(draft, fact))
    if (block.events.length > 0) this.#prune(draft, now)
    this.#cursor = block.ref
    return { ref: block.ref, changes: draft }
  }

  /** Takes back the newest block; `cursor` is the block before it. */
  revert(change: BlockChange, cursor: BlockRef | undefined): void {
    for (const [key, { before }] of change.changes) {
      if (before === undefined) this.#facts.delete(key)
      else this.#facts.set(key, before)
    }
    this.#cursor = cursor
  }

  deal(id: DealId): DealFact | undefined {
    const fact = this.#facts.get(dealKey(id))
    return fact?.kind === 'deal' ? fact : undefined
  }

  deals(): readonly DealFact[] {
    return [...this.#facts.values()].filter((fact) => fact.kind === 'deal')
  }

  /** Deals that rest on a payload and are not closed. */
  dealsOf(root: Root): readonly DealFact[] {
    return this.deals().filter(({ terms, closed }) => terms.root === root && !closed)
  }

  seed(of: Period): SeedFact['seed'] | undefined {
    const fact = this.#facts.get(seedKey(of))
    return fact?.kind === 'seed' ? fact.seed : undefined
  }

  isProven(of: Period): boolean {
    return this.#facts.has(provenKey(of))
  }

  /** Proven periods of from <= p < to, oldest first. */
  provenBetween(from: Period, to: Period): readonly Period[] {
    const periods = [...this.#facts.values()].flatMap((fact) =>
      fact.kind === 'proven' && fact.period >= from && fact.period < to ? [fact.period] : [],
    )
    return periods.sort((a, b) => (a < b ? -1 : 1))
  }

  /** The tree that is challenged in a period: the one at its start. */
  treeAt(of: Period): ProviderTree {
    return this.#tree(({ history }) => history.filter(({ from }) => from <= of))
  }

  /** The tree as it is now: the one that paths for transactions are taken from. */
  currentTree(): ProviderTree {
    return this.#tree(({ history }) => history)
  }

  #tree(visible: (slot: SlotFact) => SlotFact['history']): ProviderTree {
    const slots: (SlotLeaf | undefined)[] = []
    for (const fact of this.#facts.values()) {
      if (fact.kind !== 'slot') continue
      const last = visible(fact).at(-1)
      if (last === undefined) continue
      slots[Number(fact.slot)] = last.deal === undefined ? undefined : this.#leafOf(last.deal)
    }
    return ProviderTree.of(Array.from(slots))
  }

  #leafOf(id: DealId): SlotLeaf {
    const fact = this.deal(id)
    invariant(fact !== undefined, `a slot names deal ${id}, which was never opened`)
    const { scheme, root, length } = fact.terms
    return { deal: id, scheme, root, leaves: leavesFor(length) }
  }

  #set(draft: Map<string, FactChange>, fact: Fact): void {
    this.#replace(draft, keyOf(fact), fact)
  }

  #replace(draft: Map<string, FactChange>, key: string, after: Fact | undefined): void {
    const before = draft.has(key) ? draft.get(key)?.before : this.#facts.get(key)
    draft.set(key, { before, after })
    if (after === undefined) this.#facts.delete(key)
    else this.#facts.set(key, after)
  }

  #prune(draft: Map<string, FactChange>, now: Period): void {
    for (const [key, fact] of this.#facts) {
      if (fact.kind === 'seed' && fact.period + PERIODS_KEPT < now) {
        this.#replace(draft, key, undefined)
      }
      if (fact.kind === 'proven' && fact.period + PROVEN_KEPT < now) {
        this.#replace(draft, key, undefined)
      }
    }
  }

  #fold(event: LedgerEvent, now: Period, set: (fact: Fact) => void): void {
    switch (event.kind) {
      case 'deal-opened':
        this.#openDeal(event, set)
        break
      case 'slot-changed':
        this.#changeSlot(event, now, set)
        break
      case 'deal-faulted':
        this.#changeDeal(event.deal, () => ({ faultedFrom: event.period }), set)
        break
      case 'deal-terminated':
        this.#changeDeal(event.deal, () => ({ end: event.end }), set)
        break
      case 'deal-settled':
        this.#changeDeal(
          event.deal,
          ({ earned }) => ({
            settledThrough: event.through,
            earned: plus(earned, minus(event.paid, event.fee)),
          }),
          set,
        )
        break
      case 'deal-closed':
        this.#changeDeal(event.deal, () => ({ closed: true }), set)
        break
      case 'seed-posted':
        set({ kind: 'seed', period: event.period, seed: event.seed })
        break
      case 'period-proven':
        if (event.provider === this.#options.provider) set({ kind: 'proven', period: event.period })
        break
      default:
    }
  }

  #openDeal(
    { deal, terms, slot, start, end }: Extract<LedgerEvent, { kind: 'deal-opened' }>,
    set: (fact: Fact) => void,
  ): void {
    if (terms.provider !== this.#options.provider) return
    const fresh = { faultedFrom: undefined, settledThrough: start, inTree: false, closed: false }
    const earned = amount(0)
    set({ kind: 'deal', deal, terms, slot, start, end, earned, ...fresh })
  }

  #changeDeal(
    id: DealId,
    change: (deal: DealFact) => Partial<DealFact>,
    set: (fact: Fact) => void,
  ): void {
    const fact = this.deal(id)
    if (fact !== undefined) set({ ...fact, ...change(fact) })
  }

  #changeSlot(
    event: Extract<LedgerEvent, { kind: 'slot-changed' }>,
    now: Period,
    set: (fact: Fact) => void,
  ): void {
    if (event.provider !== this.#options.provider) return
    const known = this.#facts.get(slotKey(event.slot))
    const history = known?.kind === 'slot' ? known.history : []
    const former = history.at(-1)?.deal
    if (former !== undefined) this.#changeDeal(former, () => ({ inTree: false }), set)
    if (event.deal !== undefined) this.#changeDeal(event.deal, () => ({ inTree: true }), set)
    const change = { from: period(now + 1n), deal: event.deal }
    set({ kind: 'slot', slot: event.slot, history: [...recent(history, now), change] })
    const tree = this.currentTree()
    if (tree.root === event.root) return
    const sentence = `after a change of slot ${event.slot} the tree is ${tree.root}, not ${event.root}`
    throw new HoldfastError({ code: 'INVARIANT', sentence })
  }
}

/** Drops what no kept period can see any more. */
const recent = (history: SlotFact['history'], now: Period): SlotFact['history'] => {
  const firstNeeded = history.findLastIndex(({ from }) => from + PERIODS_KEPT <= now)
  return firstNeeded <= 0 ? history : history.slice(firstNeeded)
}

export const keyOf = (fact: Fact): string => {
  switch (fact.kind) {
    case 'deal':
      return dealKey(fact.deal)
    case 'slot':
      return slotKey(fact.slot)
    case 'seed':
      return seedKey(fact.period)
    case 'proven':
      return provenKey(fact.period)
  }
}
