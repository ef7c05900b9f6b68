/**
 * The state that the contracts would keep, and the money rules of the vault. One class per contract
 * is in the files beside; they share this state and see the same block time.
 */
import {
  type Address,
  type Amount,
  amount,
  type DealId,
  type DealTerms,
  type Hash32,
  HoldfastError,
  type Period,
  type ProviderId,
  periodAt,
  type SlotIndex,
  type Timestamp,
} from '@holdfast/protocol'
import type { LedgerEvent, NetworkParams, ProviderRecord, TreeSnapshot } from '../ledger.ts'
import { Journal, JournaledMap } from './journal.ts'

/** What the market keeps of a deal. */
export interface MarketRecord {
  readonly id: DealId
  readonly terms: DealTerms
  readonly slot: SlotIndex
  readonly start: Period
  readonly end: Period
  /** Paid periods are before it: the end, or the first faulted period. */
  readonly payEnd: Period
  readonly settledThrough: Period
  readonly proven: bigint
  readonly faulted: boolean
  readonly inTree: boolean
  readonly closed: boolean
}

/** A tree from a period on. */
export interface TreeRecord extends TreeSnapshot {
  readonly slotCount: bigint
  readonly inForceFrom: Period
}

export interface ProviderState {
  /** Oldest first; the last is the tree as it is now. The ring keeps 8 before it. */
  readonly trees: readonly TreeRecord[]
  /** In increasing order. */
  readonly proven: readonly Period[]
}

/** Trees kept before the newest one. */
export const RING = 8

export class World {
  readonly network: NetworkParams
  readonly minimumStake: Amount
  readonly journal: Journal = new Journal()
  readonly balances: JournaledMap<string, Amount> = new JournaledMap(this.journal)
  readonly tokens: JournaledMap<string, Amount> = new JournaledMap(this.journal)
  readonly fees: JournaledMap<Address, Amount> = new JournaledMap(this.journal)
  readonly providers: JournaledMap<ProviderId, ProviderRecord> = new JournaledMap(this.journal)
  readonly operators: JournaledMap<Address, ProviderId> = new JournaledMap(this.journal)
  readonly deals: JournaledMap<DealId, MarketRecord> = new JournaledMap(this.journal)
  readonly states: JournaledMap<ProviderId, ProviderState> = new JournaledMap(this.journal)
  readonly seeds: JournaledMap<Period, Hash32> = new JournaledMap(this.journal)
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

export const balanceOf = (world: World, token: Address, owner: Address): Amount =>
  world.balances.get(key(token, owner)) ?? amount(0n)

export const tokenBalanceOf = (world: World, token: Address, owner: Address): Amount =>
  world.tokens.get(key(token, owner)) ?? amount(0n)

const lacking = (needed: Amount, available: Amount): HoldfastError =>
  new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed, available })

export const credit = (world: World, token: Address, owner: Address, value: Amount): void =>
  world.balances.set(key(token, owner), amount(balanceOf(world, token, owner) + value))

/** @throws HoldfastError `FUNDS_INSUFFICIENT`. */
export const debit = (world: World, token: Address, owner: Address, value: Amount): void => {
  const available = balanceOf(world, token, owner)
  if (value > available) throw lacking(value, available)
  world.balances.set(key(token, owner), amount(available - value))
}

export const mintTokens = (world: World, token: Address, owner: Address, value: Amount): void =>
  world.tokens.set(key(token, owner), amount(tokenBalanceOf(world, token, owner) + value))

/** From the token's ledger into the vault. */
export const deposit = (world: World, token: Address, owner: Address, value: Amount): void => {
  const available = tokenBalanceOf(world, token, owner)
  if (available < value) throw lacking(value, available)
  checkToken(world, token)
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

/** Out of escrow, whose sum is not kept: it follows from the deals. */
export const pay = (
  world: World,
  to: { readonly token: Address; readonly provider: ProviderId },
  value: { readonly toProvider: Amount; readonly fee: Amount },
): void => {
  credit(world, to.token, to.provider, value.toProvider)
  world.fees.set(to.token, amount((world.fees.get(to.token) ?? 0n) + value.fee))
}
