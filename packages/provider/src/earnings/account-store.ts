/**
 * The books on disk: LevelDB, one small value per deal, payload and period, each with a CRC-32C over
 * key and text, because LevelDB itself believes a flipped bit. Writes are synced batches. Books that
 * LevelDB cannot read are set aside, and new ones begun: a node without its past earnings is better than
 * none.
 */
import {
  type Bytes,
  type DealId,
  type Period,
  period,
  type Root,
  toNumber,
} from '@holdfast/protocol'
import { keptAside } from '../key-values.ts'
import { crc32c } from '../store/crc32c.ts'
import { DisposableLevel } from '../store/disposable-level.ts'
import type { AccountTotals, GasEntry, PeriodAccount, PeriodOutcome, Wei } from './account-types.ts'
import { type ProofCost, perLeafOf } from './proof-costs.ts'

/** What one write changes; all of it in one batch. */
export interface AccountChanges {
  readonly totals: AccountTotals
  readonly gas?: GasEntry
  /** An entry that is no longer remembered. */
  readonly dropped?: GasEntry | undefined
  readonly egress?: ReadonlyMap<Root, bigint>
  readonly egressPeriod?: Period | undefined
  readonly outcomes?: ReadonlyMap<Period, PeriodOutcome>
}

interface DealAccount {
  readonly wei: bigint
  /** The first period in whose tree it no longer was. */
  readonly left: bigint | undefined
}

const TOTALS = 'totals'
const text = new TextEncoder()
const padded = (value: bigint): string => value.toString().padStart(20, '0')
const periodKey = (of: bigint): string => `period/${padded(of)}`
const dealKey = (deal: DealId): string => `deal/${deal}`
const rootKey = (root: Root): string => `root/${root}`
const entryKey = ({ at, transaction }: GasEntry): string => `tx/${padded(at)}/${transaction}`

const encode = (key: string, value: unknown): string => {
  const json = JSON.stringify(value, (_name, field: unknown) =>
    typeof field === 'bigint' ? `n:${field}` : field,
  )
  return `${crc32c(text.encode(`${key} ${json}`))
    .toString(16)
    .padStart(8, '0')} ${json}`
}

export class AccountStore {
  readonly #level: DisposableLevel<string>
  /** Values whose checksum was wrong. */
  damaged = 0

  private constructor(level: DisposableLevel<string>) {
    this.#level = level
  }

  /** Books that cannot be read at all are set aside. @param onDamage told why. */
  static async open(
    directory: string,
    onDamage: (error: unknown) => void = () => undefined,
  ): Promise<AccountStore> {
    return new AccountStore(await DisposableLevel.open(directory, 'utf8', onDamage, keptAside))
  }

  totals(): Promise<AccountTotals | undefined> {
    return this.#get<AccountTotals>(TOTALS)
  }

