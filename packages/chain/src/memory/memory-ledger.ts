/**
 * The in-memory adapter: the contracts' rules on plain state, for tests and simulation. Signatures,
 * answers, tree updates and money are checked by the same pure functions as everywhere; only the
 * chain is simulated, and an account's word is taken without a transaction signature.
 */
import {
  type Address,
  type Amount,
  amount,
  type CallOptions,
  type DealId,
  type Hash32,
  HoldfastError,
  type Period,
  type ProviderId,
  type SlotPath,
} from '@holdfast/protocol'
import type {
  BlockRef,
  Deal,
  DealFilter,
  Ledger,
  LedgerUpdate,
  NetworkParams,
  OpenDealParameters,
  ProvePeriodParameters,
  ProviderRecord,
  ProviderSettings,
  TreeSnapshot,
  TxReceipt,
} from '../ledger.ts'
import { followBlocks } from './follow.ts'
import * as market from './market.ts'
import type { Blocks } from './memory-chain.ts'
import { provenBetween, provePeriod, snapshotAt } from './proofs.ts'
import * as registry from './registry.ts'
import { balanceOf, checkToken, deposit, tokenBalanceOf, type World, withdraw } from './world.ts'

/** One account's view of a simulated chain. */
export class MemoryLedger implements Ledger {
  readonly account: Address
  readonly #blocks: Blocks
  readonly #stop = new AbortController()

  constructor(blocks: Blocks, account: Address) {
    this.#blocks = blocks
    this.account = account
  }

  get network(): NetworkParams {
    return this.#blocks.world.network
  }

  follow(
    after: BlockRef | readonly BlockRef[] | undefined,
    options: CallOptions = {},
  ): AsyncIterable<LedgerUpdate> {
    const own = options.signal === undefined ? [] : [options.signal]
    return followBlocks(this.#blocks, after, [this.#stop.signal, ...own])
  }

  async tip(options?: CallOptions): Promise<BlockRef> {
    return this.#read(() => this.#blocks.tip, options)
  }

  async provider(id: ProviderId, options?: CallOptions): Promise<ProviderRecord | undefined> {
    return this.#read((world) => world.providers.get(id), options)
  }

  async providers(options?: CallOptions): Promise<readonly ProviderRecord[]> {
    return this.#read((world) => [...world.providers.values()], options)
  }

  async deal(id: DealId, options?: CallOptions): Promise<Deal | undefined> {
    return this.#read((world) => {
      const record = world.deals.get(id)
      return record === undefined ? undefined : market.dealView(world, record)
    }, options)
  }

  async deals(filter: DealFilter, options?: CallOptions): Promise<readonly Deal[]> {
    const { client, provider, dataset } = filter
    return this.#read(
      (world) =>
        [...world.deals.values()]
          .filter(
            ({ terms }) =>
              (client === undefined || client === terms.client) &&
              (provider === undefined || provider === terms.provider) &&
              (dataset === undefined || dataset === terms.dataset),
          )
          .map((record) => market.dealView(world, record)),
      options,
    )
  }

  async seed(period: Period, options?: CallOptions): Promise<Hash32 | undefined> {
    return this.#read((world) => world.seeds.get(period), options)
  }

  async snapshot(
    provider: ProviderId,
    period: Period,
    options?: CallOptions,
  ): Promise<TreeSnapshot> {
    return this.#read((world) => snapshotAt(world, provider, period), options)
  }

  async proven(
    provider: ProviderId,
    from: Period,
    to: Period,
    options?: CallOptions,
  ): Promise<readonly Period[]> {
    return this.#read((world) => provenBetween(world, provider, { from, to }), options)
  }

  async balance(owner: Address, token: Address, options?: CallOptions): Promise<Amount> {
    return this.#read((world) => {
      checkToken(world, token)
      return balanceOf(world, token, owner)
    }, options)
  }

  async tokenBalance(owner: Address, token: Address, options?: CallOptions): Promise<Amount> {
    return this.#read((world) => tokenBalanceOf(world, token, owner), options)
  }

  /** Writing costs nothing here; the figure only is never the reason to stop. */
  async gasBalance(_owner: Address, options?: CallOptions): Promise<bigint> {
    return this.#read(() => 10n ** 21n, options)
  }

  async feesCollected(token: Address, options?: CallOptions): Promise<Amount> {
    return this.#read((world) => {
      checkToken(world, token)
      return world.fees.get(token) ?? amount(0n)
    }, options)
  }

  async deposit(token: Address, value: Amount, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => deposit(world, token, this.account, value), options)
  }

  async withdraw(token: Address, value: Amount, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => withdraw(world, token, this.account, value), options)
  }

  async settle(deals: readonly DealId[], options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => market.settle(world, deals), options)
  }

  async closeDeal(deal: DealId, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => market.closeDeal(world, deal), options)
  }

  async terminateDeal(deal: DealId, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => market.terminateDeal(world, this.account, deal), options)
  }

  async registerProvider(
    settings: ProviderSettings,
    stake: Amount,
    options?: CallOptions,
  ): Promise<TxReceipt> {
    return this.#write((world) => registry.register(world, this.account, settings, stake), options)
  }

  async updateProvider(
    provider: ProviderId,
    settings: ProviderSettings,
    options?: CallOptions,
  ): Promise<TxReceipt> {
    if (provider !== this.account) {
      const reason = `only ${provider} itself changes its registration, not ${this.account}`
      throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
    }
    return this.#write((world) => registry.update(world, this.account, settings), options)
  }

  async addStake(value: Amount, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => registry.addStake(world, this.account, value), options)
  }

  async withdrawStake(value: Amount, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => registry.withdrawStake(world, this.account, value), options)
  }

  async openDeal(parameters: OpenDealParameters, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => market.openDeal(world, parameters), options)
  }

  async provePeriod(parameters: ProvePeriodParameters, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => provePeriod(world, this.account, parameters), options)
  }

  async declareFault(deal: DealId, path: SlotPath, options?: CallOptions): Promise<TxReceipt> {
    const { account } = this
    return this.#write((world) => market.declareFault(world, account, { deal, path }), options)
  }

  async releaseSlot(deal: DealId, path: SlotPath, options?: CallOptions): Promise<TxReceipt> {
    const { account } = this
    return this.#write((world) => market.releaseSlot(world, account, { deal, path }), options)
  }

  async close(): Promise<void> {
    this.#stop.abort()
  }

  #read<T>(read: (world: World) => T, options: CallOptions = {}): T {
    this.#check(options)
    return read(this.#blocks.world)
  }

  #write(change: (world: World) => void, options: CallOptions = {}): TxReceipt {
    this.#check(options)
    return this.#blocks.write(change)
  }

  #check({ signal }: CallOptions): void {
    if (this.#stop.signal.aborted || signal?.aborted) throw new HoldfastError({ code: 'ABORTED' })
  }
}
