/**
 * The ledger as both wings see it: what can be read, followed and written, split by role. Two
 * adapters implement it, `evm/` on viem and `memory/` for tests and simulation; the suite in
 * `test/ledger-suite.ts` says what "implement" means.
 *
 * Invariants: after an update the state is that of its last applied block; a write resolves only
 * when its transaction is mined and has succeeded, and its events are in the returned receipt;
 * a refusal is a HoldfastError, never a raw revert. Writes are sent from the ledger's own signer.
 */
import type {
  Address,
  Amount,
  CallOptions,
  DealId,
  DealTerms,
  Hash32,
  Leaves,
  Period,
  ProviderId,
  Signature,
  SlotIndex,
  SlotPath,
} from '@holdfast/protocol'
import type { BlockRef, LedgerUpdate, TxReceipt } from './ledger-events.ts'
import type { NetworkParams } from './network.ts'
import type { SendOptions } from './send-options.ts'
import type { SettlementAccount, SettlementProvider, SettlementReader } from './settlement-port.ts'

export type * from './ledger-events.ts'
export type { NetworkParams, TokenInfo } from './network.ts'
export { signingDomain } from './network.ts'
export type { Lane, SendOptions } from './send-options.ts'
export type * from './settlement-port.ts'

/** How far `follow` goes back when it does not know where chains part; also the deepest reorg. */
export const REWIND_BLOCKS = 128

/** A block with this many on top is final for what cannot be undone, such as deleting bytes. */
export const FINAL_BLOCKS = 64

export interface ProviderRecord {
  readonly provider: ProviderId
  readonly operator: Address
  /** SHA-256 of the TLS certificate's SubjectPublicKeyInfo. */
  readonly tlsKeyHash: Hash32
  /** host:port of the gRPC listener. */
  readonly endpoint: string
  readonly region: string
  readonly token: Address
  readonly pricePerTibMonth: Amount
  readonly provingFeeMonth: Amount
  readonly egressPerTib: Amount
  /** Who gets what its deals earn; the owner when undefined. */
  readonly beneficiary?: Address | undefined
  readonly stake: Amount
  /** False after the provider said it takes no new deals, or a slash or its end stopped it. */
  readonly accepting: boolean
}

export type ProviderSettings = Omit<ProviderRecord, 'provider' | 'stake'>

export type DealState = 'active' | 'faulty' | 'ended' | 'closed'

export interface Deal {
  readonly id: DealId
  readonly terms: DealTerms
  readonly state: DealState
  readonly slot: SlotIndex
  /** Counted periods are start <= p < end. */
  readonly start: Period
  /** The smallest of term, funding, notice, 14 faulty periods, and the end of the provider. */
  readonly end: Period
  /** Settled periods are start <= p < settledThrough. */
  readonly settledThrough: Period
  /** Signed, and what was added since. */
  readonly deposit: Amount
  /** Escrow still held. */
  readonly escrow: Amount
  /** Paid so far, fee included. */
  readonly paid: Amount
  /** The first unpaid period of the fault that lasts or is not settled yet. */
  readonly faultedFrom: Period | undefined
  /** The first period paid again after that fault; undefined while it lasts. */
  readonly recoveredAt: Period | undefined
  /** It ended because its bytes are lost or its provider was terminated: the collateral is seized. */
  readonly lost: boolean
}

/** The tree that is challenged in one period. */
export interface TreeSnapshot {
  readonly root: Hash32
  readonly weight: Leaves
  readonly depth: number
}

export interface DealFilter {
  readonly client?: Address
  readonly provider?: ProviderId
  readonly dataset?: Hash32
}

