/**
 * What the entries of one account add up to: its nonces in order, what was signed for each, and what
 * became of it. A fold and nothing more; who wants to change it records the entry first.
 *
 * Invariants: an intent is open from `tx-intended` until a nonce of it settles with its own call, or
 * it is abandoned; an open intent has one nonce at a time: it gets another one only after the chain
 * spent the first on something else.
 */
import {
  type Address,
  address,
  type Hash32,
  type Hex,
  HoldfastError,
  type Timestamp,
} from '@holdfast/protocol'
import { parseTransaction } from 'viem'
import type { Lane } from '../send-options.ts'
import type { IntentId, OutboxEntry, Outcome } from './outbox.ts'

/** What a signed transaction says. */
export interface SignedCall {
  readonly to: Address | undefined
  readonly data: Hex
  readonly gas: bigint
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

export interface Attempt extends SignedCall {
  readonly intent: IntentId
  readonly hash: Hash32
  readonly raw: Hex
  /** It only spends the nonce. */
  readonly cancels: boolean
}

export interface Intent {
  readonly intent: IntentId
  readonly name: string
  readonly lane: Lane
  readonly since: Timestamp
  readonly deadline: Timestamp | undefined
  readonly gasBudget: bigint | undefined
  readonly state: 'open' | 'abandoned' | 'ended'
}

export interface Settled {
  readonly outcome: Outcome
  /** Undefined when it is not one of ours. */
  readonly hash: Hash32 | undefined
  readonly blockNumber: bigint
  readonly blockHash: Hash32
}

export interface Slot {
  readonly nonce: number
  /** Oldest first, never empty. */
  readonly attempts: readonly Attempt[]
  readonly settled: Settled | undefined
}

export class NonceLine {
  readonly #slots = new Map<number, Slot>()
  readonly #intents = new Map<IntentId, Intent>()
  #highest: number | undefined

  static of(entries: Iterable<OutboxEntry>): NonceLine {
    const line = new NonceLine()
    for (const entry of entries) line.apply(entry)
    return line
  }

