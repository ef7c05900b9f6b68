/**
 * The one map from what the contracts refuse to what Holdfast calls it. Every Solidity error, ours
 * and those we inherit, has an entry; a test fails for one without.
 */
import type { HoldfastErrorDetail } from '@holdfast/protocol'

export type Args = readonly unknown[]
export type Entry = (args: Args) => HoldfastErrorDetail

const text = (value: unknown): string =>
  typeof value === 'string' && value.startsWith('0x') ? value.toLowerCase() : String(value)
const integer = (value: unknown): bigint =>
  typeof value === 'bigint' ? value : BigInt(Number(value))

const proof = (reason: string): Entry => {
  return (args) => ({
    code: 'PROOF_INVALID',
    reason: args.length === 0 ? reason : `${reason} (${args.map(text).join(', ')})`,
  })
}
const terms = (field: string, reason: string): Entry => {
  return (args) => ({
    code: 'TERMS_INVALID',
    field,
    reason: args.length === 0 ? reason : `${reason} (${args.map(text).join(', ')})`,
  })
}
/** Deal first, then what the reason speaks of. */
const deal = (reason: string): Entry => {
  return ([id, ...rest]) => ({
    code: 'DEAL_STATE',
    deal: text(id),
    reason: rest.length === 0 ? reason : `${reason} (${rest.map(text).join(', ')})`,
  })
}
const provider = (reason: string): Entry => {
  return ([id, ...rest]) => ({
    code: 'PROVIDER_STATE',
    provider: text(id),
    reason: rest.length === 0 ? reason : `${reason} (${rest.map(text).join(', ')})`,
  })
}
/** Dispute first. */
const dispute = (reason: string): Entry => {
  return ([id, ...rest]) => ({
    code: 'DISPUTE_STATE',
    dispute: text(id),
    reason: rest.length === 0 ? reason : `${reason} (${rest.map(text).join(', ')})`,
  })
}
const caller = (who: string): Entry => {
  return (args) => ({ code: 'UNAUTHORIZED', reason: `${who} (${args.map(text).join(', ')})` })
}
const windowClosed: Entry = ([of, deadline]) => ({
  code: 'WINDOW_CLOSED',
  period: integer(of),
  deadline: integer(deadline),
})
const signature: Entry = ([expected, actual]) => ({
  code: 'SIGNATURE_INVALID',
  expected: text(expected),
  actual: text(actual ?? 'a signature that it did not make'),
})
const unsuitable = (reason: string): Entry => {
  return (args) => ({ code: 'CHAIN_UNSUITABLE', reason: [reason, ...args.map(text)].join(' ') })
}
/** Rules that our own calls cannot break: kept by name, so that the log says which it was. */
export const named = (error: string): Entry => {
  return (args) => ({ code: 'TX_REVERTED', error, args: args.map(text) })
}

const ANSWERS: Readonly<Record<string, Entry>> = {
  AnswerLeaves: proof('an answer claims an impossible number of leaves'),
  AnswerLength: proof('an answer has the wrong length (expected, actual)'),
  AnswerPayloadMismatch: proof('a leaf does not open the payload root (expected, actual)'),
  AnswerPositionOutside: proof('an answer is not about the challenged position'),
  AnswerScheme: proof('an answer names an unknown scheme'),
  AnswerSlotOutside: proof('an answer names a slot outside the tree'),
  AnswerTreeMismatch: proof('a deal does not open the provider tree (expected, actual)'),
  BundleCount: proof('a bundle has an impossible number of entries'),
  BundleDeal: proof('an opened entry is about another deal (expected, actual)'),
  BundleMismatch: proof('an entry does not open the committed bundle (expected, actual)'),
  BundleOpeningLength: proof('an opening is too short (least, actual)'),
  BundlePlace: proof('an entry does not stand where its question belongs'),
  BundleWithoutWeight: proof('there was nothing to prove'),
  MarketRecoveryCount: proof('the number of opened leaves is wrong (expected, actual)'),
  MarketRecoveryInvalid: proof('a leaf does not open the signed root (number)'),
  PayloadHashFailed: unsuitable('the SHA-256 precompile failed'),
  TreeFull: proof('the provider tree is full'),
  TreePathLength: proof('the slot path has the wrong length (expected, actual)'),
  TreePathMismatch: proof('the slot path does not open the provider tree (expected, actual)'),
  TreeSlotOutside: proof('the slot is outside the tree (slot, slots)'),
  TreeWeightOverflow: proof('the weights of the slot path are too large'),
}

