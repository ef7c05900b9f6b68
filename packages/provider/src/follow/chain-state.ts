/**
 * The fold: ledger events in, facts out, with what is needed to take blocks back. Pure memory; the
 * state store keeps it on disk together with the cursor.
 *
 * Invariants: the facts are a function of the applied blocks; reverting a block restores exactly the
 * facts before it; the tree of a period is never changed by blocks of that period or later ones; an
 * event costs what it changes, however many deals there are.
 */
import type { AppliedBlock, BlockRef, LedgerEvent } from '@holdfast/chain'
import {
  auditDueAt,
  type DealEnd,
  type DealId,
  dealEnd,
  drawsAudit,
  type FinalityParams,
  finalBeforeAt,
  HoldfastError,
  invariant,
  leavesFor,
  NO_FAULTS,
  type Period,
  type ProviderId,
  type ProviderTree,
  period,
  periodAt,
  type Root,
  type SlotLeaf,
  smaller,
  type Timestamp,
} from '@holdfast/protocol'
import { FactTable } from './fact-table.ts'
import {
  type DealFact,
  type DisputeFact,
  disputeKey,
  type Fact,
  keyOf,
  missedKey,
  provenKey,
  type SeedFact,
  type SlotFact,
  type StandingFact,
  seedKey,
  slotKey,
} from './facts.ts'
import { foldEvent } from './fold-event.ts'
import { PERIODS_KEPT, StateTrees } from './state-trees.ts'

export { UNDO_BLOCKS } from './state-trees.ts'

/** Proven periods are remembered for this long: what no settlement can still ask for is dropped. */
const PROVEN_KEPT = 4096n
/** Disputes that are over are remembered for this many periods. */
const DISPUTES_KEPT = 64n

/** What one block changed: each key with its fact before and after. */
export interface BlockChange {
  readonly ref: BlockRef
  readonly changes: ReadonlyMap<string, FactChange>
}

export interface FactChange {
  readonly before: Fact | undefined
  readonly after: Fact | undefined
}

/** What decides when a period is final and when it is audited. */
export type SettlementRules = FinalityParams & { readonly auditChance: number }

export interface ChainStateOptions {
  readonly provider: ProviderId
  readonly schedule: SettlementRules
}

/** An audit that has to be answered before anything else can be proven. */
export interface AuditDue {
  readonly period: Period
  /** From here on anybody may slash for it. */
  readonly dueAt: Timestamp
}

export class ChainState {
  readonly #options: ChainStateOptions
  readonly #table: FactTable
  readonly #trees = new StateTrees()
  #cursor: BlockRef | undefined

  constructor(
    options: ChainStateOptions,
    facts: ReadonlyMap<string, Fact> = new Map(),
    cursor?: BlockRef,
  ) {
    this.#options = options
    this.#table = new FactTable(facts)
    this.#cursor = cursor
    this.#rebuildTrees()
  }

  /** The last block folded; undefined before the first. */
  get cursor(): BlockRef | undefined {
    return this.#cursor
  }

  get facts(): ReadonlyMap<string, Fact> {
    return this.#table.all
  }

