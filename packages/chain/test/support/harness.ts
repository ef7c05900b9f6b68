/**
 * What the conformance suite needs of an adapter under test: accounts, money, a clock that is told
 * what time it is, seeds, and reorganisations. The two harnesses are memory-harness.ts and
 * evm-harness.ts.
 */
import type { Amount, Period, Signer, Timestamp } from '@holdfast/protocol'
import type { Ledger, NetworkParams } from '../../src/ledger.ts'

export interface Account {
  readonly signer: Signer
  readonly ledger: Ledger
}

export interface Harness {
  readonly network: NetworkParams
  /** A fresh account with gas and `tokens` test tokens outside the vault. */
  account(tokens?: Amount): Promise<Account>
  /** The time that the next block would have. */
  time(): Promise<Timestamp>
  /** The next block has this time, or one not much later. Mines nothing. */
  setTime(at: Timestamp): Promise<void>
  /** Mines an empty block. */
  mine(): Promise<void>
  /** Posts the seed of a period. */
  postSeed(period: Period): Promise<void>
  /** Replaces the newest blocks by empty ones. */
  reorg(depth: number): Promise<void>
  close(): Promise<void>
}
