/**
 * How a watch pays for transactions: gas is set aside durably before one is sent, and replaced by what
 * it came to. What may still be mined, because we stopped waiting for it, stays set aside.
 */
import type { AccountLedger, SendOptions, TxReceipt } from '@holdfast/chain'
import { type CallOptions, HoldfastError, type Period } from '@holdfast/protocol'
import { gasAllowance, gasLeft, type WatchBudget } from './budget.ts'
import type { WatchBook } from './watch-book.ts'

export class Spending {
  readonly #ledger: AccountLedger
  readonly #book: WatchBook
  readonly #budget: WatchBudget

  constructor(ledger: AccountLedger, book: WatchBook, budget: WatchBudget) {
    this.#ledger = ledger
    this.#book = book
    this.#budget = budget
  }

  /** Wei that may still be set aside. */
  left(now: Period): bigint {
    return gasLeft(this.#budget, this.#book.notes.gas.values(), now)
  }

  /** Enough for one transaction more. */
  hasOne(now: Period): boolean {
    const allowance = gasAllowance(this.#budget)
    return allowance > 0n && this.left(now) >= allowance
  }

  /** Wei set aside under a name and not settled. */
  reserved(name: string): bigint | undefined {
    const entry = this.#book.notes.gas.get(name)
    return entry?.settled === false ? entry.wei : undefined
  }

  /** Sets one transaction's gas aside, never more than one may cost. Durable when it resolves. */
  reserve(name: string, now: Period, most?: bigint): Promise<void> {
    const allowance = gasAllowance(this.#budget)
    const wei = most !== undefined && most < allowance ? most : allowance
    return this.#book.setGas(name, { period: now, wei, settled: false })
  }

  release(name: string): Promise<void> {
    return this.#book.setGas(name, undefined)
  }

  /** Sends a write whose gas was set aside under this name; it never costs more. */
  async pay(
    name: string,
    now: Period,
    options: CallOptions,
    write: (send: SendOptions) => Promise<TxReceipt>,
  ): Promise<TxReceipt> {
    const { account } = this.#ledger
    const gasBudget = this.reserved(name) ?? 0n
    const before = await this.#ledger.gasBalance(account, options)
    try {
      const receipt = await write({ ...options, gasBudget })
      const wei = receipt.gasUsed * receipt.gasPrice
      await this.#book.setGas(name, { period: now, wei, settled: true })
      return receipt
    } catch (error) {
      const mayCome = HoldfastError.is(error, 'ABORTED') || HoldfastError.is(error, 'TIMED_OUT')
      // A refusal that was found by trying has cost nothing.
      if (!mayCome && (await this.#ledger.gasBalance(account, options)) >= before) {
        await this.release(name)
      }
      throw error
    }
  }
}
