/**
 * The transactor's outbox in the provider's journal: what it is about to send is synced before it is
 * sent, together with every other promise. Made before the journal is open, because the ledger is
 * opened first; until `attach` it lets nothing through.
 */
import type { Outbox, OutboxEntry } from '@holdfast/chain'
import type { Address } from '@holdfast/protocol'
import type { PromiseBook } from '../journal/promise-book.ts'

export class JournalOutbox implements Outbox {
  #attach: (book: PromiseBook) => void = () => undefined
  readonly #book = new Promise<PromiseBook>((resolve) => {
    this.#attach = resolve
  })

  /** From now on entries go into this journal. */
  attach(book: PromiseBook): void {
    this.#attach(book)
  }

  async load(account: Address): Promise<readonly OutboxEntry[]> {
    const book = await this.#book
    return [...book.promises.transactions(account).entries(account)]
  }

  async record(entries: readonly OutboxEntry[]): Promise<void> {
    const book = await this.#book
    await book.record(...entries)
  }
}