const PROOFS: Readonly<Record<string, Entry>> = {
  ProofsAlreadyProven: ([of]) => ({
    code: 'NOTHING_TO_DO',
    reason: `period ${text(of)} is proven already`,
  }),
  ProofsAnswerCount: proof('the number of answers is wrong (expected, actual)'),
  ProofsAuditNotExpired: provider(
    'its audit is slashed, it does not expire (period, usable period)',
  ),
  ProofsAuditNotLate: provider('its audit can still be answered (period, usable period)'),
  ProofsAuditNotOwed: ([id]) => ({
    code: 'NOTHING_TO_DO',
    reason: `${text(id)} owes no audit`,
  }),
  ProofsAuditOwed: provider('it owes an audit first (period)'),
  ProofsBundleInvalid: proof('a bundle root is above 1'),
  ProofsCallerNotBeacon: caller('only the beacon may'),
  ProofsCallerNotDisputes: caller('only the disputes may'),
  ProofsCallerNotMarket: caller('only the market may'),
  ProofsCallerNotOperator: caller("only the provider's operator proves (provider, sender)"),
  ProofsCallerNotRegistry: caller('only the registry may'),
  ProofsDisputeOpen: provider('a dispute about an old period is still open (period)'),
  ProofsDisputeTooLate: windowClosed,
  ProofsDisputesFull: provider('it has as many open disputes as are allowed'),
  ProofsMissRecorded: ([, of]) => ({
    code: 'NOTHING_TO_DO',
    reason: `the miss of period ${text(of)} is written down already`,
  }),
  ProofsMissTooFar: provider('an earlier period must become final first (period, limit)'),
  ProofsNotCommitted: provider('it has no bundle for that period (period)'),
  ProofsNotMissed: provider('it did not miss that period (period)'),
  ProofsPeriodFinal: provider('that period is final (period)'),
  ProofsPeriodNotStarted: ([of]) => ({ code: 'SEED_MISSING', period: integer(of) }),
  ProofsSeedMissing: ([of]) => ({ code: 'SEED_MISSING', period: integer(of) }),
  ProofsSnapshotGone: provider('its tree of that period is no longer kept (period)'),
  ProofsTreeEmpty: provider('its tree of that period is empty (period)'),
  ProofsRulesInvalid: named('ProofsRulesInvalid'),
  ProofsTerminated: provider('it was terminated (period)'),
  ProofsTerminationInvalid: provider('it did not miss 14 periods in a row'),
  ProofsWindowClosed: windowClosed,
  ProofsWindowOpen: ([of]) => ({
    code: 'NOTHING_TO_DO',
    reason: `period ${text(of)} can still be proven`,
  }),
}

const MARKET: Readonly<Record<string, Entry>> = {
  MarketCallerNotClient: caller('only the client may (client, sender)'),
  MarketCallerNotVault: caller('only the vault may'),
  MarketCallerNotOperator: caller('only the operator may (operator, sender)'),
  MarketClientSignatureInvalid: signature,
  MarketDealClosed: deal('it is closed'),
  MarketDealEnded: deal('it has ended (end)'),
  MarketDealExists: ([id]) => ({ code: 'DEAL_EXISTS', deal: text(id) }),
  MarketDealFaulted: deal('it is faulty already'),
  MarketDealNotFaulted: deal('it is not faulty'),
  MarketNoticeGiven: deal('notice was given'),
  MarketTopUpTooLarge: terms('deposit', 'it would pass the cost of the whole term (most, actual)'),
  MarketDealNotEnded: deal('it has not ended (end)'),
  MarketDealNotFinal: deal('its last period is not final (end, final before)'),
  MarketDealUnknown: ([id]) => ({ code: 'DEAL_NOT_FOUND', deal: text(id) }),
  MarketDepositTooSmall: terms('deposit', 'it does not pay for the notice (needed, actual)'),
  MarketFeeInvalid: named('MarketFeeInvalid'),
  MarketOpenTooLate: terms('openBefore', 'it is over (open before, block time)'),
  MarketOperatorSignatureInvalid: signature,
  MarketProviderNotAccepting: provider('it takes no new deals'),
  MarketSlotFree: deal('it is in no slot'),
  MarketTermsInvalid: ([field]) => ({
    code: 'TERMS_INVALID',
    field: text(field),
    reason: 'the market does not take it',
  }),
  MarketWiringInvalid: named('MarketWiringInvalid'),
  PayloadEmpty: () => ({ code: 'PAYLOAD_EMPTY' }),
  PayloadTooLarge: ([limit, actual]) => ({
    code: 'PAYLOAD_TOO_LARGE',
    limit: integer(limit),
    actual: integer(actual),
  }),
}

const DISPUTES: Readonly<Record<string, Entry>> = {
  DisputesCallerNotMarket: caller('only the market may'),
  DisputesExists: dispute('it was disputed before'),
  DisputesNotExpired: dispute('it is slashed, it does not expire: the chain was usable (period)'),
  DisputesNotMember: proof('membership is about another deal (deal)'),
  DisputesNotOpen: dispute('no such dispute is open'),
  DisputesNotUsable: proof('those periods do not show the chain usable (needed, period)'),
  DisputesQuestionInvalid: proof('there is no such entry in a bundle (class, deal, number)'),
  DisputesTooEarly: dispute('the provider still has time (not before)'),
  DisputesWiringInvalid: named('DisputesWiringInvalid'),
}

