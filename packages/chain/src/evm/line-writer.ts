/**
 * Signs what belongs on an account's line and writes it down: a new intent, a dearer price, a
 * transaction that only spends a nonce. Sends nothing. One thing at a time: two that choose a nonce
 * side by side would choose the same.
 */
import {
  type Address,
  type Hex,
  HoldfastError,
  type Signer,
  type Timestamp,
} from '@holdfast/protocol'
import type { Attempt, Intent, Slot } from '../outbox/nonce-line.ts'
import type { IntentId } from '../outbox/outbox.ts'
import type { OutboxBook } from '../outbox/outbox-book.ts'
import type { Lane } from '../send-options.ts'
import type { Counts } from './counts.ts'
import { CANCEL_GAS } from './plan.ts'
import { dearer, type Market, type Offer, offerAt } from './prices.ts'
import { signTransaction } from './signing.ts'
import { Turns } from './turns.ts'

export interface IntentSpec {
  /** While one of this name is open no second one begins; undefined: never the same as another. */
  readonly name: string | undefined
  readonly lane: Lane
  readonly since: Timestamp
  readonly deadline: Timestamp | undefined
  readonly gasBudget: bigint | undefined
}

/** A call that was tried, with its gas limit. */
export interface PreparedCall {
  readonly to: Hex | undefined
  readonly data: Hex
  readonly gas: bigint
}

/** What the chain says while a nonce is chosen. */
export interface ChainTerms {
  readonly counts: Counts
  readonly market: Market
}

const isSameCall = (attempt: Attempt | undefined, { to, data }: PreparedCall): boolean =>
  attempt !== undefined && attempt.data === data && attempt.to === to?.toLowerCase()

const callIn = (slot: Slot): Attempt | undefined =>
  slot.attempts.findLast(({ cancels }) => !cancels)

export class LineWriter {
  readonly #chainId: bigint
  readonly #signer: Signer
  readonly #book: OutboxBook
  readonly #turns = new Turns()

  constructor(chainId: bigint, signer: Signer, book: OutboxBook) {
    this.#chainId = chainId
    this.#signer = signer
    this.#book = book
  }

