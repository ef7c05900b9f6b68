/**
 * A chain in memory, as far as transactions can tell: blocks every 12 s, a pool with the rules of
 * replacement, a base fee that the test sets, one contract that takes proofs within windows, and
 * reorganisations. Senders are known by their signature, as on a real chain.
 */
import { type Hash32, type Hex, hash32, toHex } from '@holdfast/protocol'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { parseTransaction, recoverTransactionAddress, type TransactionSerialized } from 'viem'

export const GWEI: bigint = 10n ** 9n
export const BLOCK_SECONDS = 12
export const CHAIN_ID = 31n

export interface Schedule {
  readonly genesis: number
  readonly period: number
  readonly window: number
}

export interface PoolTransaction {
  readonly hash: Hash32
  readonly raw: Hex
  readonly from: string
  readonly nonce: number
  readonly data: Hex
  readonly gas: bigint
  readonly maxFee: bigint
  readonly tip: bigint
}

export interface MinedTransaction extends PoolTransaction {
  readonly ok: boolean
  readonly gasUsed: bigint
  readonly price: bigint
}

export interface SimBlock {
  readonly number: number
  readonly hash: Hash32
  readonly parent: Hash32
  readonly timestamp: number
  readonly base: bigint
  readonly transactions: readonly MinedTransaction[]
}

/** What a block takes. */
export interface Conditions {
  base: bigint
  /** The least tip that miners take. */
  tip: bigint
  /** False: blocks stay empty. */
  takes: boolean
}

const PROVE_GAS = 120_000n
const REVERT_GAS = 40_000n
const NOTHING_GAS = 21_000n

export const proveData = (period: number): Hex => `0x01${period.toString(16).padStart(64, '0')}`
export const otherData = (id: number): Hex => `0x02${id.toString(16).padStart(64, '0')}`

const periodOf = (data: Hex): number | undefined =>
  data.startsWith('0x01') ? Number(BigInt(`0x${data.slice(4)}`)) : undefined

export type Refusal = 'closed' | 'proven' | 'early' | 'paused'

export class SimulatedChain {
  readonly schedule: Schedule
  readonly conditions: Conditions = { base: 10n * GWEI, tip: GWEI / 10n, takes: true }
  readonly blocks: SimBlock[]
  readonly pool = new Map<string, Map<number, PoolTransaction>>()
  /** True while the contract refuses everything. */
  paused = false
  readonly #balances = new Map<string, bigint>()
  readonly #spent = new Map<string, { count: number; wei: bigint }>()
  readonly #byHash = new Map<string, { block: SimBlock; mined: MinedTransaction }>()
  readonly #byData = new Map<Hex, Set<MinedTransaction>>()
  #salt = 0

  constructor(schedule: Schedule) {
    this.schedule = schedule
    const hash = this.#hashOf(0)
    this.blocks = [
      { number: 0, hash, parent: hash, timestamp: schedule.genesis, base: GWEI, transactions: [] },
    ]
  }

  get head(): SimBlock {
    const head = this.blocks.at(-1)
    if (head === undefined) throw new Error('a chain has a block')
    return head
  }

  fund(account: string, wei: bigint): void {
    this.#balances.set(account, wei)
  }

  /** What was given in all. */
  given(account: string): bigint {
    return this.#balances.get(account) ?? 0n
  }

