/**
 * Logs of our contracts as ledger events. A log counts only when it comes from the contract that
 * owns the event; events that nobody folds are left out.
 */
import {
  type Address,
  address,
  amount,
  type BundleQuestion,
  bytes,
  type DealTerms,
  dealId,
  type Hex,
  hash32,
  leaves,
  period,
  periods,
  rate,
  root,
  schemeId,
  slotIndex,
  timestamp,
  ZERO_HASH,
} from '@holdfast/protocol'
import { type DecodeEventLogReturnType, decodeEventLog, type Hex as ViemHex } from 'viem'
import {
  dealMarketAbi,
  disputesAbi,
  drandBeaconAbi,
  proofLedgerAbi,
  providerRegistryAbi,
  vaultAbi,
} from '../generated/contracts.ts'
import type { LedgerEvent, NetworkParams } from '../ledger.ts'

/** As much of a log as decoding takes. */
export interface EventLog {
  readonly address: string
  readonly topics: readonly ViemHex[]
  readonly data: ViemHex
}

/** The struct as the ABI decodes it. */
type RawTerms = DecodeEventLogReturnType<typeof dealMarketAbi, 'DealOpened'>['args']['terms']

const termsFrom = (raw: RawTerms): DealTerms => ({
  client: address(raw.client),
  provider: address(raw.provider),
  token: address(raw.token),
  scheme: schemeId(raw.scheme),
  root: root(raw.root),
  length: bytes(raw.length),
  dataset: hash32(raw.dataset),
  rate: rate(raw.rate),
  periods: periods(raw.periods),
  deposit: amount(raw.deposit),
  collateral: amount(raw.collateral),
  notice: periods(raw.notice),
  replacementCost: amount(raw.replacementCost),
  egressPrice: amount(raw.egressPrice),
  attributes: hash32(raw.attributes),
  takedown: hash32(raw.takedown),
  openBefore: timestamp(raw.openBefore),
  nonce: hash32(raw.nonce),
})

type Decoder = (log: EventLog) => LedgerEvent | undefined

/** Data and topics as viem's decoder types them. */
const parts = (
  log: EventLog,
): { readonly data: ViemHex; readonly topics: [ViemHex, ...ViemHex[]] } => ({
  data: log.data,
  topics: log.topics as [ViemHex, ...ViemHex[]],
})

const fromVault: Decoder = (log) => {
  const { eventName, args } = decodeEventLog({ abi: vaultAbi, ...parts(log) })
  if (eventName === 'FeesWithdrawn') return undefined
  const moved = { token: address(args.token), amount: amount(args.amount) }
  if (eventName === 'Claimed') {
    const [provider, beneficiary] = [address(args.provider), address(args.beneficiary)]
    return { kind: 'claimed', provider, beneficiary, ...moved }
  }
  const kind = eventName === 'Deposited' ? 'deposited' : 'withdrawn'
  return { kind, owner: address(args.owner), ...moved }
}

const fromRegistry: Decoder = (log) => {
  const { eventName, args } = decodeEventLog({ abi: providerRegistryAbi, ...parts(log) })
  const provider = address(args.provider)
  switch (eventName) {
    case 'ProviderStopped':
      return { kind: 'provider-stopped', provider }
    case 'ProviderRegistered': {
      const { endpoint } = args.settings
      return {
        kind: 'provider-registered',
        provider,
        operator: address(args.operator),
        endpoint,
      }
    }
    case 'ProviderUpdated':
      return { kind: 'provider-updated', provider }
    case 'StakeChanged':
      return { kind: 'stake-changed', provider, stake: amount(args.stake) }
  }
}

const fromMarket: Decoder = (log) => {
  const { eventName, args } = decodeEventLog({ abi: dealMarketAbi, ...parts(log) })
  switch (eventName) {
    case 'DealOpened':
      return {
        kind: 'deal-opened',
        deal: dealId(args.deal),
        terms: termsFrom(args.terms),
        slot: slotIndex(args.slot),
        start: period(args.start),
        end: period(args.end),
      }
    case 'DealSettled':
      return {
        kind: 'deal-settled',
        deal: dealId(args.deal),
        through: period(args.through),
        paid: amount(args.paid),
        fee: amount(args.fee),
      }
    default:
      return fromEnding(log)
  }
}

