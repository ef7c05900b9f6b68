/**
 * Which receipts and deals are over, and how long they are remembered nevertheless. Both end when their
 * payload is removed, which happens only when nobody has had a claim on it for the whole trash time;
 * what is promised about the same bytes afterwards is something else.
 */
import type { DealId, Root, Timestamp } from '@holdfast/protocol'
import type { DealPromise, SessionPromise } from './promised.ts'

export class OverPromises {
  /** Sessions with a receipt, and deals, by payload. */
  readonly #alive = new Map<Root, Set<string>>()
  readonly #over = new Set<string>()

  addReceipt(root: Root, session: string): void {
    this.#add(root, session)
  }

  addDeal(root: Root, deal: DealId): void {
    this.#add(root, deal)
  }

  /** A payload was removed: what was promised about it is over. */
  remove(root: Root): void {
    for (const one of this.#alive.get(root) ?? []) this.#over.add(one)
    this.#alive.delete(root)
  }

  has(one: string | DealId): boolean {
    return this.#over.has(one)
  }

  /** It is forgotten altogether. */
  delete(one: string | DealId): void {
    this.#over.delete(one)
  }

  /**
   * A nonce must be remembered until its voucher expires, and what counts against a grant until that
   * does; an open session, and a receipt whose payload is there, longer.
   */
  keeps({ session, request, end }: SessionPromise, now: Timestamp): boolean {
    const { voucher, grant } = request
    if (end !== undefined) return voucher.expiry >= now
    if (!this.#over.has(session)) return true
    return voucher.expiry >= now || (grant !== undefined && grant.grant.expiry >= now)
  }

  /** A deal that is over need not be known when it can neither be opened nor proposed again. */
  keepsDeal({ deal, proposal, refused, transaction }: DealPromise, now: Timestamp): boolean {
    if (!this.#over.has(deal)) return true
    if (refused === undefined && transaction === undefined) return true
    return proposal.terms.openBefore >= now
  }

  #add(root: Root, one: string): void {
    this.#over.delete(one)
    const known = this.#alive.get(root) ?? new Set<string>()
    this.#alive.set(root, known.add(one))
  }
}
