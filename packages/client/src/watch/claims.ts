/**
 * Brings the disputes of a watch to their end: sees what became of them, claims the slash when nobody
 * answered in time, and declares the deal lost that a lost dispute has shown to be lost. The ledger's
 * word counts; what the book says is only what we meant.
 */
import type { Deal, Dispute } from '@holdfast/chain'
import {
  type Address,
  amount,
  type CallOptions,
  type DealId,
  disputesUntil,
  MISS_BLOCK,
  type Period,
  period,
  periodAt,
  RING_PERIODS,
  type Timestamp,
  usablePeriods,
} from '@holdfast/protocol'
import { claimName, type DisputeDependencies } from './disputes.ts'
import { findInTree } from './provider-tree.ts'
import { type DisputeEntry, type DisputeState, entryOf, subjectOf } from './watch-notes.ts'

export class DisputeReviewer {
  readonly #parts: DisputeDependencies

  constructor(parts: DisputeDependencies) {
    this.#parts = parts
  }

  /** Looks at every dispute that is not over for good, and goes on with it. */
  async review(
    deals: ReadonlyMap<DealId, Deal>,
    now: Timestamp,
    options: CallOptions,
  ): Promise<void> {
    const { book, acts, ledger } = this.#parts
    const current = periodAt(ledger.network, now)
    for (const known of [...book.notes.disputes.values()]) {
      if (acts.isRunning(known) || isHistory(known, current)) continue
      const found = await ledger.dispute(entryOf(known), options)
      const entry = await this.#follow(known, found, now)
      if (entry.state === 'open' && found !== undefined) {
        await this.#claimIfDue(entry, found, now, options)
      }
      if (entry.state === 'lost' && !entry.declared) {
        const deal = entry.deal === null ? undefined : deals.get(entry.deal)
        await this.#declareIfDue(entry, deal, current, options)
      }
    }
  }

  /** The ledger's word, written down and said when it is news. */
  async #follow(
    entry: DisputeEntry,
    found: Dispute | undefined,
    now: Timestamp,
  ): Promise<DisputeEntry> {
    const { ledger, book, spending, tell } = this.#parts
    const isLate = now > disputesUntil(ledger.network, entry.period)
    const state = stateOf(entry, found, { account: ledger.account, isLate })
    if (state === entry.state) return entry
    const next = { ...entry, state, bond: found?.bond ?? entry.bond }
    await book.setDispute(next)
    const isOver = state !== 'open' && state !== 'opening'
    if (isOver) await spending.release(claimName(next))
    const { dispute, bond } = next
    const about = { ...subjectOf(next), dispute, bond }
    if (state === 'answered' || state === 'expired') tell({ event: state, ...about })
    if (state === 'lost') tell({ event: 'lost', ...about, reward: null })
    return next
  }

  async #claimIfDue(
    entry: DisputeEntry,
    { openedAt }: Dispute,
    now: Timestamp,
    options: CallOptions,
  ): Promise<void> {
    const { ledger, acts, spending, book, tell } = this.#parts
    const usable = await this.#usableSince(openedAt, now, options)
    if (usable === undefined) return
    const current = periodAt(ledger.network, now)
    const kept = spending.reserved(claimName(entry))
    const hasMore = spending.hasOne(current)
    if (kept === undefined && !hasMore) return
    const name = `slash:${entry.dispute}`
    acts.start(subjectOf(entry), 'claim the slash', async () => {
      // The same gas under another name: from here on it may be spent.
      await spending.reserve(name, current, hasMore ? undefined : kept)
      await spending.release(claimName(entry))
      const { events } = await spending.pay(name, current, options, (send) =>
        ledger.slashTimeout(entryOf(entry), usable, send),
      )
      const lost = events.find((event) => event.kind === 'dispute-lost')
      const { dispute, bond } = entry
      const about = { ...subjectOf(entry), dispute, bond }
      await book.setDispute({ ...entry, state: lost === undefined ? 'expired' : 'lost' })
      if (lost === undefined) tell({ event: 'expired', ...about })
      else tell({ event: 'lost', ...about, reward: amount(lost.slashed / 2n) })
    })
  }

  /** What `slashTimeout` wants to be shown; undefined while it is too early. */
  async #usableSince(
    openedAt: Timestamp,
    now: Timestamp,
    options: CallOptions,
  ): Promise<readonly Period[] | undefined> {
    const { ledger } = this.#parts
    const { network } = ledger
    const seeded = new Set<Period>()
    const [first, current] = [periodAt(network, openedAt), periodAt(network, now)]
    for (let at = first; at < current; at = period(at + 1n)) {
      if ((await ledger.seed(at, options)) !== undefined) seeded.add(at)
    }
    const usable = usablePeriods(network, { openedAt, now, hasSeed: (of) => seeded.has(of) })
    if (usable !== undefined) return usable
    // The chain was unusable for so long that the dispute expires: the bond comes back.
    return now >= openedAt + MISS_BLOCK * network.period ? [] : undefined
  }

  async #declareIfDue(
    entry: DisputeEntry,
    deal: Deal | undefined,
    current: Period,
    options: CallOptions,
  ): Promise<void> {
    const { ledger, acts, spending, book, tell } = this.#parts
    if (deal === undefined || deal.state !== 'active') {
      await book.setDispute({ ...entry, declared: true })
      return
    }
    if (!spending.hasOne(current)) return
    const name = `declare:${entry.dispute}`
    acts.start(subjectOf(entry), 'declare the deal lost', async () => {
      // Once: what is refused now is refused later too.
      await book.setDispute({ ...entry, declared: true })
      const about = { deal: deal.id, provider: entry.provider }
      const { path } = await findInTree(ledger, about, 'now', options)
      await spending.reserve(name, current)
      await spending.pay(name, current, options, (send) =>
        ledger.declareShownLost(deal.id, path, send),
      )
      tell({ event: 'declared-lost', ...subjectOf(entry) })
    })
  }
}

/** Nothing that happens can change it any more. */
const isHistory = ({ state, period: of }: DisputeEntry, current: Period): boolean =>
  state !== 'open' && state !== 'opening' && of + BigInt(RING_PERIODS) < current

const stateOf = (
  entry: DisputeEntry,
  found: Dispute | undefined,
  { account, isLate }: { readonly account: Address; readonly isLate: boolean },
): DisputeState => {
  // Somebody else asked the same question first; ours was refused.
  if (found !== undefined) return found.opener === account ? found.state : 'dropped'
  if (isLate || entry.state === 'dropped') return 'dropped'
  // The chain does not know it (any more): it may be opened again.
  return 'opening'
}