  /** Runs when nothing else chooses a nonce or signs. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(work)
  }

  /**
   * Begins an intent, or joins the open one of its name; when that says something else by now, the
   * new call is signed for the same nonce.
   * @param isOpen called while the intent is open and before its nonce can be spent: whoever waits
   *   for it from then on misses nothing.
   */
  begin<T>(
    spec: IntentSpec,
    call: PreparedCall,
    terms: ChainTerms,
    isOpen: (intent: IntentId) => T,
  ): Promise<T> {
    return this.#turns.take(async () => {
      const { line } = this.#book
      const open = spec.name === undefined ? undefined : line.openNamed(spec.name)
      const slot = open === undefined ? undefined : line.slotOf(open.intent)
      if (open !== undefined && slot !== undefined) {
        const joined = isOpen(open.intent)
        if (!isSameCall(callIn(slot), call)) await this.#supersede(open, slot, call, terms.market)
        return joined
      }
      return isOpen(
        (await this.#revive(spec, call, terms)) ?? (await this.#start(spec, call, terms)),
      )
    })
  }

  /** Signs the call of an intent whose nonce was spent on something else for the next one. */
  async move(intent: Intent, call: PreparedCall, terms: ChainTerms): Promise<void> {
    const nonce = this.#book.line.nextNonce(terms.counts)
    const cap = capOf(intent, call.gas)
    const offer = this.#offerFor(nonce, terms.market, cap)
    await this.#sign(intent.intent, nonce, call, offer)
  }

  /** The same call at another price. */
  async replace(slot: Slot, offer: Offer): Promise<void> {
    const last = callIn(slot)
    if (last === undefined) return
    await this.#sign(last.intent, slot.nonce, last, offer)
  }

  /** Spends the nonce on nothing. */
  async cancel(slot: Slot, offer: Offer): Promise<void> {
    const last = slot.attempts.at(-1)
    if (last === undefined) return
    await this.#sign(last.intent, slot.nonce, this.#nothing(), offer, true)
  }

  /** The same for a nonce without anything. */
  async fill(nonce: number, offer: Offer, since: Timestamp): Promise<void> {
    const signed = await this.#signed(nonce, this.#nothing(), offer)
    const fresh = { lane: 'ledger', since, deadline: undefined, gasBudget: undefined } as const
    const intent = signed.hash
    await this.#book.record(
      { kind: 'tx-intended', intent, name: `fill nonce ${nonce}`, ...fresh },
      { kind: 'tx-signed', intent, nonce, ...signed, cancels: true },
    )
  }

  /** What a reorganisation took away is asked for again: the same bytes will do. */
  async #revive(
    spec: IntentSpec,
    call: PreparedCall,
    { counts }: ChainTerms,
  ): Promise<IntentId | undefined> {
    const { line } = this.#book
    if (spec.name === undefined) return undefined
    for (const slot of line.unspent) {
      const last = slot.attempts.at(-1)
      if (last === undefined || last.cancels || slot.nonce < counts.spent) continue
      const former = line.intent(last.intent)
      if (former?.state === 'open' || former?.name !== spec.name) continue
      if (!isSameCall(last, call)) continue
      await this.#book.record({ kind: 'tx-intended', intent: last.intent, ...named(spec, '') })
      return last.intent
    }
    return undefined
  }

  async #start(spec: IntentSpec, call: PreparedCall, terms: ChainTerms): Promise<IntentId> {
    const nonce = this.#book.line.nextNonce(terms.counts)
    const offer = this.#offerFor(nonce, terms.market, capOf(spec, call.gas))
    const signed = await this.#signed(nonce, call, offer)
    const intent = signed.hash
    await this.#book.record(
      { kind: 'tx-intended', intent, ...named(spec, `call ${intent}`) },
      { kind: 'tx-signed', intent, nonce, ...signed, cancels: false },
    )
    return intent
  }

  async #supersede(intent: Intent, slot: Slot, call: PreparedCall, market: Market): Promise<void> {
    const last = slot.attempts.at(-1)
    const cap = capOf(intent, call.gas)
    const wanted = offerAt(market, 0, cap)
    const offer = last === undefined ? wanted : dearer(last, wanted, market, cap)
    if (offer !== undefined) await this.#sign(intent.intent, slot.nonce, call, offer)
  }

  /** A nonce that was signed for before needs a dearer offer, in case those bytes are under way. */
  #offerFor(nonce: number, market: Market, cap: bigint | undefined): Offer {
    const last = this.#book.line.slot(nonce)?.attempts.at(-1)
    const wanted = offerAt(market, 0, cap)
    return last === undefined ? wanted : (dearer(last, wanted, market, cap) ?? wanted)
  }

  async #sign(
    intent: IntentId,
    nonce: number,
    call: PreparedCall,
    offer: Offer,
    cancels = false,
  ): Promise<void> {
    const signed = await this.#signed(nonce, call, offer)
    await this.#book.record({ kind: 'tx-signed', intent, nonce, ...signed, cancels })
  }

  #signed(nonce: number, { to, data, gas }: PreparedCall, offer: Offer) {
    const { maxFeePerGas, maxPriorityFeePerGas } = offer
    const fields = { to, data, gas, maxFeePerGas, maxPriorityFeePerGas }
    return signTransaction(this.#signer, { chainId: this.#chainId, nonce, ...fields })
  }

  #nothing(): PreparedCall & { readonly to: Address } {
    return { to: this.#signer.address, data: '0x', gas: CANCEL_GAS }
  }
}

const capOf = ({ gasBudget }: Pick<IntentSpec, 'gasBudget'>, gas: bigint): bigint | undefined => {
  if (gasBudget === undefined) return undefined
  if (gas === 0n) throw new HoldfastError({ code: 'INVARIANT', sentence: 'gas is not zero' })
  return gasBudget / gas
}

const named = (spec: IntentSpec, otherwise: string) => ({ ...spec, name: spec.name ?? otherwise })
