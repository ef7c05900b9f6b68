/**
 * The part of the ledger port that is about committed periods, audits, disputes and the early end of
 * deals: reads, and writes by role. Source: docs/spec/settlement.md. `ledger.ts` joins it to
 * the rest of the port and has its invariants.
 */
import type {
  Address,
  Amount,
  BundleOpening,
  CallOptions,
  DealId,
  DisputedEntry,
  Hash32,
  LeafOpening,
  Period,
  ProviderId,
  Signature,
  SlotLeaf,
  SlotPath,
  Timestamp,
} from '@holdfast/protocol'
import type { TxReceipt } from './ledger-events.ts'
import type { SendOptions } from './send-options.ts'

export type { DisputedEntry } from '@holdfast/protocol'

/** An audit that a provider owes. While it does, it can neither commit nor prove another period. */
export interface OwedAudit {
  /** The newest marked period. */
  readonly period: Period
  /** From here on anybody may slash for it, unless the next period is void; answered until then. */
  readonly dueAt: Timestamp
}

/** How a provider stands with the rules, at the newest block. */
export interface ProviderStanding {
  /** The first period whose outcome can still change. Nothing from it on is paid. */
  readonly finalBefore: Period
  /** The newest period that was marked as proven, even if its mark was taken back. */
  readonly newest: Period | undefined
  /** The next commit will owe an audit. */
  readonly auditNext: boolean
  readonly audit: OwedAudit | undefined
  /** Disputes that are neither answered nor slashed. */
  readonly openDisputes: number
  /** What opening a dispute against it takes now, in the network's first token. */
  readonly bond: Amount
  /** The first period that no deal of it counts. */
  readonly terminatedAt: Period | undefined
}

export interface Dispute extends DisputedEntry {
  readonly state: 'open' | 'answered' | 'lost' | 'expired'
  readonly opener: Address
  readonly openedAt: Timestamp
  readonly bond: Amount
}

export interface SettlementReader {
  /** How a provider stands; that of one without a marked period when it is not registered. */
  standing(provider: ProviderId, options?: CallOptions): Promise<ProviderStanding>
  /**
   * The bundle root that was committed for a period of the last 8; undefined for older ones and for
   * those without one or whose tree is no longer kept. A mark that was taken back takes its root
   * along, but for as long as another dispute about the period is open.
   */
  committed(
    provider: ProviderId,
    period: Period,
    options?: CallOptions,
  ): Promise<Hash32 | undefined>
  /** Written-down misses in from <= p < to. */
  missed(
    provider: ProviderId,
    from: Period,
    to: Period,
    options?: CallOptions,
  ): Promise<readonly Period[]>
  /** F(before): units that written-down misses before a period charge. */
  missUnits(provider: ProviderId, before: Period, options?: CallOptions): Promise<bigint>
  /** Disputes against a provider that are open, oldest first. */
  disputes(provider: ProviderId, options?: CallOptions): Promise<readonly Dispute[]>
  /** What became of a dispute about this entry; undefined when there never was one. */
  dispute(entry: DisputedEntry, options?: CallOptions): Promise<Dispute | undefined>
}

/** That a deal is in a period's tree: what opening a dispute of class deal shows. */
export interface DealMembership {
  readonly leaf: SlotLeaf
  readonly path: SlotPath
}

export interface OpenDisputeParameters extends DisputedEntry {
  /** In the tree of the period; needed exactly when the question is of class deal. */
  readonly membership: DealMembership | undefined
}

export interface ConsentSignatures {
  /** Of `consentDigest`, by the client. */
  readonly client: Signature
  /** Of `consentDigest`, by the provider's operator. */
  readonly operator: Signature
}

