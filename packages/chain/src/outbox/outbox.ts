/**
 * The port for what a transactor is about to do, and its closed set of entries. An entry is durable
 * before the thing it speaks of leaves the process: whoever opens the outbox after a crash knows
 * every byte string that may be on its way, and for which nonce.
 *
 * Invariants: `record` resolves when its entries survive power loss, in order, all or none; what
 * `load` gives back, folded (`nonce-line.ts`), is the state before the crash, except that entries
 * about nonces that were forgotten may be missing.
 */
import type { Address, Hash32, Hex, Timestamp } from '@holdfast/protocol'
import type { Lane } from '../send-options.ts'

/** The hash of the first transaction that was signed for it. */
export type IntentId = Hash32

/** How an intent ended. */
export type Outcome =
  /** Its call is in a block and succeeded. */
  | 'mined'
  /** Its call is in a block and was refused there. */
  | 'reverted'
  /** Its nonce was spent on a transaction that does nothing, or on another intent. */
  | 'displaced'
  /** Its nonce was spent by somebody else who has the key. */
  | 'foreign'

export type OutboxEntry =
  /** What will be sent and why; recorded together with the first signed transaction. */
  | {
      readonly kind: 'tx-intended'
      readonly account: Address
      readonly intent: IntentId
      /** `prove 17`, `open 0x…`: while it is open nothing else of this name is started. */
      readonly name: string
      readonly lane: Lane
      /** Block time when it began. */
      readonly since: Timestamp
      readonly deadline: Timestamp | undefined
      readonly gasBudget: bigint | undefined
    }
  /** Signed bytes for a nonce: the first, a dearer one, or one that only spends the nonce. */
  | {
      readonly kind: 'tx-signed'
      readonly account: Address
      readonly intent: IntentId
      readonly nonce: number
      readonly hash: Hash32
      readonly raw: Hex
      readonly cancels: boolean
    }
  /** Nobody waits for it any more: its nonce may be spent on something else. */
  | {
      readonly kind: 'tx-abandoned'
      readonly account: Address
      readonly intent: IntentId
      readonly reason: string
    }
  /** The chain has spent a nonce; `hash` and `block` when by one of ours. */
  | {
      readonly kind: 'tx-settled'
      readonly account: Address
      readonly nonce: number
      readonly outcome: Outcome
      readonly hash: Hash32 | undefined
      readonly blockNumber: bigint
      readonly blockHash: Hash32
    }
  /** A reorganisation gave the nonce back; `pooled` when the transaction waits in a pool again. */
  | {
      readonly kind: 'tx-reopened'
      readonly account: Address
      readonly nonce: number
      readonly pooled: boolean
    }
  /** Too deep to be taken back: nothing about this nonce need be remembered. */
  | { readonly kind: 'tx-forgotten'; readonly account: Address; readonly nonce: number }

export interface Outbox {
  /** Entries of one account that are not forgotten, oldest first. */
  load(account: Address): Promise<readonly OutboxEntry[]>
  /** @throws HoldfastError `DISK_FULL`, `STORE_READ_ONLY`; then nothing may be sent. */
  record(entries: readonly OutboxEntry[]): Promise<void>
}

/** For programs that end when their transaction is mined: remembers as long as the process lives. */
export const memoryOutbox = (): Outbox => {
  const kept: OutboxEntry[] = []
  return {
    load: async (account) => kept.filter((entry) => entry.account === account),
    record: async (entries) => {
      kept.push(...entries)
      // Nobody loads it twice but tests: what is forgotten is left out to stay small.
      if (kept.length > MEMORY_ENTRIES_MAX) kept.splice(0, kept.length - MEMORY_ENTRIES_MAX)
    },
  }
}

const MEMORY_ENTRIES_MAX = 4096
