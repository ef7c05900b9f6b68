/** What anybody reads of a simulated chain: `LedgerReader` on the in-memory state. */
import {
  type Address,
  type Amount,
  amount,
  auditDueAt,
  bondFor,
  type CallOptions,
  type DealId,
  disputeIdOf,
  type Hash32,
  HoldfastError,
  type Period,
  type ProviderId,
} from '@holdfast/protocol'
import type {
  BlockRef,
  Deal,
  DealFilter,
  Dispute,
  DisputedEntry,
  LedgerReader,
  LedgerUpdate,
  NetworkParams,
  ProviderRecord,
  ProviderStanding,
  TreeSnapshot,
} from '../ledger.ts'
import { FINAL_BLOCKS } from '../ledger.ts'
import { followBlocks } from './follow.ts'
import { dealView } from './market.ts'
import { committedAt, finalBefore, owedAudit, provenBetween, unitsBefore } from './marks.ts'
import type { Blocks } from './memory-chain.ts'
import { openDisputes, snapshotAt, stateOf } from './trees.ts'
import { balanceOf, checkToken, tokenBalanceOf, type World } from './world.ts'

const standingOf = (world: World, provider: ProviderId): ProviderStanding => {
  const { last, forceNext, terminatedAt } = stateOf(world, provider)
  const owed = owedAudit(world, provider)?.period
  const open = openDisputes(world, provider).length
  return {
    finalBefore: finalBefore(world, provider),
    newest: last?.period,
    auditNext: forceNext,
    audit:
      owed === undefined ? undefined : { period: owed, dueAt: auditDueAt(world.network, owed) },
    openDisputes: open,
    bond: bondFor(world.network.disputeBond, open),
    terminatedAt,
  }
}

/** Without its tree a root is worth nothing. */
const keptRoot = (world: World, provider: ProviderId, of: Period): Hash32 | undefined => {
  try {
    return committedAt(world, provider, of)?.root
  } catch (refusal) {
    if (HoldfastError.is(refusal, 'PROVIDER_STATE')) return undefined
    throw refusal
  }
}

export class MemoryReader implements LedgerReader {
  protected readonly blocks: Blocks
  readonly #stop = new AbortController()

  constructor(blocks: Blocks) {
    this.blocks = blocks
  }

  get network(): NetworkParams {
    return this.blocks.world.network
  }

  follow(
    after: BlockRef | readonly BlockRef[] | undefined,
    options: CallOptions = {},
  ): AsyncIterable<LedgerUpdate> {
    const own = options.signal === undefined ? [] : [options.signal]
    return followBlocks(this.blocks, after, [this.#stop.signal, ...own])
  }

  async tip(options?: CallOptions): Promise<BlockRef> {
    return this.read(() => this.blocks.tip, options)
  }

  async finalBlock(options?: CallOptions): Promise<BlockRef> {
    return this.read(() => {
      const { tip } = this.blocks
      const depth = BigInt(FINAL_BLOCKS)
      return this.blocks.at(tip.number > depth ? tip.number - depth : 0n)?.ref ?? tip
    }, options)
  }

  async provider(id: ProviderId, options?: CallOptions): Promise<ProviderRecord | undefined> {
    return this.read((world) => world.providers.get(id), options)
  }

  async providers(options?: CallOptions): Promise<readonly ProviderRecord[]> {
    return this.read((world) => [...world.providers.values()], options)
  }

  async deal(id: DealId, options?: CallOptions): Promise<Deal | undefined> {
    return this.read((world) => {
      const record = world.deals.get(id)
      return record === undefined ? undefined : dealView(world, record)
    }, options)
  }

  async deals(filter: DealFilter, options?: CallOptions): Promise<readonly Deal[]> {
    const { client, provider, dataset } = filter
    return this.read(
      (world) =>
        [...world.deals.values()]
          .filter(
            ({ terms }) =>
              (client === undefined || client === terms.client) &&
              (provider === undefined || provider === terms.provider) &&
              (dataset === undefined || dataset === terms.dataset),
          )
          .map((record) => dealView(world, record)),
      options,
    )
  }

  async seed(period: Period, options?: CallOptions): Promise<Hash32 | undefined> {
    return this.read((world) => world.seeds.get(period), options)
  }

  async snapshot(
    provider: ProviderId,
    period: Period,
    options?: CallOptions,
  ): Promise<TreeSnapshot> {
    return this.read((world) => snapshotAt(world, provider, period), options)
  }

  async proven(
    provider: ProviderId,
    from: Period,
    to: Period,
    options?: CallOptions,
  ): Promise<readonly Period[]> {
    return this.read((world) => provenBetween(world, provider, { from, to }), options)
  }

  agreedBalance(owner: Address, token: Address, options?: CallOptions): Promise<Amount> {
    return this.balance(owner, token, options)
  }

  async balance(owner: Address, token: Address, options?: CallOptions): Promise<Amount> {
    return this.read((world) => {
      checkToken(world, token)
      return balanceOf(world, token, owner)
    }, options)
  }

  async tokenBalance(owner: Address, token: Address, options?: CallOptions): Promise<Amount> {
    return this.read((world) => tokenBalanceOf(world, token, owner), options)
  }

  /** Writing costs nothing here; the figure only is never the reason to stop. */
  async gasBalance(_owner: Address, options?: CallOptions): Promise<bigint> {
    return this.read(() => 10n ** 21n, options)
  }

  async minimumStake(options?: CallOptions): Promise<Amount> {
    return this.read((world) => world.minimumStake, options)
  }

  async feesCollected(token: Address, options?: CallOptions): Promise<Amount> {
    return this.read((world) => {
      checkToken(world, token)
      return world.fees.get(token) ?? amount(0n)
    }, options)
  }

  async standing(provider: ProviderId, options?: CallOptions): Promise<ProviderStanding> {
    return this.read((world) => standingOf(world, provider), options)
  }

  async committed(
    provider: ProviderId,
    period: Period,
    options?: CallOptions,
  ): Promise<Hash32 | undefined> {
    return this.read((world) => keptRoot(world, provider, period), options)
  }

  async missed(
    provider: ProviderId,
    from: Period,
    to: Period,
    options?: CallOptions,
  ): Promise<readonly Period[]> {
    return this.read(
      (world) =>
        stateOf(world, provider)
          .missed.filter((p) => p >= from && p < to)
          .sort((a, b) => Number(a - b)),
      options,
    )
  }

  async missUnits(provider: ProviderId, before: Period, options?: CallOptions): Promise<bigint> {
    return this.read((world) => unitsBefore(world, provider, before), options)
  }

  async disputes(provider: ProviderId, options?: CallOptions): Promise<readonly Dispute[]> {
    return this.read((world) => openDisputes(world, provider), options)
  }

  async dispute(entry: DisputedEntry, options?: CallOptions): Promise<Dispute | undefined> {
    return this.read((world) => world.disputes.get(disputeIdOf(entry)), options)
  }

  async close(): Promise<void> {
    this.#stop.abort()
  }

  protected read<T>(read: (world: World) => T, options: CallOptions = {}): T {
    this.check(options)
    return read(this.blocks.world)
  }

  protected check({ signal }: CallOptions): void {
    if (this.#stop.signal.aborted || signal?.aborted) throw new HoldfastError({ code: 'ABORTED' })
  }
}
