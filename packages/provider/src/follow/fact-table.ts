/**
 * All facts by key, with the indexes that questions need: deals, deals by payload, proven periods in
 * order, open disputes. Every index follows from the facts, whichever way they came.
 *
 * Invariant: putting or removing a fact costs what its own index entry costs, never a pass over all.
 */
import { amount, type DealId, type Root } from '@holdfast/protocol'
import {
  type DealFact,
  type DisputeFact,
  dealKey,
  type Fact,
  keyOf,
  STANDING_KEY,
  type StandingFact,
} from './facts.ts'
import { PeriodSet } from './period-set.ts'

const FRESH: StandingFact = {
  kind: 'standing',
  stake: amount(0),
  newest: undefined,
  newestShown: true,
  newestForced: false,
  auditNext: false,
  stopped: false,
  terminatedAt: undefined,
}

export class FactTable {
  readonly #facts = new Map<string, Fact>()
  readonly #deals = new Map<DealId, DealFact>()
  readonly #byRoot = new Map<Root, Set<DealId>>()
  readonly #disputes = new Map<string, DisputeFact>()
  readonly #periods = {
    proven: new PeriodSet(),
    missed: new PeriodSet(),
    seed: new PeriodSet(),
  }

  constructor(facts: ReadonlyMap<string, Fact> = new Map()) {
    for (const fact of facts.values()) this.put(fact)
  }

  get all(): ReadonlyMap<string, Fact> {
    return this.#facts
  }

  get(key: string): Fact | undefined {
    return this.#facts.get(key)
  }

  /** Facts of one key always belong to the same deal, payload or period. */
  put(fact: Fact): void {
    const key = keyOf(fact)
    this.#facts.set(key, fact)
    switch (fact.kind) {
      case 'deal':
        this.#deals.set(fact.deal, fact)
        this.#rootSet(fact.terms.root).add(fact.deal)
        break
      case 'dispute':
        this.#disputes.set(key, fact)
        break
      case 'proven':
      case 'missed':
      case 'seed':
        this.#periods[fact.kind].add(fact.period)
        break
      default:
    }
  }

  remove(key: string): void {
    const fact = this.#facts.get(key)
    if (fact === undefined) return
    this.#facts.delete(key)
    switch (fact.kind) {
      case 'deal':
        this.#deals.delete(fact.deal)
        this.#rootSet(fact.terms.root).delete(fact.deal)
        break
      case 'dispute':
        this.#disputes.delete(key)
        break
      case 'proven':
      case 'missed':
      case 'seed':
        this.#periods[fact.kind].delete(fact.period)
        break
      default:
    }
  }

  deal(id: DealId): DealFact | undefined {
    const fact = this.#facts.get(dealKey(id))
    return fact?.kind === 'deal' ? fact : undefined
  }

  /** Oldest first. */
  deals(): Iterable<DealFact> {
    return this.#deals.values()
  }

  dealsOf(root: Root): readonly DealFact[] {
    return [...(this.#byRoot.get(root) ?? [])].flatMap((id) => this.deal(id) ?? [])
  }

  /** Those that are neither answered nor over. */
  openDisputes(): readonly DisputeFact[] {
    return [...this.#disputes.values()].filter(({ state }) => state === 'open')
  }

  /** All that are remembered. */
  disputes(): Iterable<DisputeFact> {
    return this.#disputes.values()
  }

  get proven(): PeriodSet {
    return this.#periods.proven
  }

  get missed(): PeriodSet {
    return this.#periods.missed
  }

  get seeds(): PeriodSet {
    return this.#periods.seed
  }

  get standing(): StandingFact {
    const fact = this.#facts.get(STANDING_KEY)
    return fact?.kind === 'standing' ? fact : FRESH
  }

  #rootSet(root: Root): Set<DealId> {
    const known = this.#byRoot.get(root)
    if (known !== undefined) return known
    const fresh = new Set<DealId>()
    this.#byRoot.set(root, fresh)
    return fresh
  }
}
