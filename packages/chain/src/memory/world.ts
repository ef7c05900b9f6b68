/**
 * The state that the contracts would keep, and the money rules of the vault. One class per contract
 * is in the files beside; they share this state and see the same block time.
 */
import {
  type Address,
  type Amount,
  amount,
  type DealFaults,
  type DealId,
  type DealTerms,
  type Hash32,
  HoldfastError,
  type Period,
  type ProviderId,
  periodAt,
  type SlotIndex,
  type Timestamp,
  ZERO_ADDRESS,
} from '@holdfast/protocol'
import type {
  Dispute,
  LedgerEvent,
  NetworkParams,
  ProviderRecord,
  TreeSnapshot,
} from '../ledger.ts'
import { Journal, JournaledMap } from './journal.ts'

/** What the market keeps of a deal. */
export interface MarketRecord {
  readonly id: DealId
  readonly terms: DealTerms
  readonly slot: SlotIndex
  readonly start: Period
  /** By term, funding, notice or consent; a fault or the provider's end may come before it. */
  readonly ownEnd: Period
  /** Notice, resignation or consent: a top-up no longer moves the end. */
  readonly noticeGiven: boolean
  /** Signed, and what was added. */
  readonly deposit: Amount
  readonly settledThrough: Period
  readonly proven: bigint
  readonly faults: DealFaults
  readonly inTree: boolean
  readonly closed: boolean
}

/** A tree from a period on. */
export interface TreeRecord extends TreeSnapshot {
  readonly slotCount: bigint
  readonly inForceFrom: Period
}

/** The last period that was marked, taken back or not, as audits see it. */
export interface LastMark {
  readonly period: Period
  /** Shown on chain, or taken back: nothing of it is owed. */
  readonly audited: boolean
  /** An audit of it is owed whatever chance says. */
  readonly forced: boolean
}

export interface ProviderState {
  /** Oldest first; the last is the tree as it is now. The ring keeps 8 before it. */
  readonly trees: readonly TreeRecord[]
  /** Marked as proven, in increasing order. */
  readonly proven: readonly Period[]
  /** Written down as missed, in the order of writing. */
  readonly missed: readonly Period[]
  /** Roots of committed periods by their place in a ring of 8; undefined for direct mode. */
  readonly bundles: readonly (Hash32 | undefined)[]
  readonly last: LastMark | undefined
  /** The next commit owes an audit. */
  readonly forceNext: boolean
  readonly terminatedAt: Period | undefined
}

/** Trees kept before the newest one. */
export const RING = 8

export class World {
  readonly network: NetworkParams
  readonly minimumStake: Amount
  readonly journal: Journal = new Journal()
  readonly balances: JournaledMap<string, Amount> = new JournaledMap(this.journal)
  readonly tokens: JournaledMap<string, Amount> = new JournaledMap(this.journal)
  /** By token and provider: from settled deals, not yet moved into a free balance. */
  readonly earned: JournaledMap<string, Amount> = new JournaledMap(this.journal)
  readonly fees: JournaledMap<Address, Amount> = new JournaledMap(this.journal)
  readonly providers: JournaledMap<ProviderId, ProviderRecord> = new JournaledMap(this.journal)
  readonly operators: JournaledMap<Address, ProviderId> = new JournaledMap(this.journal)
  readonly deals: JournaledMap<DealId, MarketRecord> = new JournaledMap(this.journal)
  readonly states: JournaledMap<ProviderId, ProviderState> = new JournaledMap(this.journal)
  readonly seeds: JournaledMap<Period, Hash32> = new JournaledMap(this.journal)
  /** By `disputeIdOf`. */
  readonly disputes: JournaledMap<Hash32, Dispute> = new JournaledMap(this.journal)
  /** Deals that a lost dispute has shown to be lost and whose fault is not declared yet. */
  readonly shownLost: JournaledMap<DealId, true> = new JournaledMap(this.journal)
  /** Of the block that is being made, or of the newest one. */
  time: Timestamp
  #events: LedgerEvent[] = []

  constructor(network: NetworkParams, minimumStake: Amount) {
    this.network = network
    this.minimumStake = minimumStake
    this.time = network.genesis
  }

  get currentPeriod(): Period {
    return periodAt(this.network, this.time)
  }

  emit(event: LedgerEvent): void {
    this.#events.push(event)
  }

  /** Events since the last call. */
  takeEvents(): readonly LedgerEvent[] {
    const events = this.#events
    this.#events = []
    return events
  }
}

const key = (token: Address, owner: Address): string => `${token}/${owner}`

