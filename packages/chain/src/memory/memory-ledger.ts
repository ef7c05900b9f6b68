/** The rules of the contracts in memory. */
import type { Address, Amount, Period, Seconds, Timestamp } from '@holdfast/protocol'
import { invariant } from '@holdfast/protocol'
import type { Ledger, NetworkParams } from '../ledger.ts'

export interface MemoryChainParameters {
  /** Block time of the first block; period 0 starts here. */
  readonly genesis: Timestamp
  readonly period: Seconds
  readonly window?: Seconds
  readonly seedDelay?: Seconds
  readonly directChallenges?: number
  /** Seeds of periods are derived from it. */
  readonly randomSeed: Uint8Array
}

/** One simulated network; time moves only when told. */
export interface MemoryChain {
  readonly network: NetworkParams
  /** The ledger as `account` sees and writes it; its word is taken without a signature. */
  ledger(account: Address): Ledger
  /** Moves block time forward and mines a block. */
  advance(by: Seconds): void
  /** Posts the seed of a period, when its round is due. */
  postSeed(period: Period): void
  /** Gives test tokens. */
  mint(token: Address, owner: Address, amount: Amount): void
  /** Replaces the newest `depth` blocks by as many empty ones. */
  reorg(depth: number): void
}

export const createMemoryChain = (_parameters: MemoryChainParameters): MemoryChain => {
  invariant(false, 'the memory adapter is being written')
}