  /** What was given, minus what blocks up to `number` took. */
  balance(account: string, number = this.head.number): bigint {
    let balance = (this.#balances.get(account) ?? 0n) - (this.#spent.get(account)?.wei ?? 0n)
    for (const { from, gasUsed, price } of this.#after(number)) {
      if (from === account) balance += gasUsed * price
    }
    // A reorganisation may have paid before it was given.
    return balance > 0n ? balance : 0n
  }

  nonce(account: string, number = this.head.number): number {
    let count = this.#spent.get(account)?.count ?? 0
    for (const { from } of this.#after(number)) if (from === account) count -= 1
    return count
  }

  /** What blocks above `number` hold. */
  #after(number: number): readonly MinedTransaction[] {
    return this.blocks.slice(number + 1).flatMap(({ transactions }) => transactions)
  }

  pending(account: string): number {
    let nonce = this.nonce(account)
    while (this.pool.get(account)?.has(nonce) === true) nonce += 1
    return nonce
  }

  find(hash: string): { readonly block: SimBlock; readonly mined: MinedTransaction } | undefined {
    return this.#byHash.get(hash)
  }

  /** Every execution of a call on the chain as it stands. */
  executed(data: Hex): readonly MinedTransaction[] {
    return [...(this.#byData.get(data) ?? [])]
  }

  isProven(period: number): boolean {
    return this.executed(proveData(period)).some(({ ok }) => ok)
  }

  /** Why a proof would be refused in a block of this time. */
  refusal(data: Hex, timestamp: number): Refusal | undefined {
    if (this.paused && data !== '0x') return 'paused'
    const period = periodOf(data)
    if (period === undefined) return undefined
    const start = this.schedule.genesis + period * this.schedule.period
    if (timestamp < start) return 'early'
    if (timestamp >= start + this.schedule.window) return 'closed'
    return this.isProven(period) ? 'proven' : undefined
  }

  /** @throws Error with a node's words. */
  async submit(raw: Hex): Promise<Hash32> {
    const transaction = await readTransaction(raw)
    const { from, nonce } = transaction
    if (nonce < this.nonce(from)) throw new Error('nonce too low')
    const mine = this.pool.get(from) ?? new Map<number, PoolTransaction>()
    this.pool.set(from, mine)
    const known = mine.get(nonce)
    if (known?.hash === transaction.hash) throw new Error('already known')
    if (known !== undefined && !replaces(transaction, known)) {
      throw new Error('replacement transaction underpriced')
    }
    if (this.balance(from) < transaction.gas * transaction.maxFee) {
      throw new Error('insufficient funds for gas * price + value')
    }
    mine.set(nonce, transaction)
    return transaction.hash
  }

  mine(timestamp: number): void {
    const { number, hash: parent } = this.head
    const transactions: MinedTransaction[] = []
    const hash = this.#hashOf(number + 1)
    const { base, takes } = this.conditions
    const block = { number: number + 1, hash, parent, timestamp, base, transactions }
    if (takes) {
      for (const [account, waiting] of this.pool) {
        this.#take(account, waiting, transactions, timestamp)
      }
    }
    this.blocks.push(block)
    for (const mined of transactions) this.#index(block, mined)
  }

  #index(block: SimBlock, mined: MinedTransaction): void {
    this.#byHash.set(mined.hash, { block, mined })
    const same = this.#byData.get(mined.data) ?? new Set()
    this.#byData.set(mined.data, same.add(mined))
    const spent = this.#spent.get(mined.from) ?? { count: 0, wei: 0n }
    const wei = spent.wei + mined.gasUsed * mined.price
    this.#spent.set(mined.from, { count: spent.count + 1, wei })
  }

  #unindex(mined: MinedTransaction): void {
    this.#byHash.delete(mined.hash)
    this.#byData.get(mined.data)?.delete(mined)
    const spent = this.#spent.get(mined.from) ?? { count: 0, wei: 0n }
    const wei = spent.wei - mined.gasUsed * mined.price
    this.#spent.set(mined.from, { count: spent.count - 1, wei })
  }

  /** Replaces the newest blocks by empty ones of the same times. */
  reorganise(depth: number, returnToPool: boolean): void {
    const gone = this.blocks.splice(Math.max(1, this.blocks.length - depth))
    this.#salt += 1
    for (const { transactions } of gone) for (const mined of transactions) this.#unindex(mined)
    for (const { timestamp, base } of gone) {
      const { number, hash: parent } = this.head
      const hash = this.#hashOf(number + 1)
      this.blocks.push({ number: number + 1, hash, parent, timestamp, base, transactions: [] })
    }
    if (!returnToPool) return
    for (const { transactions } of gone) {
      for (const transaction of transactions) {
        const mine = this.pool.get(transaction.from)
        if (mine?.has(transaction.nonce) === false) mine.set(transaction.nonce, transaction)
      }
    }
  }

  #take(
    account: string,
    waiting: Map<number, PoolTransaction>,
    into: MinedTransaction[],
    timestamp: number,
  ): void {
    const { base, tip } = this.conditions
    const first = this.nonce(account)
    for (let nonce = first; ; nonce++) {
      const next = waiting.get(nonce)
      if (next === undefined || next.maxFee < base) return
      const most = next.maxFee - base
      const paid = least(next.tip, most)
      if (paid < tip) return
      waiting.delete(nonce)
      const twice = into.some(({ data, ok }) => ok && data === next.data && data !== '0x')
      const ok = !twice && this.refusal(next.data, timestamp) === undefined
      const gasUsed = next.data === '0x' ? NOTHING_GAS : ok ? PROVE_GAS : REVERT_GAS
      into.push({ ...next, ok, gasUsed, price: base + paid })
    }
  }

  #hashOf(number: number): Hash32 {
    const seed = new TextEncoder().encode(`block ${number} of branch ${this.#salt}`)
    return hash32(toHex(keccak_256(seed)))
  }
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

const replaces = (next: PoolTransaction, known: PoolTransaction): boolean =>
  next.maxFee * 10n >= known.maxFee * 11n && next.tip * 10n >= known.tip * 11n

/** Recovering a signature takes milliseconds; the same bytes come often. */
const READ = new Map<Hex, PoolTransaction>()

const readTransaction = async (raw: Hex): Promise<PoolTransaction> => {
  const known = READ.get(raw)
  if (known !== undefined) return known
  const transaction = await recovered(raw)
  READ.set(raw, transaction)
  return transaction
}

const recovered = async (raw: Hex): Promise<PoolTransaction> => {
  const parsed = parseTransaction(raw as TransactionSerialized<'eip1559'>)
  const from = await recoverTransactionAddress({
    serializedTransaction: raw as TransactionSerialized<'eip1559'>,
  })
  const { data = '0x', gas = 0n, nonce = 0 } = parsed
  return {
    ...{ raw, nonce, gas, data, from: from.toLowerCase() },
    hash: hash32(toHex(keccak_256(Buffer.from(raw.slice(2), 'hex')))),
    maxFee: parsed.maxFeePerGas ?? 0n,
    tip: parsed.maxPriorityFeePerGas ?? 0n,
  }
}