const REGISTRY: Readonly<Record<string, Entry>> = {
  RegistryOperatorTaken: ([operator, owner]) => ({
    code: 'PROVIDER_STATE',
    provider: text(owner),
    reason: `operator ${text(operator)} already works for it`,
  }),
  RegistryOperatorZero: terms('operator', 'the zero address cannot sign'),
  RegistryProviderExists: provider('it is registered already'),
  RegistryProviderUnknown: ([id]) => ({ code: 'PROVIDER_NOT_FOUND', provider: text(id) }),
  RegistryCallerNotDisputes: caller('only the disputes may'),
  RegistryCallerNotProofs: caller('only the ledger may'),
  RegistryProviderTerminated: provider('it was terminated and accepts no deals any more'),
  RegistryStakeLocked: provider('stake stays while it accepts or owes anything (accepting, idle)'),
  RegistryStakeTooLow: ([needed, available]) => ({
    code: 'FUNDS_INSUFFICIENT',
    needed: integer(needed),
    available: integer(available),
  }),
  RegistryTextLength: ([field, most, actual]) => ({
    code: 'TERMS_INVALID',
    field: text(field),
    reason: `it may have 1 to ${text(most)} bytes, not ${text(actual)}`,
  }),
}

const lacking: Entry = ([, available, needed]) => ({
  code: 'FUNDS_INSUFFICIENT',
  needed: integer(needed),
  available: integer(available),
})

const MONEY: Readonly<Record<string, Entry>> = {
  ERC20InsufficientAllowance: lacking,
  ERC20InsufficientBalance: lacking,
  ERC20InvalidApprover: named('ERC20InvalidApprover'),
  ERC20InvalidReceiver: named('ERC20InvalidReceiver'),
  ERC20InvalidSender: named('ERC20InvalidSender'),
  ERC20InvalidSpender: named('ERC20InvalidSpender'),
  ERC2612ExpiredSignature: named('ERC2612ExpiredSignature'),
  ERC2612InvalidSigner: ([actual, expected]) => signature([expected, actual]),
  SafeERC20FailedOperation: named('SafeERC20FailedOperation'),
  VaultAddressZero: named('VaultAddressZero'),
  VaultBalanceTooLow: ([, needed, available]) => ({
    code: 'FUNDS_INSUFFICIENT',
    needed: integer(needed),
    available: integer(available),
  }),
  VaultCallerNotDisputes: caller('only the disputes may'),
  VaultCallerNotFeeAccount: caller('only the fee account may'),
  VaultCallerNotMarket: caller('only the market may'),
  VaultCallerNotRegistry: caller('only the registry may'),
  VaultNothingReceived: ([token]) => ({
    code: 'TX_REVERTED',
    error: 'VaultNothingReceived',
    args: [text(token)],
  }),
  VaultPermitRefused: signature,
  VaultTokenListInvalid: named('VaultTokenListInvalid'),
  VaultTokenUnknown: terms('token', 'the vault does not take it'),
}

const REST: Readonly<Record<string, Entry>> = {
  BeaconKeyInvalid: named('BeaconKeyInvalid'),
  BeaconPeriodNotStarted: ([of]) => ({ code: 'SEED_MISSING', period: integer(of) }),
  BeaconPrecompileMissing: unsuitable('it lacks the precompile at'),
  BeaconScheduleInvalid: named('BeaconScheduleInvalid'),
  BeaconSeedExists: ([of]) => ({
    code: 'NOTHING_TO_DO',
    reason: `period ${text(of)} has its seed already`,
  }),
  BeaconSignatureInvalid: ([round]) => ({
    code: 'SIGNATURE_INVALID',
    expected: `the network's key over round ${text(round)}`,
    actual: 'another signature',
  }),
  BeaconWindowClosed: windowClosed,
  BlsPrecompileFailed: unsuitable('the precompile failed at'),
  ECDSAInvalidSignature: named('ECDSAInvalidSignature'),
  ECDSAInvalidSignatureLength: named('ECDSAInvalidSignatureLength'),
  ECDSAInvalidSignatureS: named('ECDSAInvalidSignatureS'),
  InvalidAccountNonce: named('InvalidAccountNonce'),
  InvalidShortString: named('InvalidShortString'),
  ReentrancyGuardReentrantCall: named('ReentrancyGuardReentrantCall'),
  ScheduleBeforeGenesis: named('ScheduleBeforeGenesis'),
  StringTooLong: named('StringTooLong'),
  // Solidity's own.
  Error: named('Error'),
  Panic: named('Panic'),
}

/** Solidity error name to our detail. */
export const REVERTS: Readonly<Record<string, Entry>> = {
  ...ANSWERS,
  ...PROOFS,
  ...MARKET,
  ...DISPUTES,
  ...REGISTRY,
  ...MONEY,
  ...REST,
}