/** @throws HoldfastError `TERMS_INVALID` for a token that the vault does not list. */
export const checkToken = (world: World, token: Address): void => {
  if (world.network.tokens.some((known) => known.address === token)) return
  throw new HoldfastError({
    code: 'TERMS_INVALID',
    field: 'token',
    reason: `the vault does not take it (${token})`,
  })
}

/** False for a provider that named somebody else as beneficiary. */
const keepsEarnings = (world: World, owner: Address): boolean =>
  beneficiaryOf(world, owner) === owner

/** Who gets what a provider's deals earn. */
export const beneficiaryOf = (world: World, provider: ProviderId): Address =>
  world.providers.get(provider)?.beneficiary ?? provider

const freeOf = (world: World, token: Address, owner: Address): Amount =>
  world.balances.get(key(token, owner)) ?? amount(0n)

const earnedOf = (world: World, token: Address, owner: Address): Amount =>
  world.earned.get(key(token, owner)) ?? amount(0n)

export const balanceOf = (world: World, token: Address, owner: Address): Amount => {
  const earned = keepsEarnings(world, owner) ? earnedOf(world, token, owner) : 0n
  return amount(freeOf(world, token, owner) + earned)
}

export const tokenBalanceOf = (world: World, token: Address, owner: Address): Amount =>
  world.tokens.get(key(token, owner)) ?? amount(0n)

const lacking = (needed: Amount, available: Amount): HoldfastError =>
  new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed, available })

export const credit = (world: World, token: Address, owner: Address, value: Amount): void =>
  world.balances.set(key(token, owner), amount(freeOf(world, token, owner) + value))

/** Moves what a provider earned into a free balance. */
const collect = (world: World, token: Address, provider: ProviderId, to: Address): Amount => {
  const earned = earnedOf(world, token, provider)
  world.earned.set(key(token, provider), amount(0n))
  credit(world, token, to, earned)
  return earned
}

/** @throws HoldfastError `FUNDS_INSUFFICIENT`. */
export const debit = (world: World, token: Address, owner: Address, value: Amount): void => {
  if (value > freeOf(world, token, owner) && keepsEarnings(world, owner)) {
    collect(world, token, owner, owner)
  }
  const available = freeOf(world, token, owner)
  if (value > available) throw lacking(value, available)
  world.balances.set(key(token, owner), amount(available - value))
}

/** Credits a provider's earnings to its beneficiary. */
export const claim = (world: World, token: Address, provider: ProviderId): void => {
  checkToken(world, token)
  const beneficiary = beneficiaryOf(world, provider)
  const value = collect(world, token, provider, beneficiary)
  world.emit({ kind: 'claimed', token, provider, beneficiary, amount: value })
}

export const mintTokens = (world: World, token: Address, owner: Address, value: Amount): void =>
  world.tokens.set(key(token, owner), amount(tokenBalanceOf(world, token, owner) + value))

/** From the token's ledger into the vault. */
export const deposit = (world: World, token: Address, owner: Address, value: Amount): void => {
  checkToken(world, token)
  const available = tokenBalanceOf(world, token, owner)
  if (available < value) throw lacking(value, available)
  if (value === 0n) {
    throw new HoldfastError({ code: 'TX_REVERTED', error: 'VaultNothingReceived', args: [token] })
  }
  world.tokens.set(key(token, owner), amount(available - value))
  credit(world, token, owner, value)
  world.emit({ kind: 'deposited', owner, token, amount: value })
}

/** Back into the token's ledger. */
export const withdraw = (world: World, token: Address, owner: Address, value: Amount): void => {
  checkToken(world, token)
  debit(world, token, owner, value)
  mintTokens(world, token, owner, value)
  world.emit({ kind: 'withdrawn', owner, token, amount: value })
}

/** To the fee account. */
export const payFee = (world: World, token: Address, value: Amount): void =>
  world.fees.set(token, amount((world.fees.get(token) ?? 0n) + value))

/** Out of escrow, whose sum is not kept: it follows from the deals. What a provider earned waits. */
export const pay = (
  world: World,
  to: { readonly token: Address; readonly provider: ProviderId },
  value: { readonly toProvider: Amount; readonly fee: Amount },
): void => {
  const earned = earnedOf(world, to.token, to.provider)
  world.earned.set(key(to.token, to.provider), amount(earned + value.toProvider))
  payFee(world, to.token, value.fee)
}

/** The network's first token: stakes, bonds and slashes are in it. */
export const stakeToken = (world: World): Address =>
  world.network.tokens[0]?.address ?? ZERO_ADDRESS
