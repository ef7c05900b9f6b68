/**
 * What should be done now about every nonce that the chain has not spent, as a value: pure, from the
 * line, what the chain says, and the time. Done by `line-keeper.ts`.
 *
 * The rules. A transaction that is not attractive enough for its share of time is replaced by a
 * dearer one, within its budget. A proof never waits behind anything: what stands before it takes
 * over the proof's urgency, and when its own budget does not allow that, it is replaced by a
 * transaction that does nothing, which the proof's budget pays. What nobody waits for any more is
 * spent the same way once something waits behind it. A gap that no pool fills is filled.
 */
import type { Timestamp } from '@holdfast/protocol'
import type { Attempt, Intent, NonceLine, Slot } from '../outbox/nonce-line.ts'
import {
  dearer,
  isAttractive,
  isShort,
  type Market,
  type Offer,
  offerAt,
  replacementFor,
  urgencyAt,
} from './prices.ts'

/** What a transfer of nothing to oneself costs. */
export const CANCEL_GAS = 21_000n
/** Something without a deadline is as urgent as can be after this long, in seconds. */
const OPEN_ENDED_S = 1200n
/** Paid well and not mined for this many blocks: somebody should look. */
const STUCK_BLOCKS = 12n
/** The same before a proof: it has to go. */
const STUCK_BEFORE_PROOF_BLOCKS = 3n

export interface ChainLook {
  readonly blockNumber: bigint
  /** Time of that block. */
  readonly now: Timestamp
  readonly market: Market
  /** Nonces below are spent by mined transactions. */
  readonly spent: number
  /** Nonces below are spent or have a transaction in the endpoint's pool. */
  readonly pooled: number
  /** The block at which an attempt was signed, or first seen by this process. */
  readonly sinceBlock: (attempt: Attempt) => bigint
}

export type LineAction =
  /** Hand over again what was signed last. */
  | { readonly kind: 'rebroadcast'; readonly nonce: number }
  /** Sign the same call anew at a dearer price. */
  | { readonly kind: 'replace'; readonly nonce: number; readonly offer: Offer }
  /** Spend the nonce on nothing. */
  | { readonly kind: 'cancel'; readonly nonce: number; readonly offer: Offer }
  /** The same for a nonce that nothing was ever signed for. */
  | { readonly kind: 'fill'; readonly nonce: number; readonly offer: Offer }
  /** Its deadline is over. */
  | { readonly kind: 'expire'; readonly intent: Intent }
  /** The chain asks more than the budget allows; `needed` in wei. */
  | { readonly kind: 'short'; readonly intent: Intent; readonly needed: bigint }
  | { readonly kind: 'stuck'; readonly intent: Intent; readonly blocks: bigint }

/** What is offered for a nonce by the intent that waits for it, or for one that waits behind it. */
interface Bid {
  readonly intent: Intent
  readonly offer: Offer
  readonly cap: bigint | undefined
}

/** Who waits behind a nonce: the most urgent proof, and the nearest of anything. */
interface Behind {
  readonly proof: Bid | undefined
  readonly any: Bid | undefined
}

/** What to do now, lowest nonce first. */
export const planLine = (line: NonceLine, look: ChainLook): readonly LineAction[] => {
  const slots = line.unspent.filter(({ nonce }) => nonce >= look.spent)
  const plans: (readonly LineAction[])[] = []
  let behind: Behind = { proof: undefined, any: undefined }
  let above: number | undefined
  // From the last to the first, so that what stands before a proof knows of it.
  for (const [i, slot] of [...slots.entries()].reverse()) {
    if (above !== undefined) plans.push(gapPlan(slot.nonce + 1, above, behind, look))
    above = slot.nonce
    const intent = line.wantedIn(slot)
    const own = intent === undefined ? undefined : bidOf(intent, slot, i, look)
    if (own === undefined) plans.push(vacantPlan(slot, behind, look))
    else if (isOver(own.intent, look.now)) {
      plans.push([{ kind: 'expire', intent: own.intent }, ...vacantPlan(slot, behind, look)])
    } else {
      plans.push(waitingPlan(slot, own, behind.proof, look))
      const proof = own.intent.lane === 'proofs' ? dearest(behind.proof, own) : behind.proof
      behind = { proof, any: proof ?? own }
    }
  }
  if (above !== undefined) plans.push(gapPlan(look.spent, above, behind, look))
  return plans.reverse().flat()
}

const isOver = ({ deadline }: Intent, now: Timestamp): boolean =>
  deadline !== undefined && now >= deadline

const dearest = (a: Bid | undefined, b: Bid): Bid =>
  a !== undefined && a.offer.maxPriorityFeePerGas >= b.offer.maxPriorityFeePerGas ? a : b