  /** The last transactions, oldest first. */
  async entries(): Promise<GasEntry[]> {
    const entries: GasEntry[] = []
    for await (const [, entry] of this.#scan<GasEntry>('tx/', 'tx0')) entries.push(entry)
    return entries
  }

  /** What every proven period cost per leaf, oldest first. */
  async proofCosts(): Promise<ProofCost[]> {
    const costs: ProofCost[] = []
    for await (const [, account] of this.#scan<PeriodAccount>('period/', 'period0')) {
      if (account.perLeaf > 0n) costs.push({ period: account.period, perLeaf: account.perLeaf })
    }
    return costs
  }

  async periods(from: Period, to: Period): Promise<PeriodAccount[]> {
    const found: PeriodAccount[] = []
    for await (const [, account] of this.#scan<PeriodAccount>(periodKey(from), periodKey(to))) {
      found.push(account)
    }
    return found
  }

  async gasOfDeals(
    deals: readonly DealId[],
  ): Promise<{ readonly wei: Wei; readonly left: Period | undefined }[]> {
    const values = await this.#many<DealAccount>(deals.map(dealKey))
    return values.map((value) => ({
      wei: value?.wei ?? 0n,
      left: value?.left === undefined ? undefined : period(value.left),
    }))
  }

  async egressOf(roots: readonly Root[]): Promise<bigint[]> {
    const values = await this.#many<{ readonly bytes: Bytes }>(roots.map(rootKey))
    return values.map((value) => value?.bytes ?? 0n)
  }

  async write(changes: AccountChanges): Promise<void> {
    const values = new Map<string, unknown>([[TOTALS, changes.totals]])
    await this.#addGas(values, changes.gas)
    await this.#addEgress(values, changes)
    for (const [of, outcome] of changes.outcomes ?? []) {
      if (outcome !== 'idle') await this.#changePeriod(values, of, () => ({ outcome }))
    }
    const { dropped } = changes
    await this.#level.use(async (level) => {
      const batch = level.batch()
      for (const [key, value] of values) batch.put(key, encode(key, value))
      if (dropped !== undefined) batch.del(entryKey(dropped))
      await batch.write({ sync: true })
    })
  }

  close(): Promise<void> {
    return this.#level.close()
  }

  async #addGas(values: Map<string, unknown>, gas: GasEntry | undefined): Promise<void> {
    if (gas === undefined) return
    const { wei, deals, proof, kind } = gas
    values.set(entryKey(gas), gas)
    await this.#changePeriod(values, gas.period, (known) => ({ gas: known.gas + wei }))
    if (proof !== undefined) {
      const cost = perLeafOf(wei, proof.weight)
      await this.#changePeriod(values, proof.period, ({ perLeaf }) => ({ perLeaf: perLeaf + cost }))
    }
    const shares = splitEvenly(wei, deals.length)
    const known = await this.#many<DealAccount>(deals.map(dealKey))
    const leaves = kind === 'release' || kind === 'declare-fault'
    for (const [i, deal] of deals.entries()) {
      const left = leaves ? gas.period + 1n : known[i]?.left
      values.set(dealKey(deal), { wei: (known[i]?.wei ?? 0n) + (shares[i] ?? 0n), left })
    }
  }

  async #addEgress(values: Map<string, unknown>, changes: AccountChanges): Promise<void> {
    if (changes.egress === undefined) return
    const roots = [...changes.egress.keys()]
    const known = await this.egressOf(roots)
    let sum = 0n
    for (const [i, root] of roots.entries()) {
      const count = changes.egress.get(root) ?? 0n
      sum += count
      values.set(rootKey(root), { bytes: (known[i] ?? 0n) + count })
    }
    const of = changes.egressPeriod
    if (of === undefined) return
    await this.#changePeriod(values, of, ({ egress }) => ({ egress: egress + sum }))
  }

  async #changePeriod(
    values: Map<string, unknown>,
    of: Period,
    change: (known: PeriodAccount) => Partial<PeriodAccount>,
  ): Promise<void> {
    const key = periodKey(of)
    const empty = { period: of, gas: 0n, perLeaf: 0n, egress: 0n, outcome: undefined }
    const before = values.get(key) as PeriodAccount | undefined
    const known: PeriodAccount = before ?? (await this.#get<PeriodAccount>(key)) ?? empty
    values.set(key, { ...known, ...change(known) })
  }

  async #get<T>(key: string): Promise<T | undefined> {
    return this.#decode<T>(key, await this.#level.use((level) => level.get(key)))
  }

  async #many<T>(keys: readonly string[]): Promise<(T | undefined)[]> {
    const values = await this.#level.use((level) => Promise.all(keys.map((key) => level.get(key))))
    return values.map((value, i) => this.#decode<T>(keys[i] ?? '', value))
  }

  async *#scan<T>(from: string, to: string): AsyncGenerator<readonly [string, T]> {
    for await (const [key, value] of this.#level.scan({ gte: from, lt: to })) {
      const decoded = this.#decode<T>(key, value)
      if (decoded !== undefined) yield [key, decoded]
    }
  }

  /** Undefined for a value that is missing, or that is not what was written. */
  #decode<T>(key: string, value: string | undefined): T | undefined {
    if (value === undefined) return undefined
    try {
      const parsed = JSON.parse(value.slice(9), (_name, field: unknown) =>
        typeof field === 'string' && /^n:[0-9]+$/.test(field) ? BigInt(field.slice(2)) : field,
      ) as T
      if (encode(key, parsed) === value) return parsed
    } catch {
      // Text that cannot be parsed is the same as text whose checksum is wrong.
    }
    this.damaged++
    return undefined
  }
}

/** Whole parts that add up to the sum; the first ones carry what does not divide. */
export const splitEvenly = (sum: bigint, parts: number): bigint[] => {
  if (parts === 0) return []
  const count = BigInt(parts)
  const rest = toNumber(sum % count)
  return Array.from({ length: parts }, (_, i) => sum / count + (i < rest ? 1n : 0n))
}
