/**
 * The EVM adapter: the functions beside it, composed into the ledger port for one account. It holds
 * no state of the chain but terms of deals, which cannot change. Everything it started ends with
 * `close`.
 */
import {
  type Address,
  type Amount,
  type CallOptions,
  type DealId,
  dealIdOf,
  type Hash32,
  HoldfastError,
  hash32,
  type Period,
  type ProviderId,
  type Signer,
  type SlotPath,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import { getBlock } from 'viem/actions'
import type {
  BlockRef,
  Deal,
  DealFilter,
  Ledger,
  LedgerEvent,
  LedgerUpdate,
  NetworkParams,
  OpenDealParameters,
  ProvePeriodParameters,
  ProviderRecord,
  ProviderSettings,
  SendOptions,
  TreeSnapshot,
  TxReceipt,
} from '../ledger.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { SeedLedger } from '../relayer/seed-relayer.ts'
import { getHead, refOf } from './blocks.ts'
import { type EvmClient, reach } from './client.ts'
import { readDeal, readDeals, readTerms, TermsCache } from './deals.ts'
import { decodeEvent } from './events.ts'
import { followLedger } from './follow.ts'
import { HeadFeed } from './head-feed.ts'
import { signPermit } from './permit.ts'
import * as read from './read.ts'
import { type Transaction, Transactor } from './transactor.ts'
import * as write from './write.ts'

/** The key that signs, and where its transactions are written down before they are sent. */
export interface LedgerAccount {
  readonly signer: Signer
  readonly outbox: Outbox
}

/** See `Ledger`; also what the seed relayer needs. */
export class EvmLedger implements Ledger, SeedLedger {
  readonly #client: EvmClient
  readonly #stop: AbortController
  readonly #signer: Signer | undefined
  readonly #transactor: Transactor | undefined
  readonly #feed: HeadFeed
  readonly #terms = new TermsCache()

  constructor(client: EvmClient, stop: AbortController, account: LedgerAccount | undefined) {
    this.#client = client
    this.#stop = stop
    this.#signer = account?.signer
    this.#transactor =
      account === undefined ? undefined : new Transactor(client, account.signer, account)
    this.#feed = new HeadFeed(client)
  }

  get network(): NetworkParams {
    return this.#client.network
  }

  get account(): Address {
    return this.#key().address
  }

  follow(
    after: BlockRef | readonly BlockRef[] | undefined,
    options?: CallOptions,
  ): AsyncIterable<LedgerUpdate> {
    return followLedger(this.#client, this.#feed, after, options)
  }

  async tip(options?: CallOptions): Promise<BlockRef> {
    return refOf(await getHead(this.#client, options))
  }

  async time(options?: CallOptions): Promise<Timestamp> {
    const block = await reach(
      this.#client,
      (rpc) => getBlock(rpc, { blockTag: 'pending' }),
      options,
    )
    return timestamp(block.timestamp)
  }

  provider(id: ProviderId, options?: CallOptions): Promise<ProviderRecord | undefined> {
    return read.readProvider(this.#client, id, options)
  }

  providers(options?: CallOptions): Promise<readonly ProviderRecord[]> {
    return read.readProviders(this.#client, options)
  }

  deal(id: DealId, options?: CallOptions): Promise<Deal | undefined> {
    return readDeal(this.#client, this.#terms, id, options)
  }

  deals(filter: DealFilter, options?: CallOptions): Promise<readonly Deal[]> {
    return readDeals(this.#client, this.#terms, filter, options)
  }

  seed(period: Period, options?: CallOptions): Promise<Hash32 | undefined> {
    return read.readSeed(this.#client, period, options)
  }

  snapshot(provider: ProviderId, period: Period, options?: CallOptions): Promise<TreeSnapshot> {
    return read.readSnapshot(this.#client, provider, period, options)
  }

  proven(
    provider: ProviderId,
    from: Period,
    to: Period,
    options?: CallOptions,
  ): Promise<readonly Period[]> {
    return read.readProven(this.#client, { provider, from, to }, options)
  }

  balance(owner: Address, token: Address, options?: CallOptions): Promise<Amount> {
    return read.readVaultBalance(this.#client, { owner, token }, options)
  }

  tokenBalance(owner: Address, token: Address, options?: CallOptions): Promise<Amount> {
    return read.readTokenBalance(this.#client, { owner, token }, options)
  }

  gasBalance(owner: Address, options?: CallOptions): Promise<bigint> {
    return read.readGasBalance(this.#client, owner, options)
  }

  feesCollected(token: Address, options?: CallOptions): Promise<Amount> {
    return read.readFeesCollected(this.#client, token, options)
  }

  async deposit(token: Address, value: Amount, options?: SendOptions): Promise<TxReceipt> {
    const key = this.#key()
    const of = { token, owner: key.address, amount: value }
    const available = await this.tokenBalance(key.address, token, options)
    if (available < value) {
      throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed: value, available })
    }
    const now = await this.time(options)
    const permit = await signPermit(this.#client, key, { token, amount: value, now }, options)
    const { contracts } = this.network
    if (permit !== undefined) {
      return this.#send(write.depositWithPermitCall(contracts, of, permit), options)
    }
    await this.#send(write.approveCall(contracts, token, value), options)
    return this.#send(write.depositCall(contracts, of), options)
  }

  async withdraw(token: Address, value: Amount, options?: SendOptions): Promise<TxReceipt> {
    const of = { token, owner: this.account, amount: value }
    return this.#send(write.withdrawCall(this.network.contracts, of), options)
  }

  settle(deals: readonly DealId[], options?: SendOptions): Promise<TxReceipt> {
    const name = `settle ${deals.join(' ')}`
    return this.#send(write.settleCall(this.network.contracts, deals), options, name)
  }

  async closeDeal(deal: DealId, options?: SendOptions): Promise<TxReceipt> {
    const terms = await readTerms(this.#client, this.#terms, deal, options)
    return this.#send(write.closeDealCall(this.network.contracts, terms), options, `close ${deal}`)
  }

  async terminateDeal(deal: DealId, options?: SendOptions): Promise<TxReceipt> {
    const terms = await readTerms(this.#client, this.#terms, deal, options)
    return this.#send(write.terminateDealCall(this.network.contracts, terms), options)
  }

  registerProvider(
    settings: ProviderSettings,
    stake: Amount,
    options?: SendOptions,
  ): Promise<TxReceipt> {
    return this.#send(write.registerCall(this.network.contracts, settings, stake), options)
  }

  async updateProvider(
    provider: ProviderId,
    settings: ProviderSettings,
    options?: SendOptions,
  ): Promise<TxReceipt> {
    if (provider !== this.account) {
      const reason = `only ${provider} itself changes its registration, not ${this.account}`
      throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
    }
    return this.#send(write.updateCall(this.network.contracts, settings), options)
  }

  addStake(value: Amount, options?: SendOptions): Promise<TxReceipt> {
    return this.#send(write.addStakeCall(this.network.contracts, value), options)
  }

  withdrawStake(value: Amount, options?: SendOptions): Promise<TxReceipt> {
    return this.#send(write.withdrawStakeCall(this.network.contracts, value), options)
  }

  openDeal(parameters: OpenDealParameters, options?: SendOptions): Promise<TxReceipt> {
    const { chainId, contracts } = this.network
    const domain = { chainId, verifyingContract: contracts.market }
    const name = `open ${dealIdOf(parameters.terms, domain)}`
    return this.#send(write.openDealCall(contracts, parameters), options, name)
  }

  provePeriod(parameters: ProvePeriodParameters, options?: SendOptions): Promise<TxReceipt> {
    const name = `prove ${parameters.provider} ${parameters.period}`
    return this.#send(write.provePeriodCall(this.network.contracts, parameters), options, name)
  }

  async declareFault(deal: DealId, path: SlotPath, options?: SendOptions): Promise<TxReceipt> {
    const terms = await readTerms(this.#client, this.#terms, deal, options)
    const call = write.declareFaultCall(this.network.contracts, terms, path)
    return this.#send(call, options, `declare-fault ${deal}`)
  }

  async releaseSlot(deal: DealId, path: SlotPath, options?: SendOptions): Promise<TxReceipt> {
    const terms = await readTerms(this.#client, this.#terms, deal, options)
    const call = write.releaseSlotCall(this.network.contracts, terms, path)
    return this.#send(call, options, `release ${deal}`)
  }

  /** Posts the seed of a period. @param point the round's signature as an EIP-2537 G1 point. */
  postSeed(period: Period, point: Uint8Array, options?: SendOptions): Promise<TxReceipt> {
    return this.#send(write.postSeedCall(this.network.contracts, period, point), options)
  }

  /**
   * Sees through what the outbox holds of a former process, in the background. Sending does so by
   * itself; a program that may have nothing to send calls this once.
   */
  async resume(): Promise<void> {
    await this.#transactor?.resume()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#transactor?.closed()
  }

  #key(): Signer {
    if (this.#signer === undefined) throw withoutKey()
    return this.#signer
  }

  /** @param name while a write of this name is open, another one joins it. */
  async #send(transaction: Transaction, options?: SendOptions, name?: string): Promise<TxReceipt> {
    const transactor = this.#transactor
    if (transactor === undefined) throw withoutKey()
    const { receipt, block } = await transactor.send(transaction, options, name)
    const events: LedgerEvent[] = []
    for (const log of receipt.logs) {
      const event = decodeEvent(this.network, log)
      if (event !== undefined) events.push(event)
    }
    return {
      transaction: hash32(receipt.transactionHash),
      block,
      gasUsed: receipt.gasUsed,
      gasPrice: receipt.effectiveGasPrice,
      events,
    }
  }
}

const withoutKey = (): HoldfastError =>
  new HoldfastError({ code: 'UNAUTHORIZED', reason: 'the ledger was opened without a key' })