/** What brings a deal nearer to its end, or takes it further away. */
const fromEnding: Decoder = (log) => {
  const { eventName, args } = decodeEventLog({ abi: dealMarketAbi, ...parts(log) })
  switch (eventName) {
    case 'DealFaulted':
      return { kind: 'deal-faulted', deal: dealId(args.deal), period: period(args.period) }
    case 'DealRecovered':
      return {
        kind: 'deal-recovered',
        deal: dealId(args.deal),
        slot: slotIndex(args.slot),
        period: period(args.period),
      }
    case 'DealTerminated':
      return { kind: 'deal-terminated', deal: dealId(args.deal), end: period(args.end) }
    case 'DealToppedUp': {
      const deal = dealId(args.deal)
      return { kind: 'deal-topped-up', deal, amount: amount(args.amount), end: period(args.end) }
    }
    case 'DealClosed':
      return {
        kind: 'deal-closed',
        deal: dealId(args.deal),
        refunded: amount(args.refunded),
        returned: amount(args.returned),
        compensation: amount(args.compensated),
        forfeited: amount(args.forfeited),
      }
    default:
      return undefined
  }
}

const fromProofs: Decoder = (log) => {
  const { eventName, args } = decodeEventLog({ abi: proofLedgerAbi, ...parts(log) })
  const provider = address(args.provider)
  switch (eventName) {
    case 'SlotChanged': {
      const deal = dealId(args.deal)
      return {
        kind: 'slot-changed',
        provider,
        slot: slotIndex(args.slot),
        deal: (deal as Hex) === ZERO_HASH ? undefined : deal,
        root: hash32(args.root),
        weight: leaves(args.weight),
      }
    }
    case 'PeriodCommitted': {
      const bundle = { period: period(args.period), root: hash32(args.bundleRoot) }
      return { kind: 'period-committed', provider, ...bundle }
    }
    case 'PeriodProven':
      return { kind: 'period-proven', provider, period: period(args.period) }
    case 'PeriodRevoked':
      return { kind: 'period-unmarked', provider, period: period(args.period) }
    case 'PeriodMissed':
      return { kind: 'period-missed', provider, period: period(args.period) }
    case 'AuditAnswered':
      return { kind: 'audit-answered', provider, period: period(args.period) }
    case 'ProviderTerminated':
      return { kind: 'provider-terminated', provider, at: period(args.terminatedAt) }
    default:
      return undefined
  }
}

/** In the class global `deal` is zero. */
const questionFrom = (raw: {
  readonly class: number
  readonly deal: string
  readonly i: number
}): BundleQuestion =>
  raw.class === 0
    ? { class: 'global', i: raw.i }
    : { class: 'deal', deal: dealId(raw.deal), i: raw.i }

const fromDisputes: Decoder = (log) => {
  const { eventName, args } = decodeEventLog({ abi: disputesAbi, ...parts(log) })
  const about = { provider: address(args.provider), period: period(args.period) }
  if (eventName === 'DealShownLost') {
    return { kind: 'deal-shown-lost', deal: dealId(args.deal), period: about.period }
  }
  if (eventName === 'AuditLost') {
    const [reporter, slashed] = [address(args.caller), amount(args.slashed)]
    return { kind: 'audit-lost', ...about, reporter, slashed }
  }
  const ref = { dispute: hash32(args.id), ...about }
  switch (eventName) {
    case 'DisputeOpened': {
      const [opener, bond] = [address(args.opener), amount(args.bond)]
      return { kind: 'dispute-opened', ...ref, question: questionFrom(args), opener, bond }
    }
    case 'DisputeAnswered':
      return { kind: 'dispute-answered', ...ref }
    case 'DisputeLost': {
      const [opener, slashed] = [address(args.opener), amount(args.slashed)]
      return { kind: 'dispute-lost', ...ref, opener, slashed }
    }
    case 'DisputeExpired':
      return { kind: 'dispute-expired', ...ref }
  }
}

const fromBeacon: Decoder = (log) => {
  const { args } = decodeEventLog({ abi: drandBeaconAbi, ...parts(log) })
  return { kind: 'seed-posted', period: period(args.period), seed: hash32(args.seed) }
}

/** The addresses whose logs matter. */
export const contractAddresses = ({ contracts }: NetworkParams): readonly Address[] => [
  contracts.vault,
  contracts.registry,
  contracts.market,
  contracts.proofs,
  contracts.disputes,
  contracts.beacon,
]

/** The ledger event of a log, or undefined when it is none. */
export const decodeEvent = (
  { contracts }: NetworkParams,
  log: EventLog,
): LedgerEvent | undefined => {
  switch (log.address.toLowerCase()) {
    case contracts.vault:
      return fromVault(log)
    case contracts.registry:
      return fromRegistry(log)
    case contracts.market:
      return fromMarket(log)
    case contracts.proofs:
      return fromProofs(log)
    case contracts.disputes:
      return fromDisputes(log)
    case contracts.beacon:
      return fromBeacon(log)
    default:
      return undefined
  }
}
