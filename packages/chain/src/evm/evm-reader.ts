/**
 * What anybody reads of a network on an EVM chain: the functions beside it, composed into
 * `LedgerReader`. It holds no state of the chain but terms of deals, which cannot change.
 */
import {
  type Address,
  type Amount,
  type CallOptions,
  type DealId,
  type DealTerms,
  type DisputedEntry,
  type Hash32,
  type Period,
  type ProviderId,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import { getBlock } from 'viem/actions'
import type {
  BlockRef,
  Deal,
  DealFilter,
  Dispute,
  LedgerReader,
  LedgerUpdate,
  NetworkParams,
  ProviderRecord,
  ProviderStanding,
  TreeSnapshot,
} from '../ledger.ts'
import { FINAL_BLOCKS } from '../ledger.ts'
import { readAgreedBalance } from './agreed-reads.ts'
import { finalBlock, sharedHead } from './agreement.ts'
import * as balances from './balances.ts'
import { refOf } from './blocks.ts'
import { type EvmClient, reach } from './client.ts'
import { readDeal, readDeals, readTerms, TermsCache } from './deals.ts'
import { followLedger } from './follow.ts'
import { HeadFeed } from './head-feed.ts'
import * as read from './read.ts'
import * as settlement from './settlement-reads.ts'

export class EvmReader implements LedgerReader {
  protected readonly client: EvmClient
  readonly #feed: HeadFeed
  readonly #terms = new TermsCache()

  constructor(client: EvmClient) {
    this.client = client
    this.#feed = new HeadFeed(client)
  }

  get network(): NetworkParams {
    return this.client.network
  }

  follow(
    after: BlockRef | readonly BlockRef[] | undefined,
    options?: CallOptions,
  ): AsyncIterable<LedgerUpdate> {
    return followLedger(this.client, this.#feed, after, options)
  }

  async tip(options?: CallOptions): Promise<BlockRef> {
    return refOf(await sharedHead(this.client, options))
  }

  finalBlock(options?: CallOptions): Promise<BlockRef> {
    return finalBlock(this.client, FINAL_BLOCKS, options)
  }

  async time(options?: CallOptions): Promise<Timestamp> {
    const block = await reach(this.client, (rpc) => getBlock(rpc, { blockTag: 'pending' }), options)
    return timestamp(block.timestamp)
  }

  provider(id: ProviderId, options?: CallOptions): Promise<ProviderRecord | undefined> {
    return read.readProvider(this.client, id, options)
  }

  providers(options?: CallOptions): Promise<readonly ProviderRecord[]> {
    return read.readProviders(this.client, options)
  }

  deal(id: DealId, options?: CallOptions): Promise<Deal | undefined> {
    return readDeal(this.client, this.#terms, id, options)
  }

  deals(filter: DealFilter, options?: CallOptions): Promise<readonly Deal[]> {
    return readDeals(this.client, this.#terms, filter, options)
  }

  seed(period: Period, options?: CallOptions): Promise<Hash32 | undefined> {
    return read.readSeed(this.client, period, options)
  }

  snapshot(provider: ProviderId, period: Period, options?: CallOptions): Promise<TreeSnapshot> {
    return read.readSnapshot(this.client, provider, period, options)
  }

  proven(
    provider: ProviderId,
    from: Period,
    to: Period,
    options?: CallOptions,
  ): Promise<readonly Period[]> {
    return read.readProven(this.client, { provider, from, to }, options)
  }

  balance(owner: Address, token: Address, options?: CallOptions): Promise<Amount> {
    return balances.readVaultBalance(this.client, { owner, token }, options)
  }

  agreedBalance(owner: Address, token: Address, options?: CallOptions): Promise<Amount> {
    return readAgreedBalance(this.client, { owner, token }, options)
  }

  tokenBalance(owner: Address, token: Address, options?: CallOptions): Promise<Amount> {
    return balances.readTokenBalance(this.client, { owner, token }, options)
  }

  gasBalance(owner: Address, options?: CallOptions): Promise<bigint> {
    return balances.readGasBalance(this.client, owner, options)
  }

  minimumStake(options?: CallOptions): Promise<Amount> {
    return read.readMinimumStake(this.client, options)
  }

  feesCollected(token: Address, options?: CallOptions): Promise<Amount> {
    return balances.readFeesCollected(this.client, token, options)
  }

  standing(provider: ProviderId, options?: CallOptions): Promise<ProviderStanding> {
    return settlement.readStanding(this.client, provider, options)
  }

  committed(
    provider: ProviderId,
    period: Period,
    options?: CallOptions,
  ): Promise<Hash32 | undefined> {
    return settlement.readCommitted(this.client, { provider, period }, options)
  }

  missed(
    provider: ProviderId,
    from: Period,
    to: Period,
    options?: CallOptions,
  ): Promise<readonly Period[]> {
    return settlement.readMissed(this.client, { provider, from, to }, options)
  }

  missUnits(provider: ProviderId, before: Period, options?: CallOptions): Promise<bigint> {
    return settlement.readMissUnits(this.client, provider, before, options)
  }

  disputes(provider: ProviderId, options?: CallOptions): Promise<readonly Dispute[]> {
    return settlement.readDisputes(this.client, provider, options)
  }

  dispute(entry: DisputedEntry, options?: CallOptions): Promise<Dispute | undefined> {
    return settlement.readDispute(this.client, entry, options)
  }

  /** @throws HoldfastError `DEAL_NOT_FOUND`. */
  protected termsOf(deal: DealId, options?: CallOptions): Promise<DealTerms> {
    return readTerms(this.client, this.#terms, deal, options)
  }
}
