/**
 * An account's outbox and what it adds up to, kept in step: entries are durable before they count.
 * The only way a line of nonces changes.
 */
import type { Address } from '@holdfast/protocol'
import { NonceLine } from './nonce-line.ts'
import type { Outbox, OutboxEntry } from './outbox.ts'

type Unaddressed<E> = E extends OutboxEntry ? Omit<E, 'account'> : never

/** An entry without the account, which is the book's. */
export type BookEntry = Unaddressed<OutboxEntry>

export class OutboxBook {
  readonly line: NonceLine
  readonly account: Address
  readonly #outbox: Outbox

  private constructor(outbox: Outbox, account: Address, line: NonceLine) {
    this.#outbox = outbox
    this.account = account
    this.line = line
  }

  /** Reads what was written before; what nothing was signed for is nobody's any more. */
  static async open(outbox: Outbox, account: Address): Promise<OutboxBook> {
    const line = NonceLine.of(await outbox.load(account))
    const book = new OutboxBook(outbox, account, line)
    const lost = line.openIntents.filter(({ intent }) => line.slotOf(intent) === undefined)
    const reason = 'its nonce was spent on something else, and the program ended'
    await book.record(
      ...lost.map(({ intent }) => ({ kind: 'tx-abandoned', intent, reason }) as const),
    )
    return book
  }

  /** @throws HoldfastError `DISK_FULL`, `STORE_READ_ONLY`; then nothing may be sent. */
  async record(...entries: readonly BookEntry[]): Promise<void> {
    if (entries.length === 0) return
    const whole = entries.map((entry): OutboxEntry => ({ ...entry, account: this.account }))
    await this.#outbox.record(whole)
    for (const entry of whole) this.line.apply(entry)
  }
}
