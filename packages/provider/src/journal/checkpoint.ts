/**
 * What a journal that was written anew begins with: an entry that names the end of the journal before
 * it, by hash and batch, then everything that is still promised, then an entry that says that this was
 * all. It may have many batches; it counts whole or not at all.
 *
 * Why the last one: the file takes the place of the old one only when it is synced. So one that ends
 * within its checkpoint was damaged, and is not what a crash leaves of an append.
 */
import { type Hash32, hash32, toHex } from '@holdfast/protocol'
import type { Entry } from './entries.ts'
import type { JournalRecord } from './journal-format.ts'

export const hashOf = (head: Uint8Array): Hash32 => hash32(toHex(head))

/** The entries of a checkpoint that follows a journal which ended like this. */
export function* checkpointOf(
  old: { readonly head: Uint8Array; readonly batch: bigint },
  entries: Iterable<Entry>,
): Iterable<Entry> {
  yield { kind: 'checkpoint', head: hashOf(old.head), batch: old.batch }
  let count = 0n
  for (const entry of entries) {
    count++
    yield entry
  }
  yield { kind: 'checkpoint-whole', entries: count }
}

/** Follows the records of one journal from its first on. */
export class CheckpointCheck {
  /** Entries so far, of one that is not whole yet. */
  #open: bigint | undefined

  /** Why a journal cannot end here. */
  get lacks(): string | undefined {
    return this.#open === undefined ? undefined : 'its checkpoint is not whole'
  }

  /** @returns why this record cannot be where it is. */
  take(entry: Entry, record: JournalRecord, isFirst: boolean): string | undefined {
    switch (entry.kind) {
      case 'checkpoint': {
        const named = entry.head === hashOf(record.previous) && entry.batch + 1n === record.batch
        if (!isFirst || !named) return 'a checkpoint names another journal than the one before it'
        this.#open = 0n
        return undefined
      }
      case 'checkpoint-whole': {
        const isWhole = this.#open === entry.entries
        this.#open = undefined
        return isWhole ? undefined : 'a checkpoint has not as many entries as it says'
      }
      default:
        if (this.#open !== undefined) this.#open++
        return undefined
    }
  }
}