/** What anybody with a key may do. */
export interface SettlementAccount extends SettlementReader {
  /**
   * Asks a provider to show one entry on chain. Takes the bond (`ProviderStanding.bond`) from the free
   * balance in the network's first token; returned with half of the slash when it is not answered.
   * @throws HoldfastError `DISPUTE_STATE` when it was disputed before, `WINDOW_CLOSED` when it is too
   *   late, `PROVIDER_STATE` when the period is not committed or too many are open; `PROOF_INVALID`
   *   for the membership; `FUNDS_INSUFFICIENT`.
   */
  openDispute(parameters: OpenDisputeParameters, options?: SendOptions): Promise<TxReceipt>
  /**
   * Shows the disputed entry; until it is slashed, however late. The bond goes to the provider.
   * @throws HoldfastError `DISPUTE_STATE` when none is open, `PROOF_INVALID`.
   */
  answerDispute(
    entry: DisputedEntry,
    opening: BundleOpening,
    options?: SendOptions,
  ): Promise<TxReceipt>
  /**
   * Ends a dispute that nobody answered in time.
   * @param usable ceil(T / P) periods that show the chain was usable (`usablePeriods`); none for one
   *   that is 30 periods old and expires, because fewer of those had a seed.
   * @throws HoldfastError `DISPUTE_STATE` when none is open, its time has not passed, or it does not
   *   expire.
   */
  slashTimeout(
    entry: DisputedEntry,
    usable: readonly Period[],
    options?: SendOptions,
  ): Promise<TxReceipt>
  /**
   * Ends an audit that is overdue; half of the slash is the sender's.
   * @param usable a period after the audited one that had a seed and is over; the audited one itself
   *   when none of the 29 after it had one and 30 have passed: it expires, and nobody is slashed.
   * @throws HoldfastError `NOTHING_TO_DO` when none is owed, `PROVIDER_STATE` when it is not late.
   */
  slashAudit(provider: ProviderId, usable: Period, options?: SendOptions): Promise<TxReceipt>
  /**
   * Writes a missed period down, which then is charged.
   * @throws HoldfastError `PROVIDER_STATE` when it is not missed or final; `NOTHING_TO_DO` when it is
   *   written down already or can still be proven.
   */
  reportMissed(provider: ProviderId, period: Period, options?: SendOptions): Promise<TxReceipt>
  /**
   * Ends all deals of a provider that missed fourteen periods without a proven one in between.
   * @throws HoldfastError `PROVIDER_STATE`.
   */
  terminateProvider(
    provider: ProviderId,
    periods: readonly Period[],
    options?: SendOptions,
  ): Promise<TxReceipt>
  /**
   * Adds to a deal's deposit from the sender's free balance, up to the cost of the term.
   * @throws HoldfastError `DEAL_STATE` after notice or the end, `TERMS_INVALID`, `FUNDS_INSUFFICIENT`.
   */
  topUp(deal: DealId, amount: Amount, options?: SendOptions): Promise<TxReceipt>
  /** Ends a deal after this period, with both signatures. */
  closeByConsent(
    deal: DealId,
    signatures: ConsentSignatures,
    options?: SendOptions,
  ): Promise<TxReceipt>
  /** Declares the fault of a deal that a lost dispute has shown to be lost. */
  declareShownLost(deal: DealId, path: SlotPath, options?: SendOptions): Promise<TxReceipt>
}

export interface CommitPeriodParameters {
  readonly provider: ProviderId
  readonly period: Period
  /** The root of its bundle. */
  readonly root: Hash32
}

export interface AnswerAuditParameters {
  readonly provider: ProviderId
  /** The period whose audit is owed. */
  readonly period: Period
  /** Global entries 0 .. `directChallenges` - 1 of its bundle, in order. */
  readonly openings: readonly BundleOpening[]
}

export interface RecoverDealParameters {
  readonly deal: DealId
  /** The empty slot that the deal takes, with its path. */
  readonly path: SlotPath
  /** Its five deal challenges of the current period, in order. */
  readonly openings: readonly LeafOpening[]
}

/** What a provider's operator may do besides. */
export interface SettlementProvider extends SettlementAccount {
  /**
   * Marks a period as proven by the root of its bundle.
   * @throws HoldfastError `UNAUTHORIZED` unless the sender operates this provider; `SEED_MISSING`,
   *   `WINDOW_CLOSED`, `NOTHING_TO_DO` when it is marked; `PROVIDER_STATE` while an audit is owed.
   */
  commitPeriod(parameters: CommitPeriodParameters, options?: SendOptions): Promise<TxReceipt>
  /** @throws HoldfastError `NOTHING_TO_DO` when this audit is not owed, `PROOF_INVALID`. */
  answerAudit(parameters: AnswerAuditParameters, options?: SendOptions): Promise<TxReceipt>
  /** The bytes are back: the deal takes a slot again and is paid from the next period on. */
  recoverDeal(parameters: RecoverDealParameters, options?: SendOptions): Promise<TxReceipt>
  /** Gives notice as the provider. */
  resignDeal(deal: DealId, options?: SendOptions): Promise<TxReceipt>
}
