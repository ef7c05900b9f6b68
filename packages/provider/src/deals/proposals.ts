/**
 * Accepting deals. A proposal is checked against our own offer, the payload we hold and the money on
 * the ledger; then it is promised in the journal, and from there on it is a duty like any other. The
 * caller only waits for the outcome: no handler sends a transaction.
 *
 * Invariants: nothing is signed for the client before the acceptance is in the journal; proposing
 * the same terms again returns the same signature and never opens a second deal.
 */
import type { LedgerReader } from '@holdfast/chain'
import {
  type Address,
  type CallOptions,
  type Clock,
  checkSigner,
  costOf,
  type DealId,
  type DealTerms,
  dealIdOf,
  type Hash32,
  HoldfastError,
  type ProposeDealRequest,
  type ProposeDealResponse,
  type Signature,
  type Signer,
  smaller,
  type Timestamp,
  timestamp,
  ZERO_HASH,
} from '@holdfast/protocol'
import type { ChainState } from '../follow/chain-state.ts'
import type { Holdings } from '../holdings.ts'
import type { PromiseBook } from '../journal/promise-book.ts'
import type { DealPromise } from '../journal/promises.ts'
import { checkOffered, type QuotePolicy } from './quotes.ts'

export interface ProposalDependencies {
  readonly ledger: Pick<LedgerReader, 'agreedBalance'>
  readonly state: () => ChainState
  readonly holdings: Holdings
  readonly book: PromiseBook
  readonly operator: Signer
  readonly clock: Clock
  /** Called with a client whose signature was checked; throws to refuse. */
  readonly admit: (client: Address) => void
  /** Rejects while the ledger opens no deals with this provider, or the journal has no room for them. */
  readonly checkOpen: () => Promise<void>
  /** Rejects while the operator's account is kept for proofs. */
  readonly checkGas: () => Promise<void>
  /** Called after an acceptance is written down. */
  readonly onAccepted: () => void
  /** True while the opening transaction is under way and its hash not yet written down. */
  readonly isOpening: (deal: DealId) => boolean
  /** Resolves when an outcome may have come, or when the signal fires. */
  readonly nextChange: (signal: AbortSignal) => Promise<void>
}

/** A deal must be openable for at least this long after it is accepted, in seconds. */
const OPEN_MARGIN = 5n

export class Proposals {
  readonly #dependencies: ProposalDependencies
  readonly #policy: () => QuotePolicy
  readonly #accepting = new Map<DealId, Promise<void>>()

  constructor(dependencies: ProposalDependencies, policy: () => QuotePolicy) {
    this.#dependencies = dependencies
    this.#policy = policy
  }

  /**
   * Accepts a deal and waits until it is open.
   * @throws HoldfastError `TERMS_INVALID`, `QUOTE_EXPIRED`, `SIGNATURE_INVALID`,
   * `FUNDS_INSUFFICIENT`, `PROVIDER_STATE`, `DISK_FULL`, `PAYLOAD_NOT_FOUND`, `PAYLOAD_CORRUPT`, `DEAL_STATE`
   * when the ledger refuses it, `ABORTED`.
   */
  async propose(
    request: ProposeDealRequest,
    options: CallOptions = {},
  ): Promise<ProposeDealResponse> {
    const { book, onAccepted } = this.#dependencies
    const deal = dealIdOf(request.terms, this.#policy().domain)
    if (!book.promises.deals.has(deal)) {
      const running = this.#accepting.get(deal) ?? this.#accept(deal, request)
      this.#accepting.set(deal, running)
      await running.finally(() => this.#accepting.delete(deal))
    }
    onAccepted()
    return this.#outcome(deal, options)
  }

  async #accept(deal: DealId, request: ProposeDealRequest): Promise<void> {
    const { operator, book } = this.#dependencies
    const { terms, clientSignature } = request
    checkOffered(request, this.#policy(), this.#now())
    checkSigner({ digest: digestOf(deal), signature: clientSignature, expected: terms.client })
    this.#dependencies.admit(terms.client)
    await this.#dependencies.checkOpen()
    this.#checkTerms(terms)
    this.#checkHeld(terms)
    await this.#dependencies.checkGas()
    await this.#checkFunds(terms)
    const providerSignature: Signature = await operator.sign(digestOf(deal))
    await book.record({ kind: 'deal-accepted', deal, proposal: request, providerSignature })
  }

  /** Waits until the acceptance became a deal, or was refused. */
  async #outcome(deal: DealId, { signal }: CallOptions): Promise<ProposeDealResponse> {
    const { book, state, isOpening, nextChange } = this.#dependencies
    const ended = signal ?? new AbortController().signal
    for (;;) {
      const promise = book.promises.deals.get(deal)
      if (promise === undefined) throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal })
      const open = state().deal(deal) !== undefined && !isOpening(deal)
      const transaction = transactionOf(promise, open)
      const { providerSignature } = promise
      if (transaction !== undefined) return { deal, providerSignature, transaction }
      if (promise.refused !== undefined) {
        throw new HoldfastError({ code: 'DEAL_STATE', deal, reason: promise.refused })
      }
      if (ended.aborted) throw new HoldfastError({ code: 'ABORTED' })
      await nextChange(ended)
    }
  }

  #checkTerms(terms: DealTerms): void {
    const refuse = (field: string, reason: string): never => {
      throw new HoldfastError({ code: 'TERMS_INVALID', field, reason })
    }
    if (terms.scheme !== 1) refuse('scheme', 'only sha256-1k is taken')
    if (BigInt(terms.takedown) !== 0n) refuse('takedown', 'no takedown signers are accepted')
    if (terms.openBefore < this.#now() + OPEN_MARGIN) {
      refuse('openBefore', `is ${terms.openBefore}; it is ${this.#now()} already`)
    }
    const { rate, periods, notice, deposit } = terms
    const least = smaller(periods, notice)
    const needed = costOf({ rate, period: this.#policy().period, periods: least })
    if (deposit < needed) refuse('deposit', `is ${deposit}; ${least} periods cost ${needed}`)
  }

  #checkHeld(terms: DealTerms): void {
    const { holdings } = this.#dependencies
    if (holdings.holds(terms)) return
    const damage = holdings.damageOf(terms.root)
    if (damage === undefined) {
      throw new HoldfastError({ code: 'PAYLOAD_NOT_FOUND', root: terms.root })
    }
    throw new HoldfastError({ code: 'PAYLOAD_CORRUPT', ...damage })
  }

  async #checkFunds(terms: DealTerms): Promise<void> {
    const { ledger } = this.#dependencies
    const available = await ledger.agreedBalance(terms.client, terms.token)
    if (available < terms.deposit) {
      throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed: terms.deposit, available })
    }
    const own = await ledger.agreedBalance(terms.provider, terms.token)
    if (own >= terms.collateral) return
    const reason = `its free balance is ${own}, this deal's collateral ${terms.collateral}`
    throw new HoldfastError({ code: 'PROVIDER_STATE', provider: terms.provider, reason })
  }

  #now(): Timestamp {
    return timestamp(Math.floor(this.#dependencies.clock.now() / 1000))
  }
}

/** A deal's id is the digest that both parties sign. */
const digestOf = (deal: DealId): Hash32 => deal as string as Hash32

/** Zero when the deal is open by a transaction nobody remembers: a crash came between. */
const transactionOf = (promise: DealPromise, open: boolean): Hash32 | undefined =>
  promise.transaction ?? (open ? ZERO_HASH : undefined)
