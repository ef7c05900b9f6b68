/**
 * The in-memory adapter: the contracts' rules on plain state, for tests and simulation. Signatures,
 * answers, tree updates and money are checked by the same pure functions as everywhere; only the
 * chain is simulated, and an account's word is taken without a transaction signature.
 */
import {
  type Address,
  type Amount,
  type BundleOpening,
  type CallOptions,
  type DealId,
  HoldfastError,
  type Period,
  type ProviderId,
  type SlotPath,
} from '@holdfast/protocol'
import type {
  AnswerAuditParameters,
  CommitPeriodParameters,
  ConsentSignatures,
  DisputedEntry,
  Ledger,
  OpenDealParameters,
  OpenDisputeParameters,
  ProvePeriodParameters,
  ProviderSettings,
  RecoverDealParameters,
  TxReceipt,
} from '../ledger.ts'
import * as disputes from './disputes.ts'
import * as endings from './endings.ts'
import * as market from './market.ts'
import type { Blocks } from './memory-chain.ts'
import { MemoryReader } from './memory-reader.ts'
import * as missing from './missing.ts'
import * as proving from './proving.ts'
import * as registry from './registry.ts'
import { claim, deposit, type World, withdraw } from './world.ts'

/** One account's view of a simulated chain. */
export class MemoryLedger extends MemoryReader implements Ledger {
  readonly account: Address

  constructor(blocks: Blocks, account: Address) {
    super(blocks)
    this.account = account
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
    return this.#write((world) => endings.closeDeal(world, deal), options)
  }

  async terminateDeal(deal: DealId, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => endings.terminateDeal(world, this.account, deal), options)
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
    return this.#write((world) => proving.provePeriod(world, this.account, parameters), options)
  }

  async declareFault(deal: DealId, path: SlotPath, options?: CallOptions): Promise<TxReceipt> {
    const { account } = this
    return this.#write((world) => endings.declareFault(world, account, { deal, path }), options)
  }

  async releaseSlot(deal: DealId, path: SlotPath, options?: CallOptions): Promise<TxReceipt> {
    const { account } = this
    return this.#write((world) => endings.releaseSlot(world, account, { deal, path }), options)
  }

  async claim(token: Address, provider: ProviderId, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => claim(world, token, provider), options)
  }

  async commitPeriod(of: CommitPeriodParameters, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => proving.commitPeriod(world, this.account, of), options)
  }

  async answerAudit(of: AnswerAuditParameters, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => proving.answerAudit(world, of), options)
  }

  async recoverDeal(of: RecoverDealParameters, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => endings.recoverDeal(world, this.account, of), options)
  }

  async resignDeal(deal: DealId, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => endings.resignDeal(world, this.account, deal), options)
  }

  async openDispute(of: OpenDisputeParameters, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => disputes.openDispute(world, this.account, of), options)
  }

  async answerDispute(
    entry: DisputedEntry,
    opening: BundleOpening,
    options?: CallOptions,
  ): Promise<TxReceipt> {
    return this.#write((world) => disputes.answerDispute(world, entry, opening), options)
  }

  async slashTimeout(
    entry: DisputedEntry,
    usable: readonly Period[],
    options?: CallOptions,
  ): Promise<TxReceipt> {
    return this.#write((world) => disputes.slashTimeout(world, entry, usable), options)
  }

  async slashAudit(
    provider: ProviderId,
    usable: Period,
    options?: CallOptions,
  ): Promise<TxReceipt> {
    const of = { provider, usable }
    return this.#write((world) => disputes.slashAudit(world, this.account, of), options)
  }

  async reportMissed(provider: ProviderId, of: Period, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => missing.reportMissed(world, provider, of), options)
  }

  async terminateProvider(
    provider: ProviderId,
    missed: readonly Period[],
    options?: CallOptions,
  ): Promise<TxReceipt> {
    return this.#write((world) => missing.terminateProvider(world, provider, missed), options)
  }

  async topUp(deal: DealId, value: Amount, options?: CallOptions): Promise<TxReceipt> {
    return this.#write((world) => endings.topUp(world, this.account, { deal, value }), options)
  }

  async closeByConsent(
    deal: DealId,
    signatures: ConsentSignatures,
    options?: CallOptions,
  ): Promise<TxReceipt> {
    return this.#write((world) => endings.closeByConsent(world, deal, signatures), options)
  }

  declareShownLost(deal: DealId, path: SlotPath, options?: CallOptions): Promise<TxReceipt> {
    return this.declareFault(deal, path, options)
  }

  async #write(change: (world: World) => void, options: CallOptions = {}): Promise<TxReceipt> {
    this.check(options)
    return this.blocks.write(change)
  }
}
