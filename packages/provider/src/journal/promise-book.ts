/**
 * The journal and what it adds up to, kept in step: `record` makes entries durable, then applies
 * them. The one way anything of this program promises something.
 */
import { type Bytes, bytes, type Logger, type Timestamp } from '@holdfast/protocol'
import { nextCall } from '../wake.ts'
import type { Entry } from './entries.ts'
import { FileJournal } from './file-journal.ts'
import type { JournalFiles } from './journal-files.ts'
import { Promises } from './promises.ts'

/** A journal longer than this is rewritten when it opens. */
const REWRITE_BYTES = bytes(4 * 2 ** 20)

export interface PromiseBookOptions {
  readonly rewriteBytes?: Bytes
  /** Default: the file system. */
  readonly files?: JournalFiles | undefined
}

export class PromiseBook {
  readonly promises: Promises
  readonly #journal: FileJournal
  readonly #listeners = new Set<() => void>()

  private constructor(journal: FileJournal, promises: Promises) {
    this.#journal = journal
    this.promises = promises
  }

  /** @throws HoldfastError `STORE_CORRUPT` when the journal is damaged. */
  static async open(
    directory: string,
    now: Timestamp,
    logger: Logger,
    { rewriteBytes = REWRITE_BYTES, files }: PromiseBookOptions = {},
  ): Promise<PromiseBook> {
    const { journal, entries, tornBytes } = await FileJournal.open(directory, files)
    if (tornBytes > 0n) {
      logger.warn('unfinished journal entries set aside', { size_bytes: tornBytes })
    }
    const promises = Promises.of(entries)
    if (BigInt(journal.size) > rewriteBytes) {
      await journal.rewrite([{ kind: 'started', at: now }, ...promises.entriesToKeep(now)])
    } else await journal.append([{ kind: 'started', at: now }])
    return new PromiseBook(journal, promises)
  }

  /** Bytes of the journal. */
  get size(): number {
    return this.#journal.size
  }

  /** @throws HoldfastError `DISK_FULL`, `STORE_READ_ONLY`; then nothing was promised. */
  async record(...entries: readonly Entry[]): Promise<void> {
    await this.#journal.append(entries)
    for (const entry of entries) this.promises.apply(entry)
    for (const wake of [...this.#listeners]) wake()
  }

  /** Resolves after the next record, or when the signal fires. */
  nextRecord(signal: AbortSignal): Promise<void> {
    return nextCall(this.#listeners, signal)
  }

  close(): Promise<void> {
    return this.#journal.close()
  }
}
