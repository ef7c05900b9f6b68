/**
 * What a write may say about its transaction: until when it is worth something, what it may cost,
 * and whether everything else has to make way for it. Options only; who keeps them is the
 * transactor (`evm/transactor.ts`).
 */
import type { CallOptions, Timestamp } from '@holdfast/protocol'

/** Transactions of lane `proofs` are never held back by those of lane `ledger`. */
export type Lane = 'proofs' | 'ledger'

export interface SendOptions extends CallOptions {
  /**
   * Block time from which the transaction is worth nothing. The price rises so that it is mined
   * before half of the time until then is over; afterwards it is cancelled, and the write rejects.
   */
  readonly deadline?: Timestamp
  /**
   * The most that this write may cost, in wei: every replacement, and what clears the way for it.
   * Never passed; an alarm says when the chain asks for more.
   */
  readonly gasBudget?: bigint
  /** Default `ledger`. */
  readonly lane?: Lane
}
