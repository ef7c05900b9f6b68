/**
 * What a provider promises in a life and is asked about: commitments, honest ones and lies, the audits
 * and disputes that follow, and how each of them ends.
 */
import type { Ledger, LedgerEvent } from '@holdfast/chain'
import {
  auditEnding,
  type BundleQuestion,
  type ChallengeContext,
  type DealId,
  type DisputedEntry,
  disputeEnding,
  HoldfastError,
  hash32,
  type Period,
  type ProviderId,
  period,
  periodAt,
  type SlotLeaf,
  type SlotPath,
  type Timestamp,
  toHex,
  uintBytes,
} from '@holdfast/protocol'
import { LifeBundle } from './life-bundle.ts'
import type { Day } from './life-facts.ts'

/** Who writes; all of them may, in most cases. */
export interface Writers {
  readonly publisher: Ledger
  readonly operator: Ledger
}

export interface PromiseParts extends Writers {
  readonly provider: ProviderId
  readonly home: SlotPath
  readonly leaf: SlotLeaf
  readonly answer: Uint8Array
  /** Keeps the events of a write that must succeed. */
  readonly take: (write: Promise<{ readonly events: readonly LedgerEvent[] }>) => Promise<void>
  readonly time: () => Promise<Timestamp>
}

interface Asked {
  readonly entry: DisputedEntry
  readonly openedAt: Timestamp
}

export class Promises {
  readonly #parts: PromiseParts
  /** By period; none for a lie. */
  readonly #bundles = new Map<Period, LifeBundle>()
  #newest: Period | undefined
  /** Periods whose audit expired. */
  readonly expired: Set<Period> = new Set()
  #open: Asked[] = []

  constructor(parts: PromiseParts) {
    this.#parts = parts
  }

  /** Commits to the right bundle, or to what nobody can ever show. */
  async commit(of: Period, isLie: boolean): Promise<void> {
    const { operator, provider, take, leaf, answer } = this.#parts
    const bundle = isLie ? undefined : new LifeBundle(await this.#context(of), leaf.deal, answer)
    const root = bundle?.root ?? hash32(toHex(uintBytes(of + 1000n, 32)))
    await take(operator.commitPeriod({ provider, period: of, root }))
    if (bundle !== undefined) this.#bundles.set(of, bundle)
    this.#newest = of
  }

  /** True when nothing can be proven now, whoever wants to. */
  async blocked(now: Period): Promise<boolean> {
    const { publisher, provider } = this.#parts
    const { audit, terminatedAt } = await publisher.standing(provider)
    const held = this.#open.some(({ entry }) => entry.period + 8n <= now)
    return audit !== undefined || terminatedAt !== undefined || held
  }

  /** The publisher asks about the newest commitment, where that is still possible. */
  async ask(question: BundleQuestion): Promise<void> {
    const { publisher, provider, home, leaf, take, time } = this.#parts
    if (this.#newest === undefined) return
    const entry = { provider, period: this.#newest, question }
    const membership = question.class === 'deal' ? { leaf, path: home } : undefined
    const done = await allow(['WINDOW_CLOSED', 'DISPUTE_STATE', 'PROVIDER_STATE'], () =>
      take(publisher.openDispute({ ...entry, membership })),
    )
    if (!done) return
    const found = await publisher.dispute(entry)
    this.#open.push({ entry, openedAt: found?.openedAt ?? (await time()) })
  }

  /** Shows what is asked, and has the rest ended, as far as the day is for it. */
  async meet({ show, slash }: Pick<Day, 'show' | 'slash'>): Promise<void> {
    await this.#meetAudit({ show, slash })
    const left: Asked[] = []
    for (const one of this.#open)
      if (!(await this.#meetDispute(one, { show, slash }))) left.push(one)
    this.#open = left
  }

  /** Nothing is asked any more. */
  async quiet(): Promise<boolean> {
    const { publisher, provider } = this.#parts
    return this.#open.length === 0 && (await publisher.standing(provider)).audit === undefined
  }

  async #meetAudit({ show, slash }: Pick<Day, 'show' | 'slash'>): Promise<void> {
    const { publisher, operator, provider, take, time } = this.#parts
    const { audit } = await publisher.standing(provider)
    if (audit === undefined) return
    const bundle = this.#bundles.get(audit.period)
    if (show && bundle !== undefined) {
      const { directChallenges } = publisher.network
      const openings = Array.from({ length: directChallenges }, (_, i) =>
        bundle.open({ class: 'global', i }),
      )
      // What is too old is no longer in the rings: then it is ended like a lie.
      const answer = { provider, period: audit.period, openings }
      if (await allow(['PROVIDER_STATE'], () => take(operator.answerAudit(answer)))) return
    }
    if (!slash) return
    const now = periodAt(publisher.network, await time())
    const hasSeed = await this.#seeded(period(audit.period + 1n), now)
    const usable = auditEnding({ audited: audit.period, now, hasSeed })
    if (usable === undefined) return
    if (usable === audit.period) this.expired.add(usable)
    await take(publisher.slashAudit(provider, usable))
  }

  async #meetDispute(
    { entry, openedAt }: Asked,
    { show, slash }: Pick<Day, 'show' | 'slash'>,
  ): Promise<boolean> {
    const { publisher, operator, take, time } = this.#parts
    const bundle = this.#bundles.get(entry.period)
    if (show && bundle !== undefined) {
      await take(operator.answerDispute(entry, bundle.open(entry.question)))
      return true
    }
    if (!slash) return false
    const { network } = publisher
    const now = await time()
    const hasSeed = await this.#seeded(periodAt(network, openedAt), periodAt(network, now))
    const usable = disputeEnding(network, { openedAt, now, hasSeed })
    if (usable === undefined) return false
    await take(publisher.slashTimeout(entry, usable))
    return true
  }

  async #seeded(from: Period, to: Period): Promise<(of: Period) => boolean> {
    const seeded = new Set<Period>()
    for (let p = from; p < to && p < from + 30n; p = period(p + 1n)) {
      if ((await this.#parts.publisher.seed(p)) !== undefined) seeded.add(p)
    }
    return (of) => seeded.has(of)
  }

  async #context(of: Period): Promise<ChallengeContext> {
    const { publisher, provider } = this.#parts
    const { chainId, contracts } = publisher.network
    const seed = await publisher.seed(of)
    if (seed === undefined) throw new Error(`period ${of} has no seed`)
    return { chainId, proofs: contracts.proofs, provider, period: of, seed }
  }
}

/** Whether it was done; refusals with these codes are part of life. */
export const allow = async (
  codes: readonly string[],
  act: () => Promise<void>,
): Promise<boolean> => {
  try {
    await act()
    return true
  } catch (refusal) {
    if (HoldfastError.is(refusal) && codes.includes(refusal.code)) return false
    throw refusal
  }
}

/** One of the questions there are: global entries and those of the deal. */
export const questionAt = (deal: DealId, at: number): BundleQuestion =>
  at < 460 ? { class: 'global', i: at } : { class: 'deal', deal, i: (at - 460) % 5 }
