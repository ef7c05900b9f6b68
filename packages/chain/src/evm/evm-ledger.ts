/**
 * The EVM adapter: reads, follows and writes for one account. Everything it started ends with
 * `close`.
 */
import {
  type Address,
  type Amount,
  type BundleOpening,
  type DealId,
  dealIdOf,
  disputeIdOf,
  HoldfastError,
  type Period,
  type ProviderId,
  periodDeadline,
  type Signer,
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
  SendOptions,
  TxReceipt,
} from '../ledger.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { SeedLedger } from '../relayer/seed-relayer.ts'
import { requireTokens } from './balances.ts'
import type { EvmClient } from './client.ts'
import { watchEndpoints } from './endpoint-watch.ts'
import { EvmReader } from './evm-reader.ts'
import { signPermit } from './permit.ts'
import { receiptOf } from './receipts.ts'
import * as calls from './settlement-calls.ts'
import { requireAuditOf, requireOperator } from './settlement-reads.ts'
import { type Transaction, Transactor } from './transactor.ts'
import * as write from './write.ts'

/** The key that signs, and where its transactions are written down before they are sent. */
export interface LedgerAccount {
  readonly signer: Signer
  readonly outbox: Outbox
}

/** See `Ledger`; also what the seed relayer needs. */
export class EvmLedger extends EvmReader implements Ledger, SeedLedger {
  readonly #stop: AbortController
  readonly #signer: Signer | undefined
  readonly #transactor: Transactor | undefined
  readonly #watching: Promise<void>

  constructor(client: EvmClient, stop: AbortController, account: LedgerAccount | undefined) {
    super(client)
    this.#stop = stop
    this.#signer = account?.signer
    this.#transactor =
      account === undefined ? undefined : new Transactor(client, account.signer, account)
    this.#watching = watchEndpoints(client)
  }

  get account(): Address {
    return this.#key().address
  }