export interface LedgerReader extends SettlementReader {
  readonly network: NetworkParams
  /**
   * Updates after `after` (from the deployment when undefined), then live, until the signal fires:
   * then it ends with `ABORTED`. Far behind the tip, blocks without events are left out, except the
   * last one of an update.
   *
   * `after` may have been reorganised away: the first update then reverts it. A reader that passes
   * its last blocks (oldest first) gets back exactly to the newest that still stands. One that
   * passes a single block the chain has forgotten goes back `REWIND_BLOCKS` by number, and blocks
   * that did not change are reverted and applied again; so undo by block number.
   * @throws HoldfastError `CHAIN_UNSUITABLE` when blocks deeper than any kept are reorganised.
   */
  follow(
    after: BlockRef | readonly BlockRef[] | undefined,
    options?: CallOptions,
  ): AsyncIterable<LedgerUpdate>
  tip(options?: CallOptions): Promise<BlockRef>
  /**
   * The block `FINAL_BLOCKS` below the tip, or the first one. With more than one endpoint two must
   * agree on it: what deletes data acts on state of this block or older ones only.
   * @throws HoldfastError `LEDGER_UNREACHABLE` when two endpoints do not agree.
   */
  finalBlock(options?: CallOptions): Promise<BlockRef>
  provider(id: ProviderId, options?: CallOptions): Promise<ProviderRecord | undefined>
  providers(options?: CallOptions): Promise<readonly ProviderRecord[]>
  deal(id: DealId, options?: CallOptions): Promise<Deal | undefined>
  /** Deals that match every given field, oldest first. */
  deals(filter: DealFilter, options?: CallOptions): Promise<readonly Deal[]>
  seed(period: Period, options?: CallOptions): Promise<Hash32 | undefined>
  /** The provider's tree as challenged in `period`. */
  snapshot(provider: ProviderId, period: Period, options?: CallOptions): Promise<TreeSnapshot>
  /** The periods in from <= p < to that the provider proved. */
  proven(
    provider: ProviderId,
    from: Period,
    to: Period,
    options?: CallOptions,
  ): Promise<readonly Period[]>
  /** Free balance in the vault. */
  balance(owner: Address, token: Address, options?: CallOptions): Promise<Amount>
  /**
   * The same, for decisions about money: with more than one endpoint two must agree on it.
   * @throws HoldfastError `LEDGER_UNREACHABLE` when two endpoints do not agree.
   */
  agreedBalance(owner: Address, token: Address, options?: CallOptions): Promise<Amount>
  /** Balance outside the vault, in the token's own ledger. */
  tokenBalance(owner: Address, token: Address, options?: CallOptions): Promise<Amount>
  /** Native coin, for gas, in wei. */
  gasBalance(owner: Address, options?: CallOptions): Promise<bigint>
  /** What a provider must have staked to take deals, in the network's first token. */
  minimumStake(options?: CallOptions): Promise<Amount>
  /** What the fee account has received in a token. */
  feesCollected(token: Address, options?: CallOptions): Promise<Amount>
}

/** What anybody with a key may do. */
export interface AccountLedger extends LedgerReader, SettlementAccount {
  readonly account: Address
  /**
   * Moves tokens into the vault, by permit where the token has it, else approve and deposit.
   * @throws HoldfastError `TERMS_INVALID` for a token that the vault does not take,
   *   `FUNDS_INSUFFICIENT`.
   */
  deposit(token: Address, amount: Amount, options?: SendOptions): Promise<TxReceipt>
  withdraw(token: Address, amount: Amount, options?: SendOptions): Promise<TxReceipt>
  /** Credits what a provider's deals earned to the beneficiary that it named. */
  claim(token: Address, provider: ProviderId, options?: SendOptions): Promise<TxReceipt>
  /** Pays what is proven and final. Zero is a valid result. */
  settle(deals: readonly DealId[], options?: SendOptions): Promise<TxReceipt>
  /**
   * Settles an ended deal to the last unit, once every period before its end is final: rest of the
   * escrow to the client; collateral to the provider, less what misses and faults are charged.
   */
  closeDeal(deal: DealId, options?: SendOptions): Promise<TxReceipt>
}

export interface ClientLedger extends AccountLedger {
  /** Gives notice: the deal ends after its notice, or at its term if that comes first. */
  terminateDeal(deal: DealId, options?: SendOptions): Promise<TxReceipt>
}

export interface OpenDealParameters {
  readonly terms: DealTerms
  readonly clientSignature: Signature
  readonly providerSignature: Signature
  /** The empty slot that the deal takes, with its path. */
  readonly path: SlotPath
}

export interface ProvePeriodParameters {
  readonly provider: ProviderId
  readonly period: Period
  /** Encoded answers (`encodeAnswer`) to global challenges 0 .. k-1, in order. */
  readonly answers: readonly Uint8Array[]
}

export interface ProviderLedger extends AccountLedger, SettlementProvider {
  /**
   * The sender becomes the provider's owner. The stake is taken from its free balance in the vault,
   * in the network's first token: deposit before.
   */
  registerProvider(
    settings: ProviderSettings,
    stake: Amount,
    options?: SendOptions,
  ): Promise<TxReceipt>
  updateProvider(
    provider: ProviderId,
    settings: ProviderSettings,
    options?: SendOptions,
  ): Promise<TxReceipt>
  /** From the free balance in the vault, in the network's first token. */
  addStake(amount: Amount, options?: SendOptions): Promise<TxReceipt>
  /**
   * Back to the free balance; only when the provider accepts no deals, its tree is empty and was so
   * in every period that is not final, no dispute is open and no audit owed.
   */
  withdrawStake(amount: Amount, options?: SendOptions): Promise<TxReceipt>
  openDeal(parameters: OpenDealParameters, options?: SendOptions): Promise<TxReceipt>
  provePeriod(parameters: ProvePeriodParameters, options?: SendOptions): Promise<TxReceipt>
  /** The bytes are lost: the deal leaves the tree and is unpaid from this period on. */
  declareFault(deal: DealId, path: SlotPath, options?: SendOptions): Promise<TxReceipt>
  /** Takes an ended or closed deal out of the tree. */
  releaseSlot(deal: DealId, path: SlotPath, options?: SendOptions): Promise<TxReceipt>
}

/** Everything at once, from one key; what both adapters build. */
export interface Ledger extends ClientLedger, ProviderLedger {
  /** Stops followers and pending waits with `ABORTED`. May be called twice. */
  close(): Promise<void>
}