  /** Folds one block and returns what it changed. */
  apply(block: AppliedBlock): BlockChange {
    const draft = new Map<string, FactChange>()
    const { timestamp, hash } = block.ref
    const now = periodAt(this.#options.schedule, timestamp)
    const place = {
      provider: this.#options.provider,
      table: this.#table,
      now,
      timestamp,
      set: (fact: Fact) => this.#replace(draft, keyOf(fact), fact),
      drop: (key: string) => this.#replace(draft, key, undefined),
    }
    for (const event of block.events) {
      if (event.kind !== 'slot-changed') foldEvent(place, event)
      else if (event.provider === this.#options.provider) {
        this.#trees.mark(hash)
        this.#changeSlot(event, now, place.set)
      }
    }
    if (block.events.length > 0) this.#prune(now, place.drop)
    this.#cursor = block.ref
    return { ref: block.ref, changes: draft }
  }

  /** Takes back the newest block; `cursor` is the block before it. */
  revert(change: BlockChange, cursor: BlockRef | undefined): void {
    let treeChanged = false
    for (const [key, { before }] of change.changes) {
      treeChanged ||= this.#table.get(key)?.kind === 'slot' || before?.kind === 'slot'
      if (before === undefined) this.#table.remove(key)
      else this.#table.put(before)
    }
    this.#cursor = cursor
    const known = this.#trees.revert(change.ref.hash, treeChanged, this.#now())
    if (!known) this.#rebuildTrees()
  }

  deal(id: DealId): DealFact | undefined {
    return this.#table.deal(id)
  }

  deals(): readonly DealFact[] {
    return [...this.#table.deals()]
  }

  /** Deals that rest on a payload and are not closed. */
  dealsOf(root: Root): readonly DealFact[] {
    return this.#table.dealsOf(root).filter(({ closed }) => !closed)
  }

  /** Where a deal ends, with its fault and the end of the provider. */
  endOf({ end, faultySince }: DealFact): DealEnd {
    const { terminatedAt } = this.standing
    return dealEnd(end, { ...NO_FAULTS, since: faultySince }, terminatedAt)
  }

  seed(of: Period): SeedFact['seed'] | undefined {
    const fact = this.#table.get(seedKey(of))
    return fact?.kind === 'seed' ? fact.seed : undefined
  }

  isProven(of: Period): boolean {
    return this.#table.proven.has(of)
  }

  /** Proven periods of from <= p < to, oldest first. */
  provenBetween(from: Period, to: Period): readonly Period[] {
    return this.#table.proven.between(from, to)
  }

  /** Written-down misses of from <= p < to, oldest first. */
  missedBetween(from: Period, to: Period): readonly Period[] {
    return this.#table.missed.between(from, to)
  }

  /** What was committed to for a period that is marked; undefined in direct mode too. */
  bundleOf(of: Period): SeedFact['seed'] | undefined {
    const fact = this.#table.get(provenKey(of))
    return fact?.kind === 'proven' ? fact.bundle : undefined
  }

  get standing(): StandingFact {
    return this.#table.standing
  }

  /** Neither answered nor over, oldest first. */
  openDisputes(): readonly DisputeFact[] {
    return this.#table.openDisputes()
  }

  /** The newest marked period, when it has to be shown before another can be proven. */
  owedAudit(): AuditDue | undefined {
    const { provider, schedule } = this.#options
    const { newest, newestShown, newestForced } = this.standing
    if (newest === undefined || newestShown) return undefined
    const owed = { period: newest, dueAt: auditDueAt(schedule, newest) }
    if (newestForced) return owed
    const nextSeed = this.seed(period(newest + 1n))
    if (nextSeed === undefined) return undefined
    return drawsAudit({ provider, period: newest, nextSeed }, schedule.auditChance)
      ? owed
      : undefined
  }

  /** Periods before it can no longer change: by the clock, open disputes and an owed audit. */
  finalBefore(): Period {
    if (this.#cursor === undefined) return period(0n)
    let before = finalBeforeAt(this.#options.schedule, this.#cursor.timestamp)
    for (const { period: of } of this.openDisputes()) before = smaller(before, of)
    const owed = this.owedAudit()
    return owed === undefined ? before : smaller(before, owed.period)
  }

  /** The tree that is challenged in a period: the one at its start. Clone it before changing it. */
  treeAt(of: Period): ProviderTree {
    return this.#trees.at(of)
  }

  /** The tree as it is now: the one that paths for transactions are taken from. Clone it as well. */
  currentTree(): ProviderTree {
    return this.#trees.current()
  }

  readonly #leafOf = (id: DealId | undefined): SlotLeaf | undefined => {
    if (id === undefined) return undefined
    const fact = this.deal(id)
    invariant(fact !== undefined, `a slot names deal ${id}, which was never opened`)
    const { scheme, root, length } = fact.terms
    return { deal: id, scheme, root, leaves: leavesFor(length) }
  }

  #rebuildTrees(): void {
    this.#trees.rebuild(this.#table.all.values(), this.#leafOf, this.#now())
  }

  #now(): Period {
    const { schedule } = this.#options
    return this.#cursor === undefined ? period(0n) : periodAt(schedule, this.#cursor.timestamp)
  }

  #replace(draft: Map<string, FactChange>, key: string, after: Fact | undefined): void {
    const before = draft.has(key) ? draft.get(key)?.before : this.#table.get(key)
    draft.set(key, { before, after })
    if (after === undefined) this.#table.remove(key)
    else this.#table.put(after)
  }

  #prune(now: Period, drop: (key: string) => void): void {
    const before = (kept: bigint): Period => period(now > kept ? now - kept : 0n)
    const first = period(0n)
    const { seeds, proven, missed } = this.#table
    for (const of of seeds.between(first, before(PERIODS_KEPT))) drop(seedKey(of))
    for (const of of proven.between(first, before(PROVEN_KEPT))) drop(provenKey(of))
    for (const of of missed.between(first, before(PROVEN_KEPT))) drop(missedKey(of))
    for (const dispute of this.#table.disputes()) {
      if (dispute.state !== 'open' && dispute.period < before(DISPUTES_KEPT)) {
        drop(disputeKey(dispute))
      }
    }
  }

  #changeSlot(
    event: Extract<LedgerEvent, { kind: 'slot-changed' }>,
    now: Period,
    set: (fact: Fact) => void,
  ): void {
    const { slot, deal } = event
    const known = this.#table.get(slotKey(slot))
    const history = known?.kind === 'slot' ? known.history : []
    const former = this.#table.deal(history.at(-1)?.deal ?? ('' as DealId))
    if (former !== undefined) set({ ...former, inTree: false })
    const change = { from: period(now + 1n), deal }
    set({ kind: 'slot', slot, history: [...recent(history, now), change] })
    this.#trees.change(now, slot, this.#leafOf(deal))
    const taking = deal === undefined ? undefined : this.deal(deal)
    if (taking !== undefined) set({ ...taking, slot, inTree: true })
    const { root } = this.currentTree()
    if (root === event.root) return
    const sentence = `after a change of slot ${slot} the tree is ${root}, not ${event.root}`
    throw new HoldfastError({ code: 'INVARIANT', sentence })
  }
}

/** Drops what no kept period can see any more. */
const recent = (history: SlotFact['history'], now: Period): SlotFact['history'] => {
  const firstNeeded = history.findLastIndex(({ from }) => from + PERIODS_KEPT <= now)
  return firstNeeded <= 0 ? history : history.slice(firstNeeded)
}