  async deposit(token: Address, value: Amount, options?: SendOptions): Promise<TxReceipt> {
    const key = this.#key()
    const of = { token, owner: key.address, amount: value }
    await requireTokens(this.client, of, options)
    const now = await this.time(options)
    const permit = await signPermit(this.client, key, { token, amount: value, now }, options)
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

  async settle(deals: readonly DealId[], options?: SendOptions): Promise<TxReceipt> {
    const name = `settle ${deals.join(' ')}`
    return this.#send(write.settleCall(this.network.contracts, deals), options, name)
  }

  async closeDeal(deal: DealId, options?: SendOptions): Promise<TxReceipt> {
    const terms = await this.termsOf(deal, options)
    return this.#send(write.closeDealCall(this.network.contracts, terms), options, `close ${deal}`)
  }

  async terminateDeal(deal: DealId, options?: SendOptions): Promise<TxReceipt> {
    const terms = await this.termsOf(deal, options)
    return this.#send(write.terminateDealCall(this.network.contracts, terms), options)
  }

  async registerProvider(
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

  async addStake(value: Amount, options?: SendOptions): Promise<TxReceipt> {
    return this.#send(write.addStakeCall(this.network.contracts, value), options)
  }

  async withdrawStake(value: Amount, options?: SendOptions): Promise<TxReceipt> {
    return this.#send(write.withdrawStakeCall(this.network.contracts, value), options)
  }

  async openDeal(parameters: OpenDealParameters, options?: SendOptions): Promise<TxReceipt> {
    const { chainId, contracts } = this.network
    const domain = { chainId, verifyingContract: contracts.market }
    const name = `open ${dealIdOf(parameters.terms, domain)}`
    return this.#send(write.openDealCall(contracts, parameters), options, name)
  }

  async provePeriod(parameters: ProvePeriodParameters, options?: SendOptions): Promise<TxReceipt> {
    const name = `prove ${parameters.provider} ${parameters.period}`
    const call = write.provePeriodCall(this.network.contracts, parameters)
    return this.#send(call, this.#asProof(parameters, options), name)
  }

  async declareFault(deal: DealId, path: SlotPath, options?: SendOptions): Promise<TxReceipt> {
    const terms = await this.termsOf(deal, options)
    const call = write.declareFaultCall(this.network.contracts, terms, path)
    return this.#send(call, options, `declare-fault ${deal}`)
  }

  async releaseSlot(deal: DealId, path: SlotPath, options?: SendOptions): Promise<TxReceipt> {
    const terms = await this.termsOf(deal, options)
    const call = write.releaseSlotCall(this.network.contracts, terms, path)
    return this.#send(call, options, `release ${deal}`)
  }

  async claim(token: Address, provider: ProviderId, options?: SendOptions): Promise<TxReceipt> {
    return this.#send(write.claimCall(this.network.contracts, token, provider), options)
  }

  async commitPeriod(of: CommitPeriodParameters, options?: SendOptions): Promise<TxReceipt> {
    requireOperator(await this.provider(of.provider, options), { ...of, account: this.account })
    const name = `commit ${of.provider} ${of.period}`
    const call = calls.commitPeriodCall(this.network.contracts, of)
    return this.#send(call, this.#asProof(of, options), name)
  }

  async answerAudit(of: AnswerAuditParameters, options?: SendOptions): Promise<TxReceipt> {
    requireAuditOf(await this.standing(of.provider, options), of)
    const name = `answer-audit ${of.provider} ${of.period}`
    return this.#send(calls.answerAuditCall(this.network.contracts, of), options, name)
  }

  async recoverDeal(of: RecoverDealParameters, options?: SendOptions): Promise<TxReceipt> {
    const terms = await this.termsOf(of.deal, options)
    const call = calls.recoverDealCall(this.network.contracts, terms, of)
    return this.#send(call, options, `recover ${of.deal}`)
  }

  async resignDeal(deal: DealId, options?: SendOptions): Promise<TxReceipt> {
    const terms = await this.termsOf(deal, options)
    return this.#send(calls.resignDealCall(this.network.contracts, terms), options)
  }

  async openDispute(of: OpenDisputeParameters, options?: SendOptions): Promise<TxReceipt> {
    const { membership, ...entry } = of
    const call = calls.openDisputeCall(this.network.contracts, entry, membership)
    return this.#send(call, options, `dispute ${disputeIdOf(entry)}`)
  }

  async answerDispute(
    entry: DisputedEntry,
    opening: BundleOpening,
    options?: SendOptions,
  ): Promise<TxReceipt> {
    const call = calls.answerDisputeCall(this.network.contracts, entry, opening)
    return this.#send(call, options, `answer-dispute ${disputeIdOf(entry)}`)
  }

  async slashTimeout(
    entry: DisputedEntry,
    usable: readonly Period[],
    options?: SendOptions,
  ): Promise<TxReceipt> {
    const call = calls.slashTimeoutCall(this.network.contracts, entry, usable)
    return this.#send(call, options, `slash ${disputeIdOf(entry)}`)
  }

  async slashAudit(
    provider: ProviderId,
    usable: Period,
    options?: SendOptions,
  ): Promise<TxReceipt> {
    return this.#send(calls.slashAuditCall(this.network.contracts, provider, usable), options)
  }

  async reportMissed(
    provider: ProviderId,
    period: Period,
    options?: SendOptions,
  ): Promise<TxReceipt> {
    const call = calls.reportMissedCall(this.network.contracts, provider, period)
    return this.#send(call, options, `report-missed ${provider} ${period}`)
  }

  async terminateProvider(
    provider: ProviderId,
    periods: readonly Period[],
    options?: SendOptions,
  ): Promise<TxReceipt> {
    const call = calls.terminateProviderCall(this.network.contracts, provider, periods)
    return this.#send(call, options)
  }

  async topUp(deal: DealId, value: Amount, options?: SendOptions): Promise<TxReceipt> {
    const terms = await this.termsOf(deal, options)
    return this.#send(calls.topUpCall(this.network.contracts, terms, value), options)
  }

  async closeByConsent(
    deal: DealId,
    signatures: ConsentSignatures,
    options?: SendOptions,
  ): Promise<TxReceipt> {
    const terms = await this.termsOf(deal, options)
    return this.#send(calls.closeByConsentCall(this.network.contracts, terms, signatures), options)
  }

  declareShownLost(deal: DealId, path: SlotPath, options?: SendOptions): Promise<TxReceipt> {
    return this.declareFault(deal, path, options)
  }

  /** Posts the seed of a period. @param point the round's signature as an EIP-2537 G1 point. */
  async postSeed(period: Period, point: Uint8Array, options?: SendOptions): Promise<TxReceipt> {
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
    await Promise.all([this.#transactor?.closed(), this.#watching])
  }

  /** Nothing stands in its way, and it is worth nothing after its window. */
  #asProof({ period }: { readonly period: Period }, options?: SendOptions): SendOptions {
    return { lane: 'proofs', deadline: periodDeadline(this.network, period), ...options }
  }

  #key(): Signer {
    if (this.#signer === undefined) throw withoutKey()
    return this.#signer
  }

  /** @param name while a write of this name is open, another one joins it. */
  async #send(transaction: Transaction, options?: SendOptions, name?: string): Promise<TxReceipt> {
    const transactor = this.#transactor
    if (transactor === undefined) throw withoutKey()
    return receiptOf(this.network, await transactor.send(transaction, options, name))
  }
}

const withoutKey = (): HoldfastError =>
  new HoldfastError({ code: 'UNAUTHORIZED', reason: 'the ledger was opened without a key' })