  /** By nonce. */
  get slots(): readonly Slot[] {
    return [...this.#slots.values()].sort((a, b) => a.nonce - b.nonce)
  }

  /** Nonces that the chain has not spent, by nonce. */
  get unspent(): readonly Slot[] {
    return this.slots.filter(({ settled }) => settled === undefined)
  }

  /** The highest nonce that this line ever signed for, forgotten ones included. */
  get highest(): number | undefined {
    return this.#highest
  }

  slot(nonce: number): Slot | undefined {
    return this.#slots.get(nonce)
  }

  intent(id: IntentId): Intent | undefined {
    return this.#intents.get(id)
  }

  get openIntents(): readonly Intent[] {
    return [...this.#intents.values()].filter(({ state }) => state === 'open')
  }

  /** The unspent nonce that an open intent waits for. */
  slotOf(id: IntentId): Slot | undefined {
    return this.unspent.find((slot) => this.#latestOf(slot)?.intent === id)
  }

  /** The open intent that waits for this nonce; undefined when nobody does. */
  wantedIn(slot: Slot): Intent | undefined {
    const intent = this.#latestOf(slot)
    return intent?.state === 'open' ? intent : undefined
  }

  openNamed(name: string): Intent | undefined {
    return this.openIntents.find((intent) => intent.name === name)
  }

  /** The lowest nonce from `counted` on that nothing of ours waits for and no pool holds. */
  nextNonce(counted: { readonly spent: number; readonly pooled: number }): number {
    for (let nonce = counted.spent; ; nonce++) {
      const slot = this.#slots.get(nonce)
      if (slot === undefined ? nonce >= counted.pooled : this.#isVacant(slot)) return nonce
    }
  }

  apply(entry: OutboxEntry): void {
    if ('nonce' in entry) this.#highest = Math.max(this.#highest ?? 0, entry.nonce)
    switch (entry.kind) {
      case 'tx-intended': {
        const { kind, account, ...intent } = entry
        this.#intents.set(entry.intent, { ...intent, state: 'open' })
        break
      }
      case 'tx-signed':
        this.#sign(entry)
        break
      case 'tx-abandoned':
        this.#changeIntent(entry.intent, 'abandoned')
        break
      case 'tx-settled':
        this.#settle(entry)
        break
      case 'tx-reopened':
        this.#reopen(entry)
        break
      case 'tx-forgotten':
        this.#forget(entry.nonce)
        break
    }
  }

  /** The entries that rebuild this state. */
  *entries(account: Address): Iterable<OutboxEntry> {
    const highest = this.#highest
    if (highest !== undefined && !this.#slots.has(highest)) {
      yield { kind: 'tx-forgotten', account, nonce: highest }
    }
    for (const { state, ...intent } of this.#intents.values()) {
      yield { kind: 'tx-intended', account, ...intent }
    }
    for (const { nonce, attempts, settled } of this.slots) {
      for (const { intent, hash, raw, cancels } of attempts) {
        yield { kind: 'tx-signed', account, intent, nonce, hash, raw, cancels }
      }
      if (settled !== undefined) yield { kind: 'tx-settled', account, nonce, ...settled }
    }
    for (const { intent, state } of this.#intents.values()) {
      if (state === 'abandoned') yield { kind: 'tx-abandoned', account, intent, reason: 'given up' }
    }
  }

  #latestOf({ attempts }: Slot): Intent | undefined {
    const last = attempts.at(-1)
    return last === undefined ? undefined : this.#intents.get(last.intent)
  }

  #isVacant(slot: Slot): boolean {
    return slot.settled === undefined && this.wantedIn(slot) === undefined
  }

  #sign(entry: Extract<OutboxEntry, { kind: 'tx-signed' }>): void {
    const { intent, nonce, hash, raw, cancels } = entry
    const attempt = { intent, hash, raw, cancels, ...signedCall(raw) }
    const known = this.#slots.get(nonce)
    if (known?.attempts.some((other) => other.hash === hash) === true) return
    const attempts = [...(known?.attempts ?? []), attempt]
    this.#slots.set(nonce, { nonce, attempts, settled: undefined })
  }

  #settle(entry: Extract<OutboxEntry, { kind: 'tx-settled' }>): void {
    const slot = this.#slots.get(entry.nonce)
    if (slot === undefined) return
    const { outcome, hash, blockNumber, blockHash } = entry
    this.#slots.set(entry.nonce, { ...slot, settled: { outcome, hash, blockNumber, blockHash } })
    const done = slot.attempts.find((attempt) => attempt.hash === hash)
    if (done === undefined) return
    const hasCall = slot.attempts.some((other) => other.intent === done.intent && !other.cancels)
    // What only fills a gap has no call; what was cancelled still wants its own.
    if (!done.cancels || !hasCall) this.#changeIntent(done.intent, 'ended')
  }

  /** What was done is undone: it waits again in a pool, or whoever still wants it asks again. */
  #reopen({ nonce, pooled }: Extract<OutboxEntry, { kind: 'tx-reopened' }>): void {
    const slot = this.#slots.get(nonce)
    if (slot?.settled === undefined) return
    const { hash } = slot.settled
    this.#slots.set(nonce, { ...slot, settled: undefined })
    const undone = slot.attempts.find((attempt) => attempt.hash === hash)
    if (undone === undefined || undone.cancels) return
    this.#changeIntent(undone.intent, pooled ? 'open' : 'abandoned')
  }

  #forget(nonce: number): void {
    this.#slots.delete(nonce)
    const alive = new Set(
      [...this.#slots.values()].flatMap(({ attempts }) => attempts.map(({ intent }) => intent)),
    )
    for (const id of this.#intents.keys()) if (!alive.has(id)) this.#intents.delete(id)
  }

  #changeIntent(id: IntentId, state: Intent['state']): void {
    const intent = this.#intents.get(id)
    if (intent !== undefined) this.#intents.set(id, { ...intent, state })
  }
}

const signedCall = (raw: Hex): SignedCall => {
  const parsed = parseTransaction(raw)
  if (parsed.type !== 'eip1559') {
    throw new HoldfastError({ code: 'INVARIANT', sentence: 'the outbox holds EIP-1559 only' })
  }
  const { to, data = '0x', gas = 0n, maxFeePerGas = 0n, maxPriorityFeePerGas = 0n } = parsed
  const target = to === undefined || to === null ? undefined : address(to)
  return { to: target, data, gas, maxFeePerGas, maxPriorityFeePerGas }
}
