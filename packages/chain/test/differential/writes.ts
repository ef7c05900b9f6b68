/**
 * What the histories write, on both sides in the same words: the ledger port, of which the chain's
 * side is made here from the adapter's own encodings. Terms come from the history, not from the log.
 */
import type {
  Address,
  Amount,
  BundleOpening,
  DealId,
  DealTerms,
  Period,
  SlotPath,
} from '@holdfast/protocol'
import * as calls from '../../src/evm/settlement-calls.ts'
import { requireAuditOf, requireOperator } from '../../src/evm/settlement-reads.ts'
import type { Transaction } from '../../src/evm/transactor.ts'
import * as write from '../../src/evm/write.ts'
import type {
  AnswerAuditParameters,
  CommitPeriodParameters,
  ConsentSignatures,
  DisputedEntry,
  Ledger,
  LedgerEvent,
  OpenDealParameters,
  OpenDisputeParameters,
  ProvePeriodParameters,
  ProviderSettings,
  RecoverDealParameters,
} from '../../src/ledger.ts'
import type { Stage } from './stage.ts'

/** The port's writes, as far as they are told: events out, refusals thrown. */
type Writing<K extends keyof Ledger> = {
  readonly [N in K]: Ledger[N] extends (...args: infer P) => Promise<unknown>
    ? (...args: P) => Promise<{ readonly events: readonly LedgerEvent[] }>
    : never
}

export type Writes = Writing<
  | ('deposit' | 'withdraw' | 'claim' | 'settle' | 'closeDeal' | 'terminateDeal' | 'resignDeal')
  | ('registerProvider' | 'updateProvider' | 'addStake' | 'withdrawStake' | 'openDeal')
  | ('provePeriod' | 'commitPeriod' | 'answerAudit' | 'declareFault' | 'recoverDeal')
  | ('releaseSlot' | 'openDispute' | 'answerDispute' | 'slashTimeout' | 'slashAudit')
  | ('reportMissed' | 'terminateProvider' | 'topUp' | 'closeByConsent' | 'declareShownLost')
>

type Done = Promise<{ readonly events: readonly LedgerEvent[] }>

/** One account's writes on the chain. */
export class ChainWrites implements Writes {
  readonly #stage: Stage
  readonly #account: Address
  readonly #termsOf: (deal: DealId) => DealTerms

  constructor(stage: Stage, account: Address, termsOf: (deal: DealId) => DealTerms) {
    this.#stage = stage
    this.#account = account
    this.#termsOf = termsOf
  }

  get #at() {
    return this.#stage.network.contracts
  }

  async #send(call: Transaction): Done {
    return { events: await this.#stage.send(this.#account, call) }
  }

  deposit(token: Address, amount: Amount): Done {
    return this.#send(write.depositCall(this.#at, { token, owner: this.#account, amount }))
  }

  withdraw(token: Address, amount: Amount): Done {
    return this.#send(write.withdrawCall(this.#at, { token, owner: this.#account, amount }))
  }

  claim(token: Address, provider: Address): Done {
    return this.#send(write.claimCall(this.#at, token, provider))
  }

  settle(deals: readonly DealId[]): Done {
    return this.#send(write.settleCall(this.#at, deals))
  }

  closeDeal(deal: DealId): Done {
    return this.#send(write.closeDealCall(this.#at, this.#termsOf(deal)))
  }

  terminateDeal(deal: DealId): Done {
    return this.#send(write.terminateDealCall(this.#at, this.#termsOf(deal)))
  }

  resignDeal(deal: DealId): Done {
    return this.#send(calls.resignDealCall(this.#at, this.#termsOf(deal)))
  }

  registerProvider(settings: ProviderSettings, stake: Amount): Done {
    return this.#send(write.registerCall(this.#at, settings, stake))
  }

  updateProvider(_provider: Address, settings: ProviderSettings): Done {
    return this.#send(write.updateCall(this.#at, settings))
  }

  addStake(amount: Amount): Done {
    return this.#send(write.addStakeCall(this.#at, amount))
  }

  withdrawStake(amount: Amount): Done {
    return this.#send(write.withdrawStakeCall(this.#at, amount))
  }

  openDeal(parameters: OpenDealParameters): Done {
    return this.#send(write.openDealCall(this.#at, parameters))
  }

  provePeriod(parameters: ProvePeriodParameters): Done {
    return this.#send(write.provePeriodCall(this.#at, parameters))
  }

  async commitPeriod(parameters: CommitPeriodParameters): Done {
    const record = await this.#stage.reader.provider(parameters.provider)
    requireOperator(record, { ...parameters, account: this.#account })
    return this.#send(calls.commitPeriodCall(this.#at, parameters))
  }

  async answerAudit(parameters: AnswerAuditParameters): Done {
    requireAuditOf(await this.#stage.reader.standing(parameters.provider), parameters)
    return this.#send(calls.answerAuditCall(this.#at, parameters))
  }

  declareFault(deal: DealId, path: SlotPath): Done {
    return this.#send(write.declareFaultCall(this.#at, this.#termsOf(deal), path))
  }

  declareShownLost(deal: DealId, path: SlotPath): Done {
    return this.declareFault(deal, path)
  }

  recoverDeal(parameters: RecoverDealParameters): Done {
    const terms = this.#termsOf(parameters.deal)
    return this.#send(calls.recoverDealCall(this.#at, terms, parameters))
  }

  releaseSlot(deal: DealId, path: SlotPath): Done {
    return this.#send(write.releaseSlotCall(this.#at, this.#termsOf(deal), path))
  }

  openDispute({ membership, ...entry }: OpenDisputeParameters): Done {
    return this.#send(calls.openDisputeCall(this.#at, entry, membership))
  }

  answerDispute(entry: DisputedEntry, opening: BundleOpening): Done {
    return this.#send(calls.answerDisputeCall(this.#at, entry, opening))
  }

  slashTimeout(entry: DisputedEntry, usable: readonly Period[]): Done {
    return this.#send(calls.slashTimeoutCall(this.#at, entry, usable))
  }

  slashAudit(provider: Address, usable: Period): Done {
    return this.#send(calls.slashAuditCall(this.#at, provider, usable))
  }

  reportMissed(provider: Address, period: Period): Done {
    return this.#send(calls.reportMissedCall(this.#at, provider, period))
  }

  terminateProvider(provider: Address, periods: readonly Period[]): Done {
    return this.#send(calls.terminateProviderCall(this.#at, provider, periods))
  }

  topUp(deal: DealId, value: Amount): Done {
    return this.#send(calls.topUpCall(this.#at, this.#termsOf(deal), value))
  }

  closeByConsent(deal: DealId, signatures: ConsentSignatures): Done {
    return this.#send(calls.closeByConsentCall(this.#at, this.#termsOf(deal), signatures))
  }
}