/** The newest attempt that is the call itself. */
const lastCall = ({ attempts }: Slot): Attempt | undefined =>
  attempts.findLast(({ cancels }) => !cancels)

/** A proof keeps enough of its budget to clear the nonces before it. */
const bidOf = (intent: Intent, slot: Slot, before: number, look: ChainLook): Bid => {
  const { lane, gasBudget, since, deadline } = intent
  const clearing = lane === 'proofs' ? CANCEL_GAS * BigInt(before) : 0n
  const gas = (lastCall(slot)?.gas ?? CANCEL_GAS) + clearing
  const cap = gasBudget === undefined ? undefined : gasBudget / gas
  const urgency = urgencyAt({ since, deadline, now: look.now }, OPEN_ENDED_S)
  return { intent, cap, offer: offerAt(look.market, urgency, cap) }
}

/** What pools do not hold is handed over again. */
const handedOver = ({ nonce }: Slot): LineAction => ({ kind: 'rebroadcast', nonce })

const waitingPlan = (
  slot: Slot,
  own: Bid,
  proof: Bid | undefined,
  look: ChainLook,
): readonly LineAction[] => {
  const { nonce, attempts } = slot
  const last = attempts.at(-1)
  if (last === undefined) return []
  const { market } = look
  const wanted = proof === undefined ? own.offer : dearest(own, proof).offer
  const waited = look.blockNumber - look.sinceBlock(last)
  const blocked = isAttractive(last, market) && waited >= STUCK_BEFORE_PROOF_BLOCKS
  if (last.cancels || (proof !== undefined && blocked)) {
    // Offered by whoever pays: what another would offer may use up the payer's room.
    const { offer, cap } = proof ?? { ...own, cap: cancelCap(own) }
    return [...cancelPlan(slot, offer, cap, look), ...alarms(own, waited, last, look)]
  }
  const offer = replacementFor(last, wanted, market, own.cap)
  // One that the next block passes over gains nothing, and uses up room for the one that will count.
  if (offer !== undefined && isAttractive(offer, market)) {
    return [{ kind: 'replace', nonce, offer }, ...alarms(own, waited, last, look)]
  }
  if (proof !== undefined && replacementFor(last, wanted, market, undefined) !== undefined) {
    // Its own budget does not carry it out of the way: the proof's does.
    return [...cancelPlan(slot, proof.offer, proof.cap, look), ...alarms(own, waited, last, look)]
  }
  return [handedOver(slot), ...alarms(own, waited, last, look)]
}

const cancelCap = ({ intent }: Bid): bigint | undefined =>
  intent.gasBudget === undefined ? undefined : intent.gasBudget / CANCEL_GAS

/** A cancelling transaction, or a dearer one, or the last one again. */
const cancelPlan = (
  slot: Slot,
  wanted: Offer,
  cap: bigint | undefined,
  { market }: ChainLook,
): readonly LineAction[] => {
  const last = slot.attempts.at(-1)
  if (last === undefined) return []
  const offer = last.cancels
    ? replacementFor(last, wanted, market, cap)
    : dearer(last, wanted, market, cap)
  return offer === undefined ? [handedOver(slot)] : [{ kind: 'cancel', nonce: slot.nonce, offer }]
}

/** Nobody waits for this nonce: it is spent when somebody waits behind, or a pool holds it still. */
const vacantPlan = (slot: Slot, behind: Behind, look: ChainLook): readonly LineAction[] => {
  const bid = behind.proof ?? behind.any
  if (bid !== undefined) return cancelPlan(slot, bid.offer, bid.cap, look)
  if (look.pooled <= slot.nonce) return []
  return cancelPlan(slot, offerAt(look.market, 0, undefined), undefined, look)
}

/** Nonces from <= n < to that nothing is known of, neither here nor in a pool. */
const gapPlan = (
  from: number,
  to: number,
  behind: Behind,
  look: ChainLook,
): readonly LineAction[] => {
  const bid = behind.proof ?? behind.any
  if (bid === undefined) return []
  const actions: LineAction[] = []
  for (let nonce = Math.max(from, look.spent, look.pooled); nonce < to; nonce++) {
    actions.push({ kind: 'fill', nonce, offer: bid.offer })
  }
  return actions
}

const alarms = (
  { intent, cap }: Bid,
  waited: bigint,
  last: Attempt,
  { market }: ChainLook,
): readonly LineAction[] => {
  const found: LineAction[] = []
  if (isShort(market, cap)) {
    found.push({ kind: 'short', intent, needed: (market.base + market.tip) * last.gas })
  }
  if (isAttractive(last, market) && waited >= STUCK_BLOCKS) {
    found.push({ kind: 'stuck', intent, blocks: waited })
  }
  return found
}
