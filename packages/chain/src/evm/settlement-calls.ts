/**
 * What each write about committed periods, audits, disputes and the early end of deals says to which
 * contract: encoding only, as write.ts for the rest.
 */
import {
  type Amount,
  answerHead,
  type BundleOpening,
  concatBytes,
  type DealTerms,
  type DisputedEntry,
  encodeBundleOpening,
  fromHex,
  type Hex,
  type LeafOpening,
  type Period,
  type ProviderId,
  toHex,
  toNumber,
  uintBytes,
  ZERO_HASH,
} from '@holdfast/protocol'
import { dealMarketAbi, disputesAbi, proofLedgerAbi } from '../generated/contracts.ts'
import type {
  AnswerAuditParameters,
  CommitPeriodParameters,
  ConsentSignatures,
  DealMembership,
  NetworkParams,
  RecoverDealParameters,
} from '../ledger.ts'
import { callOf } from './call.ts'
import type { Transaction } from './transactor.ts'
import { pathBytes, rawTerms } from './write.ts'

type Contracts = NetworkParams['contracts']

const GLOBAL = 0
const DEAL = 1

/** The question as the ABI takes it. */
const rawQuestion = ({ question }: DisputedEntry) => ({
  class: question.class === 'global' ? GLOBAL : DEAL,
  deal: question.class === 'global' ? ZERO_HASH : question.deal,
  i: question.i,
})

/** provider 20 ‖ period 7 ‖ class 1 ‖ i 4: types/Place.sol. */
const placeOf = ({ provider, period, question }: DisputedEntry): Hex =>
  toHex(
    concatBytes(
      ...[fromHex(provider), uintBytes(period, 7)],
      ...[Uint8Array.of(question.class === 'global' ? GLOBAL : DEAL)],
      uintBytes(BigInt(question.i), 4),
    ),
  )

/** The head of an answer shows a deal's slot; the class global shows none. */
const membershipBytes = (membership: DealMembership | undefined): Hex =>
  membership === undefined
    ? '0x'
    : toHex(answerHead({ leaf: membership.leaf, slot: membership.path }))

export const commitPeriodCall = (
  contracts: Contracts,
  { period, root }: CommitPeriodParameters,
): Transaction =>
  callOf(contracts.proofs, {
    abi: proofLedgerAbi,
    functionName: 'commitPeriod',
    args: [period, root],
  })

export const answerAuditCall = (
  contracts: Contracts,
  { provider, openings }: AnswerAuditParameters,
): Transaction =>
  callOf(contracts.proofs, {
    abi: proofLedgerAbi,
    functionName: 'answerAudit',
    args: [provider, openings.map((opening) => toHex(encodeBundleOpening(opening)))],
  })

export const reportMissedCall = (
  contracts: Contracts,
  provider: ProviderId,
  period: Period,
): Transaction =>
  callOf(contracts.proofs, {
    abi: proofLedgerAbi,
    functionName: 'reportMissed',
    args: [provider, period],
  })

export const terminateProviderCall = (
  contracts: Contracts,
  provider: ProviderId,
  periods: readonly Period[],
): Transaction =>
  callOf(contracts.proofs, {
    abi: proofLedgerAbi,
    functionName: 'terminateProvider',
    args: [provider, periods],
  })

export const openDisputeCall = (
  contracts: Contracts,
  entry: DisputedEntry,
  membership: DealMembership | undefined,
): Transaction =>
  callOf(contracts.disputes, {
    abi: disputesAbi,
    functionName: 'openDispute',
    args: [entry.provider, entry.period, rawQuestion(entry), membershipBytes(membership)],
  })

export const answerDisputeCall = (
  contracts: Contracts,
  entry: DisputedEntry,
  opening: BundleOpening,
): Transaction =>
  callOf(contracts.disputes, {
    abi: disputesAbi,
    functionName: 'answerDispute',
    args: [placeOf(entry), toHex(encodeBundleOpening(opening))],
  })

export const slashTimeoutCall = (
  contracts: Contracts,
  entry: DisputedEntry,
  usable: readonly Period[],
): Transaction =>
  callOf(contracts.disputes, {
    abi: disputesAbi,
    functionName: 'slashTimeout',
    args: [entry.provider, entry.period, rawQuestion(entry), usable],
  })

export const slashAuditCall = (
  contracts: Contracts,
  provider: ProviderId,
  usable: Period,
): Transaction =>
  callOf(contracts.disputes, {
    abi: disputesAbi,
    functionName: 'slashAudit',
    args: [provider, usable],
  })

/** leaf 1024 ‖ path, as the market takes opened leaves. */
const leafBytes = ({ leaf, path }: LeafOpening): Hex => toHex(concatBytes(leaf, path))

export const recoverDealCall = (
  contracts: Contracts,
  terms: DealTerms,
  { path, openings }: RecoverDealParameters,
): Transaction =>
  callOf(contracts.market, {
    abi: dealMarketAbi,
    functionName: 'recoverDeal',
    args: [rawTerms(terms), toNumber(path.slot), pathBytes(path), openings.map(leafBytes)],
  })

export const resignDealCall = (contracts: Contracts, terms: DealTerms): Transaction =>
  callOf(contracts.market, {
    abi: dealMarketAbi,
    functionName: 'resignDeal',
    args: [rawTerms(terms)],
  })

export const topUpCall = (contracts: Contracts, terms: DealTerms, amount: Amount): Transaction =>
  callOf(contracts.market, {
    abi: dealMarketAbi,
    functionName: 'topUp',
    args: [rawTerms(terms), amount],
  })

export const closeByConsentCall = (
  contracts: Contracts,
  terms: DealTerms,
  { client, operator }: ConsentSignatures,
): Transaction =>
  callOf(contracts.market, {
    abi: dealMarketAbi,
    functionName: 'closeByConsent',
    args: [rawTerms(terms), client, operator],
  })
