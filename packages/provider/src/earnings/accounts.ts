/**
 * The node's own books: what gas its transactions cost, by deal and by period, what bytes of which
 * payload were read, and how each period ended. Nobody else keeps these figures, so they are on disk,
 * small and checksummed; a value that was altered is left out, counted and said, never believed.
 *
 * Invariants: a transaction is booked once; gas is durable when `bookGas` resolves, egress after `flush`,
 * so a crash forgets the seconds since the last one. A disk that refuses a write is logged and costs
 * figures, never a proof: nothing here rejects.
 * Not here: revenue, which is a function of the ledger's facts (`revenue.ts`).
 */
import {
  type Bytes,
  bytes,
  type DealId,
  type Logger,
  type Period,
  period,
  type Root,
  type Timestamp,
} from '@holdfast/protocol'
import { levelTrouble } from '../store/disposable-level.ts'
import { type AccountChanges, AccountStore } from './account-store.ts'
import type { AccountTotals, GasEntry, PeriodAccount, PeriodOutcome, Wei } from './account-types.ts'
import { ProofCosts } from './proof-costs.ts'

/** Transactions that are remembered one by one. */
const ENTRIES_KEPT = 200

export class Accounts {
  readonly #store: AccountStore
  readonly #logger: Logger
  readonly #costs: ProofCosts
  readonly #entries: GasEntry[]
  readonly #egress = new Map<Root, bigint>()
  #egressPeriod: Period | undefined
  #totals: AccountTotals
  #writing: Promise<void> = Promise.resolve()

  private constructor(parts: {
    readonly store: AccountStore
    readonly logger: Logger
    readonly totals: AccountTotals
    readonly entries: readonly GasEntry[]
    readonly costs: ProofCosts
  }) {
    this.#store = parts.store
    this.#logger = parts.logger
    this.#totals = parts.totals
    this.#entries = [...parts.entries]
    this.#costs = parts.costs
  }

  /** Opens the books of a home; they are begun when there are none. */
  static async open(directory: string, now: Timestamp, logger: Logger): Promise<Accounts> {
    const onDamage = levelTrouble(logger, 'books', (reason) => {
      const fields = { path: `${directory}.damaged`, reason }
      logger.error('books damaged: set aside, new ones begun', fields)
    })
    const store = await AccountStore.open(directory, onDamage)
    const totals = (await store.totals()) ?? freshTotals(now)
    const costs = ProofCosts.of(await store.proofCosts())
    const entries = await store.entries()
    if (store.damaged > 0) {
      logger.error('books damaged: these values are left out', { count: store.damaged })
    }
    return new Accounts({ store, logger, totals, entries, costs })
  }

  get totals(): AccountTotals {
    const waiting = [...this.#egress.values()].reduce((sum, count) => sum + count, 0n)
    return { ...this.#totals, egress: bytes(this.#totals.egress + waiting) }
  }

  /** Values that could not be believed when they were read. */
  get damaged(): number {
    return this.#store.damaged
  }

  /** The last transactions, oldest first. */
  get entries(): readonly GasEntry[] {
    return this.#entries
  }

  get proofCosts(): ProofCosts {
    return this.#costs
  }

  /** Books a mined transaction; one that is booked already changes nothing. */
  bookGas(entry: GasEntry): Promise<void> {
    if (this.#entries.some(({ transaction }) => transaction === entry.transaction)) {
      return Promise.resolve()
    }
    this.#entries.push(entry)
    const dropped = this.#entries.length > ENTRIES_KEPT ? this.#entries.shift() : undefined
    const { gas } = this.#totals
    const { wei = 0n, count = 0 } = gas[entry.kind] ?? {}
    const line = { wei: wei + entry.wei, count: count + 1 }
    this.#totals = { ...this.#totals, gas: { ...gas, [entry.kind]: line } }
    if (entry.proof !== undefined) this.#costs.add(entry.proof, entry.wei)
    return this.#write({ gas: entry, dropped })
  }

  /** Counts bytes that were read; durable at the next `flush`. */
  countEgress(of: Root, count: number, during: Period | undefined): void {
    this.#egress.set(of, (this.#egress.get(of) ?? 0n) + BigInt(count))
    this.#egressPeriod = during ?? this.#egressPeriod
  }

  /** Makes counted egress durable. */
  flush(): Promise<void> {
    if (this.#egress.size === 0) return this.#writing
    const egress = new Map(this.#egress)
    this.#egress.clear()
    const sum = [...egress.values()].reduce((all, count) => all + count, 0n)
    this.#totals = { ...this.#totals, egress: bytes(this.#totals.egress + sum) }
    return this.#write({ egress, egressPeriod: this.#egressPeriod })
  }

  /** Writes down how periods ended. `next` is the first that is still to be judged. */
  judge(outcomes: ReadonlyMap<Period, PeriodOutcome>, next: Period): Promise<void> {
    const counts = { ...this.#totals.outcomes }
    for (const outcome of outcomes.values()) counts[outcome]++
    this.#totals = { ...this.#totals, outcomes: counts, judgedTo: next }
    return this.#write({ outcomes })
  }

  /** Gas booked for single deals, without their part of proofs; since when each left the tree. */
  async gasOfDeals(
    deals: readonly DealId[],
  ): Promise<readonly { readonly wei: Wei; readonly left: Period | undefined }[]> {
    await this.#writing
    return this.#store.gasOfDeals(deals)
  }

  /** Bytes read of each payload. */
  async egressOf(roots: readonly Root[]): Promise<readonly Bytes[]> {
    await this.#writing
    const kept = await this.#store.egressOf(roots)
    return roots.map((of, i) => bytes((kept[i] ?? 0n) + (this.#egress.get(of) ?? 0n)))
  }

  /** The accounts of periods from <= p < to, oldest first; periods without any are left out. */
  async periods(from: Period, to: Period): Promise<readonly PeriodAccount[]> {
    await this.#writing
    return this.#store.periods(from, to)
  }

  async close(): Promise<void> {
    await this.flush()
    await this.#writing
    await this.#store.close()
  }

  /** One write after the other; a failed one is said and kept from nobody else. */
  #write(changes: Omit<AccountChanges, 'totals'>): Promise<void> {
    const totals = this.#totals
    const writing = this.#writing.then(() => this.#store.write({ ...changes, totals }))
    this.#writing = writing.catch((error: unknown) => {
      this.#logger.error(
        'books not written: figures of this moment will be missing after a restart',
        {
          reason: error instanceof Error ? error.message : String(error),
        },
      )
    })
    return this.#writing
  }
}

const freshTotals = (since: Timestamp): AccountTotals => ({
  since,
  gas: {},
  egress: bytes(0),
  outcomes: { proven: 0, missed: 0, void: 0, idle: 0 },
  judgedTo: undefined,
})

/** The first period of a range that is to be judged now: at most `kept` back. */
export const judgeFrom = (totals: AccountTotals, now: Period, kept: bigint): Period => {
  const oldest = now > kept ? now - kept : 0n
  const from = totals.judgedTo ?? now
  return period(from > oldest ? from : oldest)
}
