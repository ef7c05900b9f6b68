/**
 * The journal and what it adds up to, kept in step: `record` makes entries durable, then applies
 * them. The one way anything of this program promises something.
 */
import { type Bytes, bytes, HoldfastError, type Logger, type Timestamp } from '@holdfast/protocol'
import { nextCall } from '../wake.ts'
import type { Entry } from './entries.ts'
import { FileJournal } from './file-journal.ts'
import type { JournalFiles } from './journal-files.ts'
import type { JournalRoom } from './journal-reserve.ts'
import { Promises } from './promises.ts'

/** A journal longer than this, and twice as long as after the last time, is written anew. */
const REWRITE_BYTES = bytes(4 * 2 ** 20)

export interface PromiseBookOptions {
  readonly rewriteBytes?: Bytes
  /** Default: the file system. */
  readonly files?: JournalFiles | undefined
  /** What is kept free for the journal. Default: 1 MiB. */
  readonly reserveBytes?: Bytes | undefined
}

export class PromiseBook {
  readonly promises: Promises
  readonly #journal: FileJournal
  readonly #leastBytes: Bytes
  readonly #listeners = new Set<() => void>()
  /** Entries that are on their way into the journal and not applied yet. */
  readonly #recording = new Set<Promise<void>>()
  /** While it is written anew nothing else is recorded. */
  #compacting: Promise<void> | undefined
  #compactAbove: Bytes

  private constructor(journal: FileJournal, promises: Promises, leastBytes: Bytes) {
    this.#journal = journal
    this.promises = promises
    this.#leastBytes = leastBytes
    this.#compactAbove = leastBytes
  }

  /** @throws HoldfastError `STORE_CORRUPT` when the journal is damaged. */
  static async open(
    directory: string,
    now: Timestamp,
    logger: Logger,
    { rewriteBytes = REWRITE_BYTES, files, reserveBytes }: PromiseBookOptions = {},
  ): Promise<PromiseBook> {
    const promises = new Promises()
    const each = (entry: Entry): void => promises.apply(entry)
    const { journal, tornBytes } = await FileJournal.open(directory, each, {
      files,
      reserveBytes,
    })
    if (tornBytes > 0n) {
      logger.warn('unfinished journal entries set aside', { size_bytes: tornBytes })
    }
    const book = new PromiseBook(journal, promises, rewriteBytes)
    const unlessFull = (what: string) => (error: unknown) => {
      if (!HoldfastError.is(error, 'DISK_FULL')) throw error
      logger.warn(what, { size_bytes: book.size })
    }
    try {
      await book.compact(now).catch(unlessFull('no room to write the journal anew'))
      // On a full disk a node that proves what it can is better than none.
      await book
        .record({ kind: 'started', at: now })
        .catch(unlessFull('no room to write down that the program started'))
    } catch (error) {
      await journal.close()
      throw error
    }
    return book
  }

  /** Bytes of the journal. */
  get size(): number {
    return this.#journal.size
  }

  /** Whether the disk under the journal has room. */
  get room(): JournalRoom {
    return this.#journal.room
  }

  /**
   * To be asked before something new is promised to anybody, or taken from them: without room the
   * journal keeps what it has for proofs.
   * @throws HoldfastError `DISK_FULL`.
   */
  checkRoom(): void {
    const { state, reserve: needed } = this.room
    if (state === 'ok') return
    throw new HoldfastError({ code: 'DISK_FULL', needed, available: 0n })
  }

  /** Looks whether there is room again. @returns whether there is. @throws HoldfastError `STORE_READ_ONLY`. */
  makeRoom(): Promise<boolean> {
    return this.#journal.makeRoom()
  }

  /** @throws HoldfastError `DISK_FULL`, `STORE_READ_ONLY`; then nothing was promised. */
  async record(...entries: readonly Entry[]): Promise<void> {
    while (this.#compacting !== undefined) await this.#compacting
    const recorded = this.#journal.append(entries).then(() => {
      for (const entry of entries) this.promises.apply(entry)
    })
    const settled = recorded.catch(() => undefined)
    this.#recording.add(settled)
    await recorded.finally(() => this.#recording.delete(settled))
    for (const wake of [...this.#listeners]) wake()
  }

  /**
   * Writes the journal anew when it has grown enough, without what nobody can ask for any more.
   * @returns whether it did.
   * @throws HoldfastError `DISK_FULL` (then the journal goes on as it is), `STORE_READ_ONLY`.
   */
  async compact(now: Timestamp): Promise<boolean> {
    if (this.#compacting !== undefined || BigInt(this.size) <= this.#compactAbove) return false
    const compacting = this.#compact(now)
    this.#compacting = compacting
      .catch(() => undefined)
      .finally(() => {
        this.#compacting = undefined
      })
    await compacting
    return true
  }

  async #compact(now: Timestamp): Promise<void> {
    await Promise.all(this.#recording)
    this.promises.forget(now)
    await this.#journal.rewrite(this.promises.entriesToKeep(now))
    const twice = bytes(2 * this.size)
    this.#compactAbove = this.#leastBytes
    if (twice > this.#compactAbove) this.#compactAbove = twice
  }

  /** Resolves after the next record, or when the signal fires. */
  nextRecord(signal: AbortSignal): Promise<void> {
    return nextCall(this.#listeners, signal)
  }

  async close(): Promise<void> {
    await this.#compacting
    await this.#journal.close()
  }
}
